"""Sections of ELF files as bytes: listed, decompressed, relocated where the file is not linked. No format itself."""

import struct
import zlib
from collections.abc import Iterator, Mapping

import zstandard

from symsrv.formats.base import BytesReader, Reader
from symsrv.formats.sources.dwarf_lines import Dwarf
from symsrv.formats.structures.elf_tables import (
    ET_REL,
    SHF_COMPRESSED,
    SHT_RELA,
    SHT_SYMTAB,
    ElfTables,
    Section,
    SectionNames,
)
from symsrv.model.errors import NotIdentified

SECTIONS_LIMIT = 1 << 16
NAMES_LIMIT_BYTES = 256 * 1024
NAME_LIMIT_BYTES = 256
SECTION_LIMIT_BYTES = 32 << 20
"""Of a compressed section: packed and unpacked; of one to be relocated: as it is."""
WINDOW_LIMIT_BYTES = 128 << 20
"""A zstd stream that needs more memory is not decompressed; `zstd --ultra -22 --long=27` is the most anyone uses."""

_RUN = 256  # section headers read at a time
_ZLIB, _ZSTD = 1, 2  # ELFCOMPRESS_ZLIB, ELFCOMPRESS_ZSTD
_OLD_MAGIC = b"ZLIB"
_PARTS = ("line", "line_str", "str", "info", "abbrev")

# Relocations that put a 32-bit offset into debug information, by e_machine; each from its psABI. Machines that keep
# addends in place (x86, ARM, MIPS) need none, as sections of debug information begin at 0.
_OFFSET_32 = {62: (10, 11), 183: (258,), 22: (4,), 2: (3, 23), 43: (3, 23)}
_OFFSET_32 |= dict.fromkeys((4, 20, 21, 42, 243, 258), (1,))


class Part(Reader):
    """Some bytes of a file as a file of their own; the whole file's budget counts."""

    def __init__(self, data: Reader, offset: int, size: int) -> None:
        super().__init__(size, budget=1 << 62)
        self._inside = data
        self._offset = offset

    def _fetch(self, offset: int, size: int) -> bytes:
        return self._inside.at(self._offset + offset, size)


def named_sections(elf: ElfTables) -> Iterator[tuple[int, str, Section]]:
    """The sections that have bytes in the file, with index and name, in the order of the table; the first 65,536."""
    names = SectionNames(elf, NAMES_LIMIT_BYTES)
    for first in range(0, min(elf.section_count, SECTIONS_LIMIT), _RUN):
        headers = list(elf.sections(first, _RUN))
        if not headers:
            return  # the table leads outside the file
        for index, one in enumerate(headers, first):
            if one.kind and one.in_file and one.offset + one.size <= elf.data.size:
                yield index, names.name(one, NAME_LIMIT_BYTES).decode("utf-8", "replace"), one


def is_compressed(name: str, section: Section) -> bool:
    """Whether a section is stored compressed: by its flag (gABI), or by its name (GNU's older way)."""
    return bool(section.flags & SHF_COMPRESSED) or name.startswith(".zdebug_")


def opened(elf: ElfTables, name: str, section: Section) -> Reader:
    """The bytes of a section, decompressed if they are compressed; of those at most 32 MiB.

    Raises NotIdentified(`malformed`) for what cannot be decompressed.
    """
    if not is_compressed(name, section):
        return Part(elf.data, section.offset, section.size)
    raw = elf.data.at(section.offset, min(section.size, SECTION_LIMIT_BYTES))
    if section.flags & SHF_COMPRESSED:
        header = struct.Struct("<>"[not elf.little] + ("I4x8x8x" if elf.wide else "I4x4x"))
        if len(raw) < header.size:
            raise NotIdentified("malformed", f"the section {name} is too short for its compression header")
        (method,) = header.unpack_from(raw)
        body = raw[header.size :]
    elif raw[:4] == _OLD_MAGIC:
        method, body = _ZLIB, raw[12:]  # the magic, and the size as eight bytes in big-endian order
    else:
        return Part(elf.data, section.offset, section.size)
    return BytesReader(_decompressed(body, method, name), budget=1 << 62)


