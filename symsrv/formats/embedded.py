"""Embedded portable PDBs: the debug file that .NET compilers can put, deflated, into the image itself."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from symsrv.formats.base import Reader
from symsrv.formats.structures.pe_debug import (
    CODEVIEW,
    EMBEDDED,
    CodeView,
    codeview,
    debug_name,
    image_entries,
    image_record,
)
from symsrv.formats.structures.pe_headers import Image
from symsrv.model.errors import ArchiveError, NotIdentified

LIMIT_BYTES = 1 << 30
PIECE_BYTES = 256 * 1024  # of packed bytes read and of unpacked bytes given at a time
RATIO_LIMIT = 1032  # deflate cannot do better (zlib, "Maximum Compression Factor")

_MAGIC = b"MPDB"
_HEADER_BYTES = 8  # magic, u32 size unpacked


@dataclass(frozen=True, slots=True)
class Embedded:
    """Where the deflated bytes lie, how many they claim to be unpacked, and the PDB's name by the CodeView entry.

    `name` is checked; None if there is no CodeView entry, or if its name cannot be a file name in a store.
    """

    offset: int
    packed_size: int
    size: int
    name: str | None


def find(data: Reader) -> Embedded | None:
    """The portable PDB that an image embeds; None for an image without one and for what is no PE file.

    dotnet/runtime, PE-COFF.md, debug directory entry of type 17: `MPDB`, the size unpacked, deflated bytes to the end
    of the entry. Raises NotIdentified for an image or an entry that is broken or claims what cannot be.
    """
    if data.up_to(0, 2) != b"MZ":
        return None
    image = Image(data)
    entries, _ = image_entries(image)
    entry = next((one for one in entries if one.kind == EMBEDDED), None)
    if entry is None:
        return None
    offset = entry.pointer or image.offset(entry.address)
    if offset is None or entry.size < _HEADER_BYTES or offset + entry.size > data.size:
        raise NotIdentified("truncated", "its embedded PDB lies outside the file")
    header = data.at(offset, _HEADER_BYTES)
    if header[:4] != _MAGIC:
        raise NotIdentified("malformed", "its embedded PDB does not begin with MPDB")
    size, packed_size = int.from_bytes(header[4:], "little"), entry.size - _HEADER_BYTES
    if size > LIMIT_BYTES:
        raise NotIdentified("too-complex", f"its embedded PDB claims {size} bytes; more than {LIMIT_BYTES} are refused")
    if size > RATIO_LIMIT * packed_size:
        raise NotIdentified("malformed", f"{packed_size} bytes of its embedded PDB cannot unpack to {size}")
    records = [codeview(image_record(image, one), one) for one in entries if one.kind == CODEVIEW]
    return Embedded(offset + _HEADER_BYTES, packed_size, size, _name([one for one in records if one is not None]))


def _name(found: list[CodeView]) -> str | None:
    """The name in the first entry of a portable PDB; an image compiled ahead of time has another before it."""
    one = next((one for one in found if one.portable), found[0] if found else None)
    return debug_name(one.path)[0] if one else None


def pieces(data: Reader, found: Embedded) -> Iterator[bytes]:
    """The PDB unpacked, in pieces of at most PIECE_BYTES; `data` is read as far beyond its budget as the PDB takes.

    Raises ArchiveError(`archive-damaged`) if the bytes are no deflate stream or do not unpack to the size they claim,
    which may show only behind the last piece, and NotIdentified if the file became shorter.
    """
    data.budget += found.packed_size
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    at, end, missing = found.offset, found.offset + found.packed_size, found.size
    packed = b""
    while not inflate.eof:
        if not packed and at < end:
            packed = data.at(at, min(PIECE_BYTES, end - at))
            at += len(packed)
        try:
            # One byte more than is missing shows that there are more than the size says.
            piece = inflate.decompress(packed, min(PIECE_BYTES, missing + 1))
        except zlib.error as error:
            raise ArchiveError("archive-damaged", f"the embedded PDB cannot be unpacked: {error}") from error
        if len(piece) > missing:
            raise ArchiveError("archive-damaged", f"the embedded PDB is longer than the {found.size} bytes it claims")
        if piece:
            missing -= len(piece)
            yield piece
        elif not inflate.unconsumed_tail and at == end:
            break
        packed = inflate.unconsumed_tail
    if missing:
        raise ArchiveError("archive-damaged", f"the embedded PDB ends {missing} bytes before the size it claims")
