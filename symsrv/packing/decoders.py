"""Decompressors with one face and bounded steps: no step gives more than PIECE_BYTES or asks for more than 128 MiB."""

import lzma
import zlib
from bz2 import BZ2Decompressor
from collections.abc import Callable, Iterator
from typing import Protocol

import zstandard

from symsrv.packing.base import PIECE_BYTES
from symsrv.packing.tally import damaged, too_much

INPUT_BYTES = 1 << 15
WINDOW_BYTES = 128 << 20  # what xz -9 (65 MiB) and zstd --long=27 need; more is a way to eat memory

_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_ZSTD_BLOCK_BYTES = 1 << 17
_FAULTS = (zlib.error, lzma.LZMAError, zstandard.ZstdError, OSError, EOFError, ValueError)


class Decoder(Protocol):
    """One compressed stream, with the members of the standard library's BZ2Decompressor."""

    @property
    def eof(self) -> bool:
        """Whether the stream is over."""

    @property
    def needs_input(self) -> bool:
        """Whether nothing more comes out before more goes in."""

    @property
    def unused_data(self) -> bytes:
        """What followed the stream in the last input."""

    def decompress(self, data: bytes, max_length: int = -1, /) -> bytes:
        """Takes more input and gives at most `max_length` bytes."""


class Inflate:
    """Deflate by zlib, raw or in gzip's frame (RFC 1951, RFC 1952)."""

    def __init__(self, window_bits: int) -> None:
        self._object = zlib.decompressobj(window_bits)
        self._full = False

    @property
    def eof(self) -> bool:
        """Whether the stream is over."""
        return self._object.eof

    @property
    def needs_input(self) -> bool:
        """Whether zlib has neither input nor output left."""
        return not self._object.unconsumed_tail and not self._full

    @property
    def unused_data(self) -> bytes:
        """What followed the stream."""
        return self._object.unused_data

    def decompress(self, data: bytes, max_length: int = -1, /) -> bytes:
        """Takes more input, before which comes what was left of the last."""
        out = self._object.decompress(self._object.unconsumed_tail + data, max(max_length, 0))
        self._full = len(out) == max_length
        return out


class Unzstd:
    """Zstandard (RFC 8878), block after block, so that no step gives more than a block and a cut stream is seen.

    The library's own stream reader takes a cut stream for a short one. test_decoders.py::test_cut
    """

    def __init__(self) -> None:
        self._object = zstandard.ZstdDecompressor(max_window_size=WINDOW_BYTES).decompressobj()
        self._ahead = bytearray()
        self._skip = 0
        self._step = self._frame
        self._checksum = False
        self.eof = False
        self.needs_input = True

    @property
    def unused_data(self) -> bytes:
        """What followed the frame."""
        return bytes(self._ahead) if self.eof else b""

    def decompress(self, data: bytes, max_length: int = -1, /) -> bytes:
        """Takes more input and gives one block, which is at most 128 KiB."""
        self._ahead += data
        self.needs_input = False
        while not self.eof:
            part = self._step()
            if part is None:
                self.needs_input = True
                return b""
            if part:
                out = self._object.decompress(part)
                if out:
                    return out
        return b""

    def _take(self, count: int) -> bytes | None:
        if len(self._ahead) < count:
            return None
        part = bytes(self._ahead[:count])
        del self._ahead[:count]
        return part

    def _frame(self) -> bytes | None:
        """A frame's header (RFC 8878, 3.1.1.1), or a skippable frame (3.1.2)."""
        ahead = self._ahead
        if len(ahead) < 8:
            return None
        if ahead[1:4] == b"\x2a\x4d\x18" and ahead[0] & 0xF0 == 0x50:
            self._skip = 8 + int.from_bytes(ahead[4:8], "little")
            self._step = self._skipped
            return b""
        if ahead[:4] != _ZSTD_MAGIC:
            raise ValueError("no frame of zstd")
        descriptor = ahead[4]
        single = descriptor >> 5 & 1
        sizes = (single, 2, 4, 8)[descriptor >> 6] + (0, 1, 2, 4)[descriptor & 3] + 1 - single
        self._checksum = bool(descriptor & 4)
        header = self._take(5 + sizes)
        if header is not None:
            self._step = self._block
        return header

    def _skipped(self) -> bytes | None:
        count = min(self._skip, len(self._ahead))
        del self._ahead[:count]
        self._skip -= count
        if self._skip:
            return None
        self.eof = True
        return b""

    def _block(self) -> bytes | None:
        """A block with its header (RFC 8878, 3.1.1.2)."""
        if len(self._ahead) < 3:
            return None
        header = int.from_bytes(self._ahead[:3], "little")
        size = 1 if header >> 1 & 3 == 1 else header >> 3
        if header >> 3 > _ZSTD_BLOCK_BYTES:
            raise ValueError("a block is too large")
        block = self._take(3 + size)
        if block is not None and header & 1:
            self._step = self._trailer
            self.eof = not self._checksum
        return block

    def _trailer(self) -> bytes | None:
        checksum = self._take(4)
        self.eof = checksum is not None
        return checksum


def gzip_decoder() -> Decoder:
    """A stream in gzip's frame; zlib checks the CRC at its end."""
    return Inflate(31)


def bzip2_decoder() -> Decoder:
    """A stream in bzip2's format."""
    return BZ2Decompressor()


def xz_decoder() -> Decoder:
    """A stream in the .xz format."""
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=WINDOW_BYTES)


def unpacked(new: Callable[[], Decoder], read: Callable[[int], bytes], *, many: bool = False) -> Iterator[bytes]:
    """The bytes of a compressed stream, in pieces of at most PIECE_BYTES.

    With `many`, streams may follow each other, with zeros between and behind them, as gzip, xz and zstd write them.
    Raises ArchiveError if the stream is damaged, cut, or asks for more memory than WINDOW_BYTES.
    """
    rest = read(INPUT_BYTES)
    while True:
        decoder = new()
        data = rest
        while not decoder.eof:
            piece = _step(decoder, data)
            if piece:
                yield piece
            data = read(INPUT_BYTES) if decoder.needs_input and not decoder.eof else b""
            if decoder.needs_input and not decoder.eof and not data:
                raise damaged("a compressed stream ends in its middle")
        rest = decoder.unused_data.lstrip(b"\0")
        while many and not rest:
            more = read(INPUT_BYTES)
            if not more:
                return
            rest = more.lstrip(b"\0")
        if not many:
            return


def _step(decoder: Decoder, data: bytes) -> bytes:
    try:
        return decoder.decompress(data, PIECE_BYTES)
    except (MemoryError, *_FAULTS) as error:
        if isinstance(error, MemoryError) or "memory" in str(error).lower():
            raise too_much(f"it asks for more than {WINDOW_BYTES >> 20} MiB of memory") from error
        raise damaged(f"a compressed stream is not what it should be ({error})") from error
