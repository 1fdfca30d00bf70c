"""Breakpad's id of an ELF file that has no build id: an XOR over the beginning of its code."""

from symsrv.formats.base import Reader
from symsrv.formats.structures.guid import GUID_BYTES

HASHED_BYTES = 4096
TEXT_NAMES = (b".text", b"text")
"""The sections that hold the code, in the order in which they are looked for (Breakpad's file_id.cc)."""


def text_ids(data: Reader, offset: int, size: int) -> tuple[bytes, bytes]:
    """The 16 bytes as symbolic computes them, and as Breakpad does: the XOR of the section's first 4096 bytes in lanes
    of 16.

    Breakpad's loop takes whole lanes, and so reads up to 15 bytes behind a short section (its file_id.cc,
    HashElfTextSection); symbolic stops where the section ends (elf.rs, debug_id). They agree on sizes that are
    multiples of 16. What a lane would read behind the end of the file counts as zeros, as in a mapped file.
    """
    size = min(size, HASHED_BYTES)
    lanes = data.up_to(offset, size + -size % GUID_BYTES).ljust(size + -size % GUID_BYTES, b"\0")
    return _folded(lanes[:size].ljust(len(lanes), b"\0")), _folded(lanes)


def _folded(lanes: bytes) -> bytes:
    total = 0
    for at in range(0, len(lanes), GUID_BYTES):
        total ^= int.from_bytes(lanes[at : at + GUID_BYTES], "big")
    return total.to_bytes(GUID_BYTES, "big")
