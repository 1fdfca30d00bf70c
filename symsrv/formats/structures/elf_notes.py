"""The GNU build id of an ELF file: where its note can be, and what it looks like."""

import struct

from symsrv.formats.structures.elf_tables import PT_NOTE, SHT_NOTE, ElfTables, Section

SEGMENTS_LIMIT = 128
NOTES_LIMIT = 8
NOTES_LIMIT_BYTES = 4096
BUILD_ID_LIMIT_BYTES = 64

_GNU = b"GNU\0"
_NT_GNU_BUILD_ID = 3


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
