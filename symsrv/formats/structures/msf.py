"""MSF, the container of PDB files: pages, and streams of pages, read by random access and never as a whole.

Rules: the headers of microsoft-pdb and pdb-rs (`msf.md`). The directory, itself spread over pages, is

    u32 stream count, u32 size of each stream, u32 page numbers of each stream in turn

In MSF 7.00, an array of page numbers in page 0, the page map, leads to the pages of the directory map, which lead to
the pages of the directory. In the small MSF of PDB 2.0 the array leads to the pages of the directory straight, the
stream count and all page numbers are u16, and a u32 without meaning follows each size.

A directory of a large PDB is megabytes, so only the numbers that are asked for are read of it.
"""

import struct
from typing import Protocol

from symsrv.formats.base import Reader
from symsrv.model.errors import NotIdentified

MAGIC = b"Microsoft C/C++ MSF 7.00\r\n\x1aDS\0\0\0"
SMALL_MAGIC = b"Microsoft C/C++ program database 2.00\r\n\x1aJG\0\0"
NIL = 0xFFFFFFFF  # the size of a stream that does not exist
SMALLEST_PAGE, LARGEST_PAGE = 512, 65536
STREAMS_LIMIT = 1 << 16  # Microsoft's readers have 16 bits for the number of a stream

_HEADER = struct.Struct("<32s6I")
_SMALL_HEADER = struct.Struct("<44sI2H2I")
_MAP_AT = 52  # the page map's array begins here in page 0
_CACHED_NUMBERS = 16
_RUN = 1024  # sizes read at a time on the way to a stream behind the first four


class Streams(Protocol):
    """What every container of a PDB gives, whatever its bytes are stored as. Every failure is a NotIdentified."""

    def size(self, stream: int) -> int:
        """The size of a stream; 0 if it is nil or there is none."""

    def read(self, stream: int, offset: int, size: int) -> bytes:
        """At most `size` bytes of a stream from `offset`, fewer at its end."""


