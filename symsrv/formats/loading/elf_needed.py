"""The libraries that an ELF file asks its loader for: DT_NEEDED, bounded."""

import struct

from symsrv.formats.base import Reader
from symsrv.formats.structures.elf_notes import SEGMENTS_LIMIT
from symsrv.formats.structures.elf_tables import PT_DYNAMIC, PT_LOAD, SHT_DYNAMIC, ElfTables, Segment

SECTIONS_LIMIT = 256
ENTRIES_LIMIT = 1024
NAMES_LIMIT = 256
NAME_LIMIT_BYTES = 255

_DT_NULL, _DT_NEEDED, _DT_STRTAB = 0, 1, 5


def needed(data: Reader) -> tuple[str, ...]:
    """The names in DT_NEEDED, in their order, each once; none for static programs, debug files and damaged tables.

    gABI, "Dynamic Section". Sections go first, as a separate debug file still has the program headers of its program
    but knows its own `.dynamic` as NOBITS; segments serve files without section headers. Raises NotIdentified for
    what has no ELF header.
    """
    elf = ElfTables(data)
    sections = list(elf.sections(0, SECTIONS_LIMIT))
    if any(one.kind for one in sections):
        dynamic = next((one for one in sections if one.kind == SHT_DYNAMIC), None)
        if dynamic is None or dynamic.link >= len(sections):
            return ()
        strings = sections[dynamic.link]
        return _names(elf, _entries(elf, dynamic.offset, dynamic.size), strings.offset)
    segments = list(elf.segments(SEGMENTS_LIMIT))
    found = next((one for one in segments if one.kind == PT_DYNAMIC), None)
    if found is None:
        return ()
    entries = _entries(elf, found.offset, found.size)
    address = next((value for tag, value in entries if tag == _DT_STRTAB), 0)
    return _names(elf, entries, _place(segments, address))


def _place(segments: list[Segment], address: int) -> int | None:
    """Where in the file an address of the running program lies."""
    for one in segments:
        if one.kind == PT_LOAD and one.address <= address < one.address + one.size:
            return one.offset + address - one.address
    return None


def _entries(elf: ElfTables, offset: int, size: int) -> list[tuple[int, int]]:
    """The dynamic table up to its end mark: tags and values."""
    entry = struct.Struct("<>"[not elf.little] + ("QQ" if elf.wide else "II"))
    table = elf.window(offset, min(size // entry.size, ENTRIES_LIMIT) * entry.size)
    found: list[tuple[int, int]] = []
    for tag, value in entry.iter_unpack(table):
        if tag == _DT_NULL:
            break
        found.append((tag, value))
    return found


def _names(elf: ElfTables, entries: list[tuple[int, int]], strings_at: int | None) -> tuple[str, ...]:
    if strings_at is None:
        return ()
    found: dict[str, None] = {}
    for at in [value for tag, value in entries if tag == _DT_NEEDED][:NAMES_LIMIT]:
        if strings_at + at < elf.data.size:
            name, end, _ = elf.data.up_to(strings_at + at, NAME_LIMIT_BYTES + 1).partition(b"\0")
            if name and end:
                found[name.decode("utf-8", "replace")] = None
    return tuple(found)
