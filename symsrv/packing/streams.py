"""Streams that are read once, from the beginning to the end: a file, or what a compressed file holds."""

from collections.abc import Iterator
from typing import BinaryIO, Protocol

from symsrv.packing.base import PIECE_BYTES
from symsrv.packing.tally import Tally, damaged


class Stream(Protocol):
    """Bytes, one after the other."""

    def read(self, count: int) -> bytes:
        """The next bytes; fewer than `count` only at the end."""

    def skip(self, count: int) -> None:
        """Leaves bytes out; raises ArchiveError if there are fewer."""


class Plain:
    """A file as it lies there."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._left = size

    def read(self, count: int) -> bytes:
        """The next bytes, never more than the file had when it was opened."""
        data = self._file.read(min(count, self._left))
        self._left -= len(data)
        return data

    def skip(self, count: int) -> None:
        """Moves on without reading."""
        if count > self._left:
            raise damaged("it ends in the middle of a member")
        self._file.seek(count, 1)
        self._left -= count


class Unpacked:
    """Pieces that come out of a decompressor; each counts, whether somebody wants it or not."""

    def __init__(self, pieces: Iterator[bytes], tally: Tally) -> None:
        self._pieces = pieces
        self._tally = tally
        self._ahead = b""
        self._at = 0

    def peek(self, count: int) -> bytes:
        """The first bytes of what is ahead, without reading them."""
        data = self.read(count)
        self._ahead, self._at = data + self._ahead[self._at :], 0
        return data

    def read(self, count: int) -> bytes:
        """The next bytes."""
        parts = []
        while count > 0 and self._more():
            part = self._ahead[self._at : self._at + count]
            self._at += len(part)
            count -= len(part)
            parts.append(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def skip(self, count: int) -> None:
        """Unpacks and forgets."""
        while count > 0:
            if not self._more():
                raise damaged("it ends in the middle of a member")
            step = min(count, len(self._ahead) - self._at)
            self._at += step
            count -= step

    def rest(self) -> Iterator[bytes]:
        """All that is left, as it comes."""
        while self._more():
            piece = self._ahead[self._at :] if self._at else self._ahead
            self._at = len(self._ahead)
            yield piece

    def _more(self) -> bool:
        if self._at < len(self._ahead):
            return True
        self._ahead, self._at = next(self._pieces, b""), 0
        self._tally.add(len(self._ahead))
        return bool(self._ahead)


class Body:
    """The bytes of one member in a stream, `size` of them from where the stream is."""

    def __init__(self, stream: Stream, size: int) -> None:
        self._stream = stream
        self._left = size

    def pieces(self) -> Iterator[bytes]:
        """Its bytes; raises ArchiveError if the stream has fewer."""
        while self._left:
            piece = self._stream.read(min(self._left, PIECE_BYTES))
            if not piece:
                raise damaged("it ends in the middle of a member")
            self._left -= len(piece)
            yield piece

    def leave(self) -> None:
        """Moves the stream behind what was not read."""
        self._stream.skip(self._left)
        self._left = 0
