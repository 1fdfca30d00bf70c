"""ELF headers and tables: both byte orders, 32 and 64 bits, read in pieces. Beside `elf`; no format itself.

Field places are from the System V gABI. What a table says is never trusted to lie in the file.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from symsrv.formats.base import Reader
from symsrv.model.errors import NotIdentified

MAGIC = b"\x7fELF"

ET_REL, ET_CORE = 1, 4
PT_LOAD, PT_DYNAMIC, PT_NOTE = 1, 2, 4
SHT_PROGBITS, SHT_SYMTAB, SHT_RELA, SHT_DYNAMIC, SHT_NOTE, SHT_NOBITS = 1, 2, 4, 6, 7, 8
SHF_ALLOC, SHF_COMPRESSED = 0x2, 0x800

_EXTENDED_SEGMENTS = 0xFFFF  # PN_XNUM: the count is section 0's sh_info
_EXTENDED_NAMES = 0xFFFF  # SHN_XINDEX: the index is section 0's sh_link


class Segment(NamedTuple):
    """A program header, as far as it matters here."""

    kind: int
    offset: int
    address: int
    size: int
    align: int


class Section(NamedTuple):
    """A section header, as far as it matters here; `name_at` is an offset into the section of names."""

    name_at: int
    kind: int
    flags: int
    offset: int
    size: int
    link: int
    info: int
    align: int

    @property
    def in_file(self) -> bool:
        """Whether the section has bytes in the file, by what its header says."""
        return self.kind != SHT_NOBITS and self.size > 0


@dataclass(frozen=True, slots=True)
class _Shape:
    """The layout of one class of ELF files, for one byte order."""

    header: struct.Struct
    segment: struct.Struct
    section: struct.Struct
    wide: bool


def _shape(order: str, *, wide: bool) -> _Shape:
    # header: type, machine, phoff, shoff, phentsize, phnum, shentsize, shnum, shstrndx
    # segment: kind, offset, vaddr, filesz, align
    # section: name, kind, flags, offset, size, link, info, addralign
    if wide:
        formats = "16xHH12xQQ6x5H", "I4xQQ8xQ8xQ", "IIQ8xQQIIQ8x"
    else:
        formats = "16xHH8xII6x5H", "III4xI8xI", "III4xIIIII4x"
    header, segment, section = (struct.Struct(order + one) for one in formats)
    return _Shape(header, segment, section, wide)


_SHAPES = {(size, order): _shape("<>"[order - 1], wide=size == 2) for size in (1, 2) for order in (1, 2)}


class ElfTables:
    """The tables of one ELF file. `sound` turns False when one of them leads outside the file."""

    def __init__(self, data: Reader) -> None:
        ident = data.at(0, 16)
        shape = _SHAPES.get((ident[4], ident[5]))
        if ident[:4] != MAGIC or shape is None:
            raise NotIdentified("malformed", f"an ELF header of class {ident[4]} and byte order {ident[5]}")
        self.data = data
        self.sound = True
        self.wide = shape.wide
        self.little = ident[5] == 1
        self._shape = shape
        fields = shape.header.unpack(data.at(0, shape.header.size))
        self.type, self.machine, self._segments_at, self._sections_at = fields[:4]
        segment_size, self.segment_count, section_size, self.section_count, self._names_index = fields[4:]
        # Entries of another size than the class has are not of any known ELF; such a table counts as absent.
        if section_size != shape.section.size:
            self._sections_at = 0
        self._read_extended_counts()
        if segment_size != shape.segment.size:
            self.segment_count = 0

    def _read_extended_counts(self) -> None:
        """Counts that do not fit 16 bits are in section 0 (gABI, "ELF header": e_shnum, e_phnum, e_shstrndx)."""
        if not self._sections_at:
            self.section_count = 0
        elif not self.section_count or _EXTENDED_SEGMENTS in (self.segment_count, self._names_index):
            first = self.window(self._sections_at, self._shape.section.size)
            if not first:
                self.section_count = 0
                return
            _, _, _, _, size, link, info, _ = self._shape.section.unpack(first)
            self.section_count = self.section_count or size
            if self.segment_count == _EXTENDED_SEGMENTS:
                self.segment_count = info
            if self._names_index == _EXTENDED_NAMES:
                self._names_index = link

    def window(self, offset: int, size: int) -> bytes:
        """Exactly `size` bytes, or none if they are not all in the file."""
        if offset + size > self.data.size:
            self.sound = False
            return b""
        return self.data.at(offset, size)

    def segments(self, limit: int) -> Iterator[Segment]:
        """The program headers, at most the first `limit`."""
        unpack = self._shape.segment
        table = self.window(self._segments_at, min(self.segment_count, limit) * unpack.size)
        return map(Segment._make, unpack.iter_unpack(table))

    def sections(self, first: int, count: int) -> Iterator[Section]:
        """`count` section headers from index `first`, as far as there are any."""
        unpack = self._shape.section
        count = max(0, min(count, self.section_count - first))
        table = self.window(self._sections_at + first * unpack.size, count * unpack.size)
        return map(Section._make, unpack.iter_unpack(table))

    def names(self) -> Section | None:
        """The section that holds the names of the sections; None if there is none in the file."""
        found = next(self.sections(self._names_index, 1), None)
        return found if found and found.in_file and found.offset + found.size <= self.data.size else None

    def name(self, names: Section, section: Section, limit: int) -> bytes:
        """The first `limit` bytes of a section's name, with what follows it; empty if it has none."""
        size = min(limit, names.size - section.name_at)
        return self.data.at(names.offset + section.name_at, size) if size > 0 else b""


class SectionNames:
    """Names of sections: a table of at most `limit_bytes` is read at once, a longer one name by name."""

    def __init__(self, elf: ElfTables, limit_bytes: int) -> None:
        self._elf = elf
        self._table = elf.names()
        self.whole: bytes | None = b""
        """The table; None if it is a longer one."""
        if self._table is not None:
            self.whole = elf.data.at(self._table.offset, self._table.size) if self._table.size <= limit_bytes else None

    def start(self, section: Section, limit: int) -> bytes:
        """The first `limit` bytes of a section's name, with what follows it; empty if it has none."""
        if self.whole is not None:
            return self.whole[section.name_at : section.name_at + limit]
        return self._elf.name(self._table, section, limit) if self._table else b""

    def name(self, section: Section, limit: int) -> bytes:
        """A section's name, at most `limit` bytes of it."""
        return self.start(section, limit + 1).partition(b"\0")[0][:limit]
