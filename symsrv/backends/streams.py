"""A stream over a part of another stream."""

import io
from typing import BinaryIO


class Span(io.RawIOBase):
    """Reads at most `length` bytes from another stream, which it closes with itself."""

    def __init__(self, source: BinaryIO, length: int) -> None:
        super().__init__()
        self._source = source
        self._left = length

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        """Reads into the buffer, no further than the span's end."""
        data = self._source.read(min(len(buffer), self._left))
        self._left -= len(data)
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Closes the stream and its source."""
        if not self.closed:
            super().close()
            self._source.close()
