"""PDB 2.0 files, in the small MSF container of Visual C++ up to 6.0.

`build_pdb2(...)` returns the bytes; with the defaults the id is ID.
"""

import struct
from collections.abc import Mapping, Sequence

from tests.made.pdb_builder import dbi_stream, named_streams

MAGIC = b"Microsoft C/C++ program database 2.00\r\n\x1aJG\0\0"
SIGNATURE = 0x3AB5CD4F
ID = "3ab5cd4f2"
VC98 = 19970604
DBI_V60 = 19970606


def info2_stream(
    age: int = 2, *, signature: int = SIGNATURE, version: int = VC98, names: Mapping[str, int] | None = None
) -> bytes:
    """Stream 1: no GUID."""
    return struct.pack("<3I", version, signature, age) + named_streams(names)


def build_pdb2(
    *,
    page_size: int = 1024,
    info: bytes | None = None,
    dbi: bytes | int | None = b"default",
    more: Sequence[bytes | int] = (),
) -> bytes:
    """A PDB 2.0. `dbi` None: no stream 3 at all; NIL: a nil one. `more`: streams from 4."""
    streams: list[bytes | int] = [b"old directory", info2_stream() if info is None else info, b"types" * 300]
    if dbi is not None:
        streams.append(dbi_stream(2, version=DBI_V60, machine=0) if dbi == b"default" else dbi)
        streams.extend(more)
    return lay_out_small(streams, page_size=page_size)


def lay_out_small(streams: Sequence[bytes | int], *, page_size: int = 1024) -> bytes:
    """A small MSF container of these streams; an int is the size word of a stream without pages (NIL)."""
    pages: list[bytes] = [b"", b"", b""]  # the header and two free page maps
    numbers: list[int] = []

    def add(data: bytes) -> list[int]:
        first = len(pages)
        pages.extend(data[at : at + page_size] for at in range(0, len(data), page_size))
        return list(range(first, len(pages)))

    for one in streams:
        if isinstance(one, bytes):
            numbers += add(one)
    sizes = [len(one) if isinstance(one, bytes) else one for one in streams]
    directory = struct.pack("<2H", len(streams), 0)
    directory += b"".join(struct.pack("<2I", size, 0x351720) for size in sizes)
    directory += struct.pack(f"<{len(numbers)}H", *numbers)
    listing = add(directory)
    pages[0] = MAGIC + struct.pack("<I2H2I", page_size, 1, len(pages), len(directory), 0x351720)
    pages[0] += struct.pack(f"<{len(listing)}H", *listing)
    return b"".join(page.ljust(page_size, b"\0") for page in pages)
