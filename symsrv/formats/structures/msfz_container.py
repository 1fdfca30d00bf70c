"""MSFZ, the compressed container of PDB files: streams made of fragments, fragments that lie in compressed chunks.

Rules: `msfz.md` of pdb-rs, format version 0. The header leads to two tables:

    stream directory   per stream: fragments of u32 size, u64 location, then u32 0; a nil stream is u32 0xFFFFFFFF
    chunk table        u64 file offset, u32 compression, u32 size in the file, u32 size when decompressed

A location has bit 63 set and then chunk (31 bits) and offset in it (32 bits), or is a file offset (48 bits) of bytes
that are not compressed. A fragment may run on into the next chunks. The directory may be compressed, too.

Nothing is decompressed as a whole: the directory up to the stream asked for, a chunk up to the bytes asked for. Sizes
in the file are never trusted; 8 KiB of zstd can come to 256 MiB, so what comes out is counted.
"""

import struct
import zlib
from collections.abc import Iterator
from typing import IO, Protocol, cast

from symsrv.formats.base import Reader
from symsrv.formats.structures.msf import NIL, STREAMS_LIMIT
from symsrv.model.errors import NotIdentified

MAGIC = b"Microsoft MSFZ Container\r\n\x1aALD\0\0"
OUTPUT_FACTOR = 16  # how many decompressed bytes are looked at for each byte of the reader's budget
DIRECTORY_LIMIT_BYTES = 2 << 20  # of the decompressed directory; 65,536 streams of one fragment take 1.3 MB
FRAGMENTS_LIMIT = 4096  # of one stream that is read; writers make one for each 4 GiB, or a few
WINDOW_LIMIT_BYTES = 8 << 20  # RFC 8878, 3.1.1.1.2: what every decoder should allow; pdb-rs writes 2 MiB

_HEADER = struct.Struct("<32s3Q6I")
_CHUNK = struct.Struct("<Q3I")
_COMPRESSED = 1 << 63
_OFFSET_MASK = (1 << 48) - 1
_STORED, _ZSTD, _DEFLATE = 0, 1, 2
_INPUT_BYTES = 4096
_PIECE_BYTES = 65536


class _Allowance:
    """How many bytes may still come out of decompression."""

    def __init__(self, left: int) -> None:
        self.left = left

    def take(self, size: int) -> None:
        self.left -= size
        if self.left < 0:
            raise NotIdentified("too-complex", "identifying this file would decompress too much of it")


class _Extent:
    """A piece of the file as a file of its own, read from front to back."""

    def __init__(self, data: Reader, offset: int, size: int) -> None:
        if offset + size > data.size:
            raise NotIdentified("truncated", f"the file ends at {data.size} bytes, its tables point to {offset + size}")
        self._data = data
        self._offset = offset
        self._end = offset + size

    def read(self, size: int) -> bytes:
        piece = self._data.at(self._offset, min(size, self._end - self._offset))
        self._offset += len(piece)
        return piece


class _Bytes(Protocol):
    """Bytes from front to back: at most `size` a call, none at the end."""

    def read(self, size: int, /) -> bytes: ...


class _Zstd:
    """A zstd frame, decompressed as far as it is read."""

    def __init__(self, source: _Extent) -> None:
        import zstandard  # costs 8 ms, and most PDBs need none of it

        self._error = zstandard.ZstdError
        decompressor = zstandard.ZstdDecompressor(max_window_size=WINDOW_LIMIT_BYTES)
        self._stream = decompressor.stream_reader(cast("IO[bytes]", source), read_size=_INPUT_BYTES)

    def read(self, size: int) -> bytes:
        try:
            return self._stream.read(size)
        except self._error as error:
            raise NotIdentified("malformed", f"its zstd data is damaged: {error}") from error


class _Deflate:
    """A raw deflate stream, decompressed as far as it is read."""

    def __init__(self, source: _Extent) -> None:
        self._source = source
        self._stream = zlib.decompressobj(-zlib.MAX_WBITS)

    def read(self, size: int) -> bytes:
        while size and not self._stream.eof:
            ahead = self._stream.unconsumed_tail or self._source.read(_INPUT_BYTES)
            try:
                piece = self._stream.decompress(ahead, size)
            except zlib.error as error:
                raise NotIdentified("malformed", f"its deflate data is damaged: {error}") from error
            if piece or not ahead:
                return piece
        return b""


def _inflated(data: Reader, offset: int, size: int, compression: int) -> _Bytes:
    """The decompressed bytes of a piece of the file."""
    source = _Extent(data, offset, size)
    if compression == _STORED:
        return source
    if compression == _ZSTD:
        return _Zstd(source)
    if compression == _DEFLATE:
        return _Deflate(source)
    raise NotIdentified("malformed", f"{compression} is no compression of an MSFZ container")


class _Window:
    """Decompressed bytes read from front to back, of which the last ones read are kept."""

    def __init__(self, source: _Bytes, size: int, allowance: _Allowance) -> None:
        self._source = source
        self._size = size
        self._allowance = allowance
        self._kept = b""
        self.start = 0

    def at(self, offset: int, size: int) -> bytes:
        """`size` bytes from `offset`, which is not before `start`."""
        if offset + size > self._size:
            raise NotIdentified("malformed", f"it refers to byte {offset + size} of {self._size} decompressed ones")
        while self.start + len(self._kept) <= offset:
            self.start += len(self._kept)
            self._kept = self._next(self.start)
        if self.start + len(self._kept) < offset + size:
            pieces = [self._kept[offset - self.start :]]
            at = self.start + len(self._kept)
            while at < offset + size:
                pieces.append(self._next(at))
                at += len(pieces[-1])
            self._kept, self.start = b"".join(pieces), offset
        return self._kept[offset - self.start :][:size]

    def _next(self, at: int) -> bytes:
        piece = self._source.read(min(_PIECE_BYTES, self._size - at))
        if not piece:
            raise NotIdentified("malformed", f"its compressed data ends after {at} of {self._size} bytes")
        self._allowance.take(len(piece))
        return piece


