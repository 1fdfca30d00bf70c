"""What a format is, and the reader through which it looks at a file: bounded, and nothing else to hold on to."""

import os
from collections.abc import Iterable
from typing import Protocol

from symsrv.model.errors import NotIdentified
from symsrv.model.identity import Identity

HEAD_BYTES = 64
FRONT_BYTES = 2048  # read once and kept: the headers of most files are in it
_HAS_PREAD = hasattr(os, "pread")
READ_BUDGET_BYTES = 1 << 20  # hostile files end here; ordinary ones stay below 64 KiB


class Reader:
    """Reads a file in pieces, and stops a parser that would read more than its budget.

    Every failure is a NotIdentified, so that a format needs no error handling of its own.
    """

    def __init__(self, size: int, budget: int = READ_BUDGET_BYTES) -> None:
        self.size = size
        self.budget = budget
        self.bytes_read = 0
        self._front = b""

    def at(self, offset: int, size: int) -> bytes:
        """Returns exactly `size` bytes from `offset`; raises NotIdentified(`truncated` or `too-complex`)."""
        end = offset + size
        if end > len(self._front) or offset < 0 or size < 0:
            if offset < 0 or size < 0 or end > self.size:
                raise NotIdentified("truncated", f"the file ends at {self.size} bytes, its headers point to {end}")
            front = min(FRONT_BYTES, self.size, self.budget)
            if self._front or end > front:
                return self._read(offset, size)
            self._front = self._read(0, front)
        return self._front[offset:end]

    def _read(self, offset: int, size: int) -> bytes:
        self.bytes_read += size
        if self.bytes_read > self.budget:
            raise NotIdentified("too-complex", f"identifying this file would read more than {self.budget} bytes of it")
        data = self._fetch(offset, size)
        if len(data) != size:
            raise NotIdentified("truncated", "the file became shorter while it was read")
        return data

    def up_to(self, offset: int, size: int) -> bytes:
        """Returns at most `size` bytes from `offset`, fewer at the end of the file."""
        return self.at(offset, max(0, min(size, self.size - offset)))

    def _fetch(self, offset: int, size: int) -> bytes:
        raise NotImplementedError


class BytesReader(Reader):
    """Reads from memory."""

    def __init__(self, data: bytes, budget: int = READ_BUDGET_BYTES) -> None:
        super().__init__(len(data), budget)
        self._data = data

    def _fetch(self, offset: int, size: int) -> bytes:
        return self._data[offset : offset + size]


class FileReader(Reader):
    """Reads from an open file, by its descriptor; the caller closes it."""

    def __init__(self, descriptor: int, budget: int = READ_BUDGET_BYTES) -> None:
        super().__init__(os.fstat(descriptor).st_size, budget)
        self._descriptor = descriptor

    def _fetch(self, offset: int, size: int) -> bytes:
        if _HAS_PREAD:
            return os.pread(self._descriptor, size, offset)
        os.lseek(self._descriptor, offset, os.SEEK_SET)  # Windows has no pread; readers are not shared
        return os.read(self._descriptor, size)


class Format(Protocol):
    """One kind of file."""

    name: str
    """A word, as `identify --json` prints it: `pe`, `pdb`, `elf`."""

    def sniff(self, head: bytes) -> bool:
        """Whether the first HEAD_BYTES (fewer for a shorter file) look like this format. Never raises."""

    def identify(self, data: Reader, name: str) -> Iterable[Identity]:
        """What the file is; `name` is its checked base name.

        Reads only through `data`. Raises NotIdentified with a reason word, and nothing else. Time and memory
        are bounded by the reader's budget, never by numbers found in the file.
        """
