"""The notes of an ELF core that tell which files were mapped: NT_FILE, NT_AUXV, NT_PRPSINFO.

Their form is that of Linux' fs/binfmt_elf.c, which gdb's gcore and .NET's createdump write too.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field

from symsrv.formats.loading.elf_core_memory import Header
from symsrv.formats.structures.elf_tables import ElfTables
from symsrv.model.errors import NotIdentified

MAPPINGS_LIMIT = 1 << 17  # twice the number of mappings that Linux gives a process by default
FILES_LIMIT_BYTES = 1 << 24
NOTES_LIMIT = 1 << 17  # about four a thread
AUXV_LIMIT_BYTES = 4096

AT_PHDR, AT_ENTRY, AT_EXECFN, AT_SYSINFO_EHDR = 3, 9, 31, 33

_CORE = b"CORE"
_NT_PRPSINFO, _NT_AUXV, _NT_FILE = 3, 6, 0x46494C45
_PRPSINFO_TAIL_BYTES = 96  # pr_fname[16] and pr_psargs[80] end it on every machine; what is before them differs
_FNAME_BYTES = 16

Mapping = tuple[int, int, int, str]
"""Start, end, offset in the file, path."""


@dataclass(slots=True)
class CoreNotes:
    """What the notes say; `program` is the name that the kernel keeps of it, at most 15 bytes."""

    files: list[Mapping] = field(default_factory=list)
    auxv: dict[int, int] = field(default_factory=dict)
    program: str = ""


def read_notes(elf: ElfTables, segments: Iterable[Header]) -> CoreNotes:
    """The notes whose owner is CORE, the first of each kind.

    Names and descriptors are padded to four bytes, in 64-bit cores too. Of a list that was cut, what is there counts.
    """
    found, seen, data = CoreNotes(), 0, elf.data
    header = struct.Struct("<3I" if elf.little else ">3I")
    for one in segments:
        at, end = one.offset, min(one.offset + one.held, data.size)
        while at + header.size <= end and seen < NOTES_LIMIT:
            seen += 1
            name_size, size, kind = header.unpack(data.at(at, header.size))
            start = at + header.size + name_size + (-name_size & 3)
            if start + size > end:
                break
            if kind in _KINDS and data.up_to(at + header.size, 4) == _CORE:
                _KINDS[kind](found, elf, start, size)
            at = start + size + (-size & 3)
    return found


def _word(elf: ElfTables) -> str:
    return ("<" if elf.little else ">") + "{}" + ("Q" if elf.wide else "I")


def _read_program(found: CoreNotes, elf: ElfTables, start: int, size: int) -> None:
    if size >= _PRPSINFO_TAIL_BYTES and not found.program:
        raw = elf.data.at(start + size - _PRPSINFO_TAIL_BYTES, _FNAME_BYTES)
        found.program = raw.split(b"\0", 1)[0].decode("utf-8", "replace")


def _read_auxv(found: CoreNotes, elf: ElfTables, start: int, size: int) -> None:
    pair = struct.Struct(_word(elf).format(2))
    if not found.auxv:
        raw = elf.data.at(start, min(size, AUXV_LIMIT_BYTES) // pair.size * pair.size)
        found.auxv = {key: value for key, value in pair.iter_unpack(raw) if key}


def _read_files(found: CoreNotes, elf: ElfTables, start: int, size: int) -> None:
    """NT_FILE: a count, the unit of the offsets, three words for each mapping, then the paths, each with its NUL."""
    head, entry = (struct.Struct(_word(elf).format(count)) for count in (2, 3))
    if size < head.size or found.files:
        return
    if size > FILES_LIMIT_BYTES:
        raise NotIdentified("too-complex", f"a core whose list of mapped files has {size} bytes")
    note = elf.data.at(start, size)
    count, unit = head.unpack_from(note)
    count = min(count, (size - head.size) // entry.size)
    if count > MAPPINGS_LIMIT:
        raise NotIdentified("too-complex", f"a core of {count} mapped files; symsrv looks at {MAPPINGS_LIMIT}")
    paths_at = head.size + count * entry.size
    paths = note[paths_at:].split(b"\0", count)
    found.files = [
        (first, end, offset * unit, path.decode("utf-8", "replace"))
        for (first, end, offset), path in zip(entry.iter_unpack(note[head.size : paths_at]), paths, strict=False)
    ]


_KINDS = {_NT_PRPSINFO: _read_program, _NT_AUXV: _read_auxv, _NT_FILE: _read_files}
