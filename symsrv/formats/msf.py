"""MSF, the container of PDB files: pages, and streams of pages, read by random access and never as a whole.

Rules: the big MSF header of microsoft-pdb and pdb-rs (`msf.md`). A page map, an array of page numbers in page 0,
leads to the pages of the directory map, which lead to the pages of the directory, which is

    u32 stream count, u32 size of each stream, u32 page numbers of each stream in turn

A directory of a large PDB is megabytes, so only the numbers that are asked for are read of it.
"""

import struct

from symsrv.formats.base import Reader
from symsrv.model.errors import NotIdentified

MAGIC = b"Microsoft C/C++ MSF 7.00\r\n\x1aDS\0\0\0"
NIL = 0xFFFFFFFF  # the size of a stream that does not exist
SMALLEST_PAGE, LARGEST_PAGE = 512, 65536

_HEADER = struct.Struct("<32s6I")
_MAP_AT = 52  # the page map's array begins here in page 0
_CACHED_NUMBERS = 16


def _pages(size: int, page_size: int) -> int:
    """How many pages hold `size` bytes; a nil stream has none."""
    return 0 if size == NIL else -(-size // page_size)


class Msf:
    """An open MSF container. Every failure is a NotIdentified."""

    def __init__(self, data: Reader) -> None:
        magic, self.page_size, _, self.page_count, self.directory_size, _, _ = _HEADER.unpack(data.at(0, _HEADER.size))
        if magic != MAGIC:
            raise NotIdentified("unknown-format", "it is not an MSF 7.00 container")
        size = self.page_size
        if not SMALLEST_PAGE <= size <= LARGEST_PAGE or size & (size - 1):
            raise NotIdentified("malformed", f"{size} bytes is no page size of an MSF container")
        map_pages = _pages(4 * _pages(self.directory_size, size), size)
        if not 4 <= self.directory_size < NIL or _MAP_AT + 4 * map_pages > size:
            raise NotIdentified("malformed", f"a directory of {self.directory_size} bytes does not fit its page map")
        self._data = data
        self._map: dict[int, tuple[int, ...]] = {}
        head = self._directory(0, min(self.directory_size, 20))
        self.stream_count = int.from_bytes(head[:4], "little")
        if 4 + 4 * self.stream_count > self.directory_size:
            raise NotIdentified("malformed", f"{self.stream_count} streams do not fit the directory")
        known = min(self.stream_count, len(head) // 4 - 1)
        self._sizes = struct.unpack_from(f"<{known}I", head, 4)

    def size(self, stream: int) -> int:
        """The size of one of the first four streams; 0 if it is nil or there is none."""
        size = self._sizes[stream] if stream < len(self._sizes) else NIL
        return 0 if size == NIL else size

    def read(self, stream: int, offset: int, size: int) -> bytes:
        """At most `size` bytes of one of the first four streams from `offset`, fewer at its end."""
        size = max(0, min(size, self.size(stream) - offset))
        if not size:
            return b""
        first, last = offset // self.page_size, (offset + size - 1) // self.page_size
        before = sum(_pages(one, self.page_size) for one in self._sizes[:stream])
        at = 4 + 4 * self.stream_count + 4 * (before + first)
        numbers = struct.unpack(f"<{last - first + 1}I", self._directory(at, 4 * (last - first + 1)))
        return self._gather(numbers, offset % self.page_size, size)

    def _directory(self, offset: int, size: int) -> bytes:
        """Bytes of the directory."""
        if offset + size > self.directory_size:
            raise NotIdentified("malformed", "its streams have more pages than the directory lists")
        first, last = offset // self.page_size, (offset + size - 1) // self.page_size
        if first == last:
            return self._page(self._directory_page(first), offset % self.page_size, size)
        numbers = tuple(self._directory_page(index) for index in range(first, last + 1))
        return self._gather(numbers, offset % self.page_size, size)

    def _directory_page(self, index: int) -> int:
        """The number of one page of the directory, by way of the page map; read in small runs and kept."""
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

    def _gather(self, numbers: tuple[int, ...], within: int, size: int) -> bytes:
        """`size` bytes that lie on these pages, from `within` the first one."""
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
