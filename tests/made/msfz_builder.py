"""MSFZ files: streams cut into fragments anywhere, chunks of any size and compression, tables that lie.

`build_msfz(...)` returns the bytes; with the defaults the id is that of `pdb_builder.build_pdb`.
"""

import struct
import zlib
from collections.abc import Sequence

import zstandard

from tests.made.pdb_builder import dbi_stream, info_stream

MAGIC = b"Microsoft MSFZ Container\r\n\x1aALD\0\0"
NIL = 0xFFFFFFFF
STORED, ZSTD, DEFLATE = 0, 1, 2
HEADER_BYTES = 80
CHUNK_ROW_BYTES = 20


def packed(data: bytes, compression: int) -> bytes:
    """The bytes as they lie in the file."""
    if compression == ZSTD:
        return zstandard.ZstdCompressor().compress(data)
    if compression == DEFLATE:
        deflate = zlib.compressobj(wbits=-15)
        return deflate.compress(data) + deflate.flush()
    return data


def fragment(size: int, *, chunk: int | None = None, offset: int) -> bytes:
    """One record of the directory: in a chunk, or at an offset in the file."""
    return struct.pack("<IQ", size, offset if chunk is None else 1 << 63 | chunk << 32 | offset)


def chunk_row(offset: int, compression: int, stored: int, size: int) -> bytes:
    """One row of the chunk table."""
    return struct.pack("<Q3I", offset, compression, stored, size)


def build_msfz(
    *,
    info: bytes | None = None,
    dbi: bytes | int = b"default",
    more: Sequence[bytes | int] = (),
    compression: int = ZSTD,
    directory_compression: int = STORED,
    chunk_bytes: int = 1 << 20,
    fragment_bytes: int = 1 << 30,
    plain: Sequence[int] = (1,),
) -> bytes:
    """An MSFZ file as pdbtool writes one: the info stream plain and first, DBI at the front of the first chunk.

    `plain`: streams that lie uncompressed in the file. `fragment_bytes`: fragments are not longer. A fragment runs on
    into the next chunks where it does not fit its own. An int stands for a nil stream.
    """
    streams: list[bytes | int] = [b"", info_stream() if info is None else info, b"types" * 200]
    streams += [dbi_stream() if dbi == b"default" else dbi, *more]
    body, space = bytearray(HEADER_BYTES), bytearray()
    records: dict[int, bytes] = {}
    for number in sorted(range(len(streams)), key=lambda one: (one not in (1, 3), one != 1, one)):
        data = streams[number]
        if isinstance(data, int):
            records[number] = struct.pack("<I", NIL)
            continue
        rows = []
        for at in range(0, len(data), fragment_bytes):
            piece = data[at : at + fragment_bytes]
            if number in plain:
                rows.append(fragment(len(piece), offset=len(body)))
                body += piece
            else:
                chunk, offset = divmod(len(space), chunk_bytes)
                rows.append(fragment(len(piece), chunk=chunk, offset=offset))
                space += piece
        records[number] = b"".join(rows) + bytes(4)
    table = b""
    chunks = [bytes(space[at : at + chunk_bytes]) for at in range(0, len(space), chunk_bytes)]
    places = {}
    for index in reversed(range(len(chunks))):  # any order in the file is allowed
        stored = packed(chunks[index], compression)
        places[index] = chunk_row(len(body), compression, len(stored), len(chunks[index]))
        body += stored
    table = b"".join(places[index] for index in range(len(chunks)))
    directory = b"".join(records[number] for number in range(len(streams)))
    return container(
        directory,
        table,
        body=bytes(body[HEADER_BYTES:]),
        stream_count=len(streams),
        directory_compression=directory_compression,
    )


def container(
    directory: bytes,
    table: bytes,
    *,
    body: bytes = b"",
    stream_count: int,
    directory_compression: int = STORED,
    directory_size: int | None = None,
    version: int = 0,
) -> bytes:
    """Header, body, directory, chunk table; the tables may say what they like. `body` begins at HEADER_BYTES."""
    stored = packed(directory, directory_compression)
    header = MAGIC + struct.pack(
        "<3Q6I",
        version,
        HEADER_BYTES + len(body),
        HEADER_BYTES + len(body) + len(stored),
        stream_count,
        directory_compression,
        len(stored),
        len(directory) if directory_size is None else directory_size,
        len(table) // CHUNK_ROW_BYTES,
        len(table),
    )
    return header + body + stored + table