class MsfzContainer:
    """An open MSFZ container. Every failure is a NotIdentified."""

    def __init__(self, data: Reader) -> None:
        (
            magic,
            version,
            directory_at,
            self._table_at,
            self.stream_count,
            compression,
            directory_stored,
            directory_size,
            self._chunk_count,
            table_size,
        ) = _HEADER.unpack(data.at(0, _HEADER.size))
        if magic != MAGIC:
            raise NotIdentified("unknown-format", "it is not an MSFZ container")
        if version:
            raise NotIdentified("unknown-format", f"it is an MSFZ container of version {version}; 0 is the known one")
        if not self.stream_count or table_size != _CHUNK.size * self._chunk_count:
            raise NotIdentified("malformed", "its header contradicts itself")
        if compression == _STORED and directory_stored != directory_size:
            raise NotIdentified("malformed", "its stream directory has two sizes")
        self._data = data
        self._allowance = _Allowance(OUTPUT_FACTOR * data.budget)
        self._directory_at = directory_at, directory_stored, compression
        self._directory_size = directory_size
        self._fragments: dict[int, tuple[tuple[int, int], ...]] = {}
        self._records = self._walk()
        self._walked = 0
        self._chunk = -1
        self._window: _Window | None = None

    def size(self, stream: int) -> int:
        """The size of a stream; 0 if it is nil or there is none."""
        return sum(size for size, _ in self._located(stream))

    def read(self, stream: int, offset: int, size: int) -> bytes:
        """At most `size` bytes of a stream from `offset`, fewer at its end."""
        pieces = []
        for length, location in self._located(stream):
            if offset < length and size > 0:
                piece = self._fragment(location, offset, min(size, length - offset))
                pieces.append(piece)
                size -= len(piece)
            offset = max(0, offset - length)
        return b"".join(pieces)

    def _located(self, stream: int) -> tuple[tuple[int, int], ...]:
        """Size and location of a stream's fragments."""
        if stream >= min(self.stream_count, STREAMS_LIMIT):
            return ()
        if stream not in self._fragments:
            if stream < self._walked:
                self._records, self._walked = self._walk(), 0
            kept: list[tuple[int, int]] = []
            while self._walked <= stream:
                for one in next(self._records):
                    if self._walked == stream:
                        kept.append(one)
                        if len(kept) > FRAGMENTS_LIMIT:
                            raise NotIdentified("too-complex", f"a stream has more than {FRAGMENTS_LIMIT} fragments")
                self._walked += 1
            self._fragments[stream] = tuple(kept)
        return self._fragments[stream]

    def _walk(self) -> Iterator[Iterator[tuple[int, int]]]:
        """The streams of the directory in order, each as its fragments, which are to be used up before the next."""
        window = _Window(_inflated(self._data, *self._directory_at), self._directory_size, self._allowance)
        at = 0

        def take(size: int) -> bytes:
            nonlocal at
            at += size
            if at > DIRECTORY_LIMIT_BYTES:
                raise NotIdentified("too-complex", f"its stream directory has over {DIRECTORY_LIMIT_BYTES} bytes")
            return window.at(at - size, size)

        def fragments() -> Iterator[tuple[int, int]]:
            size = int.from_bytes(take(4), "little")
            while size and size != NIL:
                location, following = struct.unpack("<QI", take(12))
                yield size, location
                if following == NIL:
                    raise NotIdentified("malformed", "a stream is nil behind its first fragment")
                size = following

        for _ in range(self.stream_count):
            yield fragments()

    def _fragment(self, location: int, offset: int, size: int) -> bytes:
        """Bytes of one fragment."""
        if not location & _COMPRESSED:
            return self._data.at((location & _OFFSET_MASK) + offset, size)
        chunk = location >> 32 & 0x7FFFFFFF
        offset += location & 0xFFFFFFFF
        pieces = []
        while size:
            file_offset, compression, stored, length = self._chunk_entry(chunk)
            if offset < length:
                if self._window is None or self._chunk != chunk or offset < self._window.start:
                    source = _inflated(self._data, file_offset, stored, compression)
                    self._window, self._chunk = _Window(source, length, self._allowance), chunk
                pieces.append(self._window.at(offset, min(size, length - offset)))
                size -= len(pieces[-1])
            offset = max(0, offset - length)
            chunk += 1
        return b"".join(pieces)

    def _chunk_entry(self, chunk: int) -> tuple[int, int, int, int]:
        """One row of the chunk table."""
        if chunk >= self._chunk_count:
            raise NotIdentified("malformed", f"it refers to chunk {chunk} of {self._chunk_count}")
        row: tuple[int, int, int, int] = _CHUNK.unpack(self._data.at(self._table_at + _CHUNK.size * chunk, _CHUNK.size))
        if not row[3]:
            raise NotIdentified("malformed", f"chunk {chunk} is empty")
        return row
