"""ELF: programs, libraries and their separate debug files. Known by the GNU build id, whatever its length."""

import struct

from symsrv.formats.base import Reader
from symsrv.formats.elf_tables import (
    ET_CORE,
    MAGIC,
    PT_LOAD,
    PT_NOTE,
    SHF_ALLOC,
    SHT_NOTE,
    SHT_PROGBITS,
    ElfTables,
    Section,
)
from symsrv.formats.guid import GUID_BYTES, breakpad_id, guid_text
from symsrv.formats.machines import elf_machine
from symsrv.model.errors import NotIdentified
from symsrv.model.identity import BOTH, CODE, DEBUG_INFO, Identity
from symsrv.model.ids import build_id

SEGMENTS_LIMIT = 128
SECTIONS_LIMIT = 256  # of more, the first and the last half: notes come first, debug information comes last
NOTES_LIMIT = 8
NOTES_LIMIT_BYTES = 4096
NAMES_LIMIT_BYTES = 8192  # a longer table of names is read name by name
BUILD_ID_LIMIT_BYTES = 64

_GNU = b"GNU\0"
_NT_GNU_BUILD_ID = 3
_NAME_BYTES = 20
_DEBUG = (b".debug_", b".zdebug_")
# Unwinding and pretty-printer data that `strip` leaves in a program: ARM libraries and Rust programs have them.
_NOT_DEBUG = (b".debug_frame\0", b".zdebug_frame\0", b".debug_gdb_scripts\0")


class Elf:
    """Executable and Linkable Format, 32 and 64 bits, both byte orders."""

    name = "elf"

    def sniff(self, head: bytes) -> bool:
        """The four magic bytes."""
        return head[:4] == MAGIC

    def identify(self, data: Reader, name: str) -> tuple[Identity, ...]:
        """The one file; `kind` says whether it has the code, the debug information or both."""
        elf = ElfTables(data)
        if elf.type == ET_CORE:
            raise NotIdentified("not-symbols", "a core dump: it is what symbols are needed for")
        sections = _sections(elf)
        notes = () if elf.sound else ("its section headers lie outside the file",)
        raw = find_build_id(elf, sections)
        if raw is None:
            if not elf.sound:
                raise NotIdentified("truncated", "an ELF file that ends before its own tables do")
            raise NotIdentified("no-id", "an ELF file without a build id; link it with -Wl,--build-id")
        kind = _kind(elf, sections)
        identity = Identity(
            format=self.name,
            kind=kind,
            name=name,
            ids=(build_id(raw),),
            arch=elf_machine(elf.machine, wide=elf.wide),
            code_id=raw.hex(),
            # Breakpad's file_id.cc swaps the first fields whatever the byte order, and fills short ids with zeros.
            debug_id=breakpad_id(guid_text(raw[:GUID_BYTES].ljust(GUID_BYTES, b"\0")), 0),
            build_id=raw.hex(),
            symbol_kind="bin" if kind == CODE else "pri",
            notes=notes,
        )
        return (identity,)


def _sections(elf: ElfTables) -> tuple[Section, ...]:
    if elf.section_count <= SECTIONS_LIMIT:
        return tuple(elf.sections(0, SECTIONS_LIMIT))
    half = SECTIONS_LIMIT // 2
    return (*elf.sections(0, half), *elf.sections(elf.section_count - half, half))


def find_build_id(elf: ElfTables, sections: tuple[Section, ...]) -> bytes | None:
    """The build id: by segments, which every loader trusts, then by sections, which .o and .debug files need.

    In a debug file made by eu-strip the program headers still describe the program, so a note that is not there is
    ordinary. Sections are taken by their type, whatever their name: linker scripts rename `.note.gnu.build-id`.
    """
    segments = ((one.offset, one.size, one.align) for one in elf.segments(SEGMENTS_LIMIT) if one.kind == PT_NOTE)
    by_section = ((one.offset, one.size, one.align) for one in sections if one.kind == SHT_NOTE)
    for places in (segments, by_section):
        for _, (offset, size, align) in zip(range(NOTES_LIMIT), places, strict=False):
            notes = elf.window(offset, min(size, NOTES_LIMIT_BYTES))
            found = _build_id_note(notes, little=elf.little, align=8 if align == 8 else 4)
            if found is None and align == 8:
                found = _build_id_note(notes, little=elf.little, align=4)  # merged by an old linker
            if found is not None:
                return found
    return None


def _build_id_note(notes: bytes, *, little: bool, align: int) -> bytes | None:
    """The descriptor of the note of type 3 whose owner is GNU.

    The owner must be looked at: NT_PRPSINFO of core files is type 3 as well. Name and descriptor begin on a multiple
    of `align` from the beginning of the note (gABI; 8 only for segments that say so).
    """
    header = struct.Struct("<3I" if little else ">3I")
    at, mask = 0, align - 1
    while at + header.size <= len(notes):
        name_size, size, kind = header.unpack_from(notes, at)
        name_at = at + header.size
        start = name_at + name_size + (-(header.size + name_size) & mask)
        if kind == _NT_GNU_BUILD_ID and notes[name_at : name_at + name_size] == _GNU:
            raw = notes[start : start + size]
            return raw if 0 < len(raw) == size <= BUILD_ID_LIMIT_BYTES else None
        at = start + size + (-size & mask)
    return None


def _kind(elf: ElfTables, sections: tuple[Section, ...]) -> str:
    """Whether there is code, debug information, or both.

    Code: an allocated PROGBITS section with content, elfutils' debuginfod's rule; a separate debug file has them all
    as NOBITS. Without sections (or with a NULL one alone): a segment with content. Debug information: `_has_debug`.
    A file with neither was separated from a program that had none, so it counts as a debug file.
    """
    if any(one.kind for one in sections):
        code = any(one.kind == SHT_PROGBITS and one.flags & SHF_ALLOC and one.size for one in sections)
    else:
        code = any(one.kind == PT_LOAD and one.size for one in elf.segments(SEGMENTS_LIMIT))
    debug = _has_debug(elf, sections)
    if code:
        return BOTH if debug else CODE
    return DEBUG_INFO


def _has_debug(elf: ElfTables, sections: tuple[Section, ...]) -> bool:
    """Whether a section with content is named `.debug_…` or `.zdebug_…`, apart from those that `strip` leaves."""
    names = elf.names()
    if names is None:
        return False
    table = elf.data.at(names.offset, names.size) if names.size <= NAMES_LIMIT_BYTES else None
    for section in reversed(sections):  # debug information comes last
        if section.flags & SHF_ALLOC or not section.in_file:  # MIPS has a section type of its own for DWARF
            continue
        at = section.name_at
        name = elf.name(names, section, _NAME_BYTES) if table is None else table[at : at + _NAME_BYTES]
        if name.startswith(_DEBUG) and not name.startswith(_NOT_DEBUG):
            return True
    return False
