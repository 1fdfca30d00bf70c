"""PE headers: the numbers, the data directories and the section table that say where the rest of an image lies."""

import struct
from typing import NamedTuple

from symsrv.formats.base import Reader
from symsrv.model.errors import NotIdentified

SECTIONS_LIMIT = 512  # more are not looked through; Windows itself loads 96

RESOURCES, DEBUG, LOAD_CONFIG, CLR = 2, 6, 10, 14  # data directories
DEBUG_STRIPPED = 0x200  # Characteristics: the debug information was moved to a .dbg file
EXECUTABLE = 0x20000020  # Characteristics of a section: it contains code, or may be executed

_PE = b"PE\0\0"
_PE32, _PE32_PLUS = 0x10B, 0x20B
_COFF = struct.Struct("<4xHHI8xHH")
# Magic, AddressOfEntryPoint, ImageBase, SizeOfImage, Subsystem; only ImageBase lies elsewhere in PE32.
_OPTIONAL = {_PE32: struct.Struct("<H14xI8xI24xI8xH"), _PE32_PLUS: struct.Struct("<H14xI4xQ24xI8xH")}
_FIELDS_BYTES = 70
_OPTIONAL_BYTES = 240  # of PE32+ with its 16 data directories; PE32 has 16 less
_REQUIRED_BYTES = 60  # up to and with SizeOfImage
_DIRECTORIES = 16
_DIRECTORY = struct.Struct("<II")
_SECTION = struct.Struct("<8x4I12xI")
_U32 = struct.Struct("<I")

Section = tuple[int, int, int, int, int]
"""VirtualSize, VirtualAddress, SizeOfRawData, PointerToRawData, Characteristics."""


class Headers(NamedTuple):
    """The numbers of a PE header that are of use here; `header` is the offset of `PE\\0\\0`.

    A tuple, as the entries of the debug directory are: one is made for every image that is identified.
    """

    header: int
    machine: int
    stamp: int
    flags: int
    section_count: int
    optional_size: int
    image_size: int
    image_base: int
    entry_point: int
    subsystem: int
    wide: bool


class Image:
    """A PE image: its headers, read at once, and its sections, read when they are first asked for.

    Raises NotIdentified from the start if there is no PE header behind the MZ stub.
    """

    def __init__(self, data: Reader) -> None:
        self.data = data
        self._sections: list[Section] | None = None
        header = _U32.unpack(data.at(0x3C, 4))[0]
        coff = data.at(header, 24)
        if coff[:4] != _PE:
            raise NotIdentified("unknown-format", "a program for DOS or 16-bit Windows: it has no PE header")
        machine, sections, stamp, optional_size, flags = _COFF.unpack(coff)
        # SizeOfImage has the same place in PE32 and PE32+; an image must have it, so the size field is not asked.
        optional = data.up_to(header + 24, _OPTIONAL_BYTES)
        if len(optional) < _FIELDS_BYTES:
            optional = data.at(header + 24, max(_REQUIRED_BYTES, len(optional))).ljust(_FIELDS_BYTES, b"\0")
        magic = int.from_bytes(optional[:2], "little")
        if magic not in _OPTIONAL:
            raise NotIdentified("malformed", f"its optional header is of an unknown kind ({magic:#x})")
        _, entry_point, base, size, subsystem = _OPTIONAL[magic].unpack_from(optional)
        wide = magic == _PE32_PLUS
        self._optional = optional
        self.headers = Headers(
            header, machine, stamp, flags, sections, optional_size, size, base, entry_point, subsystem, wide
        )

    def directory(self, index: int) -> tuple[int, int] | None:
        """Address and size of a data directory; None when the image has none or is cut before it."""
        start = 112 if self.headers.wide else 96
        at = start + _DIRECTORY.size * index
        if self.headers.optional_size < start or at + _DIRECTORY.size > len(self._optional) or index >= _DIRECTORIES:
            return None
        if _U32.unpack_from(self._optional, start - 4)[0] <= index:
            return None
        address, size = _DIRECTORY.unpack_from(self._optional, at)
        return (address, size) if address and size else None

    def sections(self) -> list[Section]:
        """The section table; empty if it is cut off."""
        if self._sections is None:
            table = self.headers.header + 24 + self.headers.optional_size
            size = min(self.headers.section_count, SECTIONS_LIMIT) * _SECTION.size
            whole = table + size <= self.data.size
            self._sections = list(_SECTION.iter_unpack(self.data.at(table, size))) if whole else []
        return self._sections

    def offset(self, address: int) -> int | None:
        """Where a relative virtual address lies in the file; None if nowhere.

        Before the first section are the headers, which are mapped as they are.
        """
        sections = self.sections()
        for virtual_size, start, raw_size, raw, _ in sections:
            if start <= address < start + max(virtual_size, raw_size):
                return raw + address - start if address - start < raw_size else None
        return address if sections and address < min(one[1] for one in sections) else None

    def window(self, offset: int | None, size: int) -> bytes:
        """Exactly `size` bytes from a place in the file; empty if it does not hold them. Place 0 is no place."""
        return self.data.at(offset, size) if offset and offset + size <= self.data.size else b""

    def mapped(self, address: int, size: int) -> bytes:
        """Exactly `size` bytes from a relative virtual address; empty if the file does not hold them."""
        return self.window(self.offset(address), size)