def _pages(size: int, page_size: int) -> int:
    """How many pages hold `size` bytes; a nil stream has none."""
    return 0 if size == NIL else -(-size // page_size)


class _Paged:
    """What both versions share; they say where the directory lies and how wide its numbers are."""

    _size_record: struct.Struct
    _number_code: str
    _number_bytes: int

    def __init__(self, data: Reader, page_size: int, page_count: int, directory_size: int) -> None:
        if not SMALLEST_PAGE <= page_size <= LARGEST_PAGE or page_size & (page_size - 1):
            raise NotIdentified("malformed", f"{page_size} bytes is no page size of an MSF container")
        self.page_size = page_size
        self.page_count = page_count
        self.directory_size = directory_size
        self._data = data
        self._far: dict[int, tuple[int, int]] = {}

    def _open(self) -> None:
        """Reads the stream count and the first four sizes, which is all that most callers need."""
        width = self._size_record.size
        head = self._directory(0, min(self.directory_size, 4 + 4 * width))
        self.stream_count = int.from_bytes(head[: self._number_bytes], "little")
        if 4 + width * self.stream_count > self.directory_size:
            raise NotIdentified("malformed", f"{self.stream_count} streams do not fit the directory")
        known = min(self.stream_count, (len(head) - 4) // width)
        self._sizes = tuple(size for (size,) in self._size_record.iter_unpack(head[4 : 4 + known * width]))

    def size(self, stream: int) -> int:
        """The size of a stream; 0 if it is nil or there is none. Only the first four are known without reading."""
        size = self._sizes[stream] if stream < len(self._sizes) else self._located(stream)[0]
        return 0 if size == NIL else size

    def read(self, stream: int, offset: int, size: int) -> bytes:
        """At most `size` bytes of a stream from `offset`, fewer at its end."""
        size = max(0, min(size, self.size(stream) - offset))
        if not size:
            return b""
        first, last = offset // self.page_size, (offset + size - 1) // self.page_size
        if stream < len(self._sizes):
            before = sum(_pages(one, self.page_size) for one in self._sizes[:stream])
        else:
            before = self._located(stream)[1]
        width = self._number_bytes
        at = 4 + self._size_record.size * self.stream_count + width * (before + first)
        numbers = self._directory(at, width * (last - first + 1))
        return self._gather(struct.unpack(f"<{last - first + 1}{self._number_code}", numbers), offset, size)

    def _located(self, stream: int) -> tuple[int, int]:
        """The size of a stream behind the first four, and how many pages the streams before it have."""
        if stream >= min(self.stream_count, STREAMS_LIMIT):
            return NIL, 0
        if stream not in self._far:
            width, before, size = self._size_record.size, 0, NIL
            for first in range(0, stream + 1, _RUN):
                run = self._directory(4 + width * first, width * min(_RUN, stream + 1 - first))
                for (one,) in self._size_record.iter_unpack(run):
                    before, size = before + _pages(one, self.page_size), one
            self._far[stream] = size, before - _pages(size, self.page_size)
        return self._far[stream]

    def _directory(self, offset: int, size: int) -> bytes:
        """Bytes of the directory."""
        if offset + size > self.directory_size:
            raise NotIdentified("malformed", "its streams have more pages than the directory lists")
        first, last = offset // self.page_size, (offset + size - 1) // self.page_size
        if first == last:
            return self._page(self._directory_page(first), offset % self.page_size, size)
        numbers = tuple(self._directory_page(index) for index in range(first, last + 1))
        return self._gather(numbers, offset, size)

    def _directory_page(self, index: int) -> int:
        """The number of one page of the directory."""
        raise NotImplementedError

    def _gather(self, numbers: tuple[int, ...], offset: int, size: int) -> bytes:
        """`size` bytes that lie on these pages, the first of which has the byte at `offset`."""
        within = offset % self.page_size
        if len(numbers) == 1:
            return self._page(numbers[0], within, size)
        pieces = []
        for number in numbers:
            length = min(size, self.page_size - within)
            pieces.append(self._page(number, within, length))
            size, within = size - length, 0
        return b"".join(pieces)

    def _page(self, number: int, within: int, size: int) -> bytes:
        """Bytes of one page. Page 0 is the header; nothing else lies there."""
        if not 0 < number < self.page_count:
            raise NotIdentified("malformed", f"it refers to page {number} of {self.page_count}")
        return self._data.at(number * self.page_size + within, size)


class Msf(_Paged):
    """An open MSF 7.00 container. Every failure is a NotIdentified."""

    _size_record = struct.Struct("<I")
    _number_code, _number_bytes = "I", 4

    def __init__(self, data: Reader) -> None:
        magic, size, _, page_count, directory_size, _, _ = _HEADER.unpack(data.at(0, _HEADER.size))
        if magic != MAGIC:
            raise NotIdentified("unknown-format", "it is not an MSF 7.00 container")
        super().__init__(data, size, page_count, directory_size)
        map_pages = _pages(4 * _pages(directory_size, size), size)
        if not 4 <= directory_size < NIL or _MAP_AT + 4 * map_pages > size:
            raise NotIdentified("malformed", f"a directory of {directory_size} bytes does not fit its page map")
        self._map: dict[int, tuple[int, ...]] = {}
        self._open()

    def _directory_page(self, index: int) -> int:
        """By way of the page map; read in small runs and kept."""
        run, within = divmod(index, _CACHED_NUMBERS)
        numbers = self._map.get(run)
        if numbers is None:
            map_page, at = divmod(4 * _CACHED_NUMBERS * run, self.page_size)
            left = _pages(self.directory_size, self.page_size) - _CACHED_NUMBERS * run
            count = min(_CACHED_NUMBERS, left)
            page = int.from_bytes(self._data.at(_MAP_AT + 4 * map_page, 4), "little")
            numbers = struct.unpack(f"<{count}I", self._page(page, at, 4 * count))
            self._map[run] = numbers
        return numbers[within]


class SmallMsf(_Paged):
    """An open small MSF container, that of PDB 2.0. Every failure is a NotIdentified."""

    _size_record = struct.Struct("<I4x")
    _number_code, _number_bytes = "H", 2

    def __init__(self, data: Reader) -> None:
        magic, size, _, page_count, directory_size, _ = _SMALL_HEADER.unpack(data.at(0, _SMALL_HEADER.size))
        if magic != SMALL_MAGIC:
            raise NotIdentified("unknown-format", "it is not the MSF container of a PDB 2.0")
        super().__init__(data, size, page_count, directory_size)
        if not 4 <= directory_size < NIL or _SMALL_HEADER.size + 2 * _pages(directory_size, size) > size:
            raise NotIdentified("malformed", f"a directory of {directory_size} bytes does not fit page 0")
        self._open()

    def _directory_page(self, index: int) -> int:
        """Listed behind the header."""
        return int.from_bytes(self._data.at(_SMALL_HEADER.size + 2 * index, 2), "little")
