"""Versions of PE images: the four numbers of the file version, from the version resource."""

import struct

from symsrv.formats.base import Reader
from symsrv.formats.structures.pe_headers import RESOURCES, Image
from symsrv.model.errors import NotIdentified

ENTRIES_LIMIT = 256  # of one directory: Windows knows two dozen types, and a version has a name and a language or two

Version = tuple[int, int, int, int]

_RT_VERSION = 16
_DIRECTORY = struct.Struct("<12xHH")
_ENTRY = struct.Struct("<II")
_DATA = struct.Struct("<II")
_BELOW = 0x80000000
_LEVELS = 3  # type, name, language
_KEY = "VS_VERSION_INFO\0".encode("utf-16-le")
_KEY_AT = 6
_FIXED_AT = 40  # the key ends at 38, the value begins on a multiple of four
_FIXED = struct.Struct("<4x4xHHHH")
_SIGNATURE = 0xFEEF04BD


def version(data: Reader) -> Version | None:
    """The file version (VS_FIXEDFILEINFO) of a PE image; None if it has none, is broken, or is no PE image."""
    try:
        if data.up_to(0, 2) != b"MZ":
            return None
        image = Image(data)
        place = image.directory(RESOURCES)
        start = image.offset(place[0]) if place else None
        return None if start is None else _fixed(image, _resource(data, start))
    except NotIdentified:
        return None


def _resource(data: Reader, start: int) -> bytes | None:
    """The data entry of the first version resource: its address and its size."""
    at, wanted = 0, _RT_VERSION
    for level in range(_LEVELS):
        named, numbered = _DIRECTORY.unpack(data.at(start + at, _DIRECTORY.size))
        size = min(named + numbered, ENTRIES_LIMIT) * _ENTRY.size
        entries = _ENTRY.iter_unpack(data.at(start + at + _DIRECTORY.size, size))
        found = next((below for one, below in entries if level or one == wanted), None)
        if found is None or bool(found & _BELOW) != (level < _LEVELS - 1):
            return None
        at = found & ~_BELOW
    return data.at(start + at, _DATA.size)


def _fixed(image: Image, entry: bytes | None) -> Version | None:
    """The numbers in a version resource; each pair is one word, the more significant number in its upper half."""
    address = _DATA.unpack(entry)[0] if entry else 0
    block = image.mapped(address, _FIXED_AT + _FIXED.size) if address else b""
    if block[_KEY_AT : _KEY_AT + len(_KEY)] != _KEY or int.from_bytes(block[_FIXED_AT:][:4], "little") != _SIGNATURE:
        return None
    minor, major, revision, build = _FIXED.unpack_from(block, _FIXED_AT)
    return major, minor, build, revision