def _decompressed(body: bytes, method: int, name: str) -> bytes:
    try:
        if method == _ZLIB:
            return zlib.decompressobj().decompress(body, SECTION_LIMIT_BYTES)
        if method == _ZSTD:
            unpacker = zstandard.ZstdDecompressor(max_window_size=WINDOW_LIMIT_BYTES)
            with unpacker.stream_reader(body) as stream:
                return stream.read(SECTION_LIMIT_BYTES)
    except (zlib.error, zstandard.ZstdError) as error:
        raise NotIdentified("malformed", f"the section {name} cannot be decompressed: {error}") from error
    raise NotIdentified("malformed", f"the section {name} is compressed by the unknown method {method}")


def dwarf_of(elf: ElfTables, sections: Mapping[str, tuple[int, Section]]) -> Dwarf | None:
    """The sections that name source files, from the first section of each name with its index; None without any.

    Split DWARF has them under names that end in `.dwo`. What cannot be decompressed counts as absent.
    """
    for end in ("", ".dwo"):
        found: dict[str, Reader] = {}
        for part in _PARTS:
            for start in (".debug_", ".zdebug_"):
                name = f"{start}{part}{end}"
                if part not in found and name in sections:
                    index, section = sections[name]
                    reader = _relocated(elf, index, name, section, sections)
                    if reader is not None:
                        found[part] = reader
        if "line" in found:
            line, line_text, text, info, abbreviations = (found.get(part) for part in _PARTS)
            if line is not None:
                return Dwarf(line, elf.little, line_text, text, info, abbreviations)
    return None


def _relocated(
    elf: ElfTables, index: int, name: str, section: Section, sections: Mapping[str, tuple[int, Section]]
) -> Reader | None:
    """The bytes of a section; those of files that are not linked, kernel modules too, as a linker would leave them."""
    try:
        reader = opened(elf, name, section)
        found = sections.get(f".rela{name}") if elf.type == ET_REL else None
        if found is None or found[1].kind != SHT_RELA or found[1].info != index:
            return reader
        if max(reader.size, found[1].size) > SECTION_LIMIT_BYTES:
            return None
        return BytesReader(_applied(elf, bytearray(reader.at(0, reader.size)), found, sections), budget=1 << 62)
    except NotIdentified:
        return None


def _applied(
    elf: ElfTables, data: bytearray, found: tuple[int, Section], sections: Mapping[str, tuple[int, Section]]
) -> bytes:
    order = "<>"[not elf.little]
    # Elf_Rela is offset, info, addend; Elf_Sym has the value in another place in each class.
    entry = struct.Struct(order + ("QQq" if elf.wide else "IIi"))
    symbol = struct.Struct(order + ("8xQ8x" if elf.wide else "4xI8x"))
    table = elf.data.at(found[1].offset, found[1].size // entry.size * entry.size)
    symbols = next((one for _, one in sections.values() if one.kind == SHT_SYMTAB), None)
    values = b""
    if symbols is not None:
        values = elf.data.at(symbols.offset, min(symbols.size, SECTION_LIMIT_BYTES))
    kinds = _OFFSET_32.get(elf.machine, ())
    shift, mask = (32, 0xFFFFFFFF) if elf.wide else (8, 0xFF)
    put = struct.Struct(order + "I")
    for offset, info, addend in entry.iter_unpack(table):
        at = (info >> shift) * symbol.size
        if info & mask in kinds and offset + put.size <= len(data) and at + symbol.size <= len(values):
            (value,) = symbol.unpack_from(values, at)
            put.pack_into(data, offset, (value + addend) & 0xFFFFFFFF)
    return bytes(data)
