"""The libraries that a PE image names to be loaded: its import directory, and the one of delayed imports."""

import struct

from symsrv.formats.base import Reader
from symsrv.formats.structures.pe_headers import Image

LIBRARIES_LIMIT = 1024
NAME_LIMIT_BYTES = 255

_IMPORTS, _DELAYED = 1, 13
_IMPORT = struct.Struct("<12xI4x")
_DELAY = struct.Struct("<II24x")
_BY_ADDRESS = 1  # Attributes of a delayed import: its fields are relative addresses; before VC 7 they were absolute


def imported_libraries(data: Reader) -> tuple[str, ...]:
    """The names in the order of the tables, each once; PE/COFF, "The .idata Section" and "Delay-Load Import Tables".

    What a broken table has before it breaks is returned. Raises NotIdentified for what has no PE header.
    """
    image = Image(data)
    found: dict[str, None] = {}
    for directory, entry in ((_IMPORTS, _IMPORT), (_DELAYED, _DELAY)):
        place = image.directory(directory)
        at = image.offset(place[0]) if place else None
        if at is None:
            continue
        # The table ends with an entry of zeros; the directory's size is often that of something else.
        for _ in range(LIBRARIES_LIMIT):
            raw = image.window(at, entry.size)
            address = _name_address(image, raw)
            if not address or not (name := _name(image, address)):
                break
            found[name] = None
            at += entry.size
    return tuple(found)[:LIBRARIES_LIMIT]


def _name_address(image: Image, raw: bytes) -> int:
    if len(raw) == _IMPORT.size:
        return int(_IMPORT.unpack(raw)[0])
    if len(raw) == _DELAY.size:
        attributes, address = _DELAY.unpack(raw)
        return int(address if attributes & _BY_ADDRESS or not address else address - image.headers.image_base)
    return 0


def _name(image: Image, address: int) -> str:
    at = image.offset(address)
    if not at or at >= image.data.size:
        return ""
    name, end, _ = image.data.up_to(at, NAME_LIMIT_BYTES + 1).partition(b"\0")
    return name.decode("utf-8", "replace") if end else ""
