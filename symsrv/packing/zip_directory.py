"""The central directory of a zip file (PKWARE's APPNOTE 6.3), read entry by entry and never kept."""

import os
import struct
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from symsrv.packing.base import Limits
from symsrv.packing.tally import Count, damaged, too_much, unsupported

LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_COMMENT_BYTES = 0xFFFF
_ENTRY_BYTES = 4096  # of directory for each member that the limits allow: a long name with its fields
_NONE16, _NONE32 = 0xFFFF, 0xFFFFFFFF
_ZIP64_FIELD = 1
_UTF8_FLAG = 0x800


@dataclass(frozen=True, slots=True)
class Entry:
    """What the directory says of one member."""

    name: str
    flags: int
    method: int
    crc: int
    packed_size: int
    size: int
    offset: int
    mode: int
    """The Unix mode, 0 if the archive was made elsewhere."""


class Directory:
    """The central directory of an open file.

    Raises ArchiveError if it is damaged, too large for the limits, or if two members share bytes: the better zip
    bomb (Fifield, WOOT 2019) lets thousands of members overlap, which no writer does.
    """

    def __init__(self, file: BinaryIO, limits: Limits) -> None:
        self._file = file
        self._size = os.fstat(file.fileno()).st_size
        self._start, self._length, self._base, declared = self._find_end()
        if declared > limits.members:
            raise too_much(f"it has more than {limits.members} members")
        if self._length > _ENTRY_BYTES * (limits.members + 16):
            raise too_much(f"a directory of {self._length} bytes")
        self._starts = self._check_places(limits, declared)

    def entries(self) -> Iterator[Entry]:
        """The entries in their order; the file may be read elsewhere in between."""
        at, end = self._start, self._start + self._length
        while at < end:
            self._file.seek(at)
            fixed = self._file.read(_CENTRAL.size)
            if len(fixed) < _CENTRAL.size or at + _CENTRAL.size > end or not fixed.startswith(b"PK\1\2"):
                raise damaged("its directory ends in the middle of an entry")
            (
                _,
                made_by,
                _,
                flags,
                method,
                _,
                _,
                crc,
                packed,
                size,
                names,
                extras,
                comments,
                disk,
                _,
                attributes,
                offset,
            ) = _CENTRAL.unpack(fixed)
            at += _CENTRAL.size + names + extras + comments
            if at > end:
                raise damaged("its directory ends in the middle of an entry")
            name, extra = self._file.read(names), self._file.read(extras)
            size, packed, offset, disk = _wide(extra, size, packed, offset, disk)
            if disk:
                raise unsupported("a zip file in several parts; join them")
            yield Entry(
                name=name.decode("utf-8" if flags & _UTF8_FLAG else "cp437", errors="replace").replace("\\", "/"),
                flags=flags,
                method=method,
                crc=crc,
                packed_size=packed,
                size=size,
                offset=offset + self._base,
                mode=attributes >> 16 if made_by >> 8 in (3, 19) else 0,  # Unix, and macOS's own zip
            )

    def room(self, entry: Entry) -> int:
        """How many bytes lie between a member's start and the next thing in the file."""
        following = bisect_right(self._starts, entry.offset)
        return (self._starts[following] if following < len(self._starts) else self._start) - entry.offset

    def _check_places(self, limits: Limits, declared: int) -> "array[int]":
        """Where the members begin, sorted."""
        count, found = Count(limits), []
        for entry in self.entries():
            count.add()
            found.append((entry.offset, entry.packed_size))
        if len(found) & _NONE16 != declared & _NONE16:  # writers without zip64 let the count wrap
            raise damaged("its directory has another number of entries than it says")
        found.sort()
        end = 0
        for offset, packed in found:
            if offset < end:
                raise damaged("members share bytes with each other, as in a bomb")
            end = offset + LOCAL.size + packed
        if end > self._start or (found and found[0][0] < 0):
            raise damaged("a member lies outside of the file")
        return array("Q", (offset for offset, _ in found))

    def _find_end(self) -> tuple[int, int, int, int]:
        """Start and length of the directory, what is to be added to its offsets, and the number of entries."""
        start = max(0, self._size - _END.size - _COMMENT_BYTES)
        self._file.seek(start)
        tail = self._file.read(_END.size + _COMMENT_BYTES)
        at = _last_end(tail)
        _, disk, first_disk, here, count, length, offset, _ = _END.unpack_from(tail, at)
        end = start + at
        if end >= _LOCATOR.size and (_NONE16 in (disk, first_disk, here, count) or _NONE32 in (length, offset)):
            self._file.seek(end - _LOCATOR.size)
            magic, _, place, _ = _LOCATOR.unpack(self._file.read(_LOCATOR.size))
            if magic == b"PK\6\7":
                end, (disk, first_disk, here, count, length, offset) = self._end64(place, end - _LOCATOR.size)
        if disk or first_disk or here != count:
            raise unsupported("a zip file in several parts; join them")
        base = end - length - offset
        if base < 0:
            raise damaged("its directory lies outside of the file")
        return end - length, length, base, count

    def _end64(self, place: int, locator: int) -> tuple[int, tuple[int, ...]]:
        """The wide record of the end: at its stated place, or before its locator if something stands before the zip."""
        for at in (place, locator - _END64.size):
            if 0 <= at <= self._size - _END64.size:
                self._file.seek(at)
                fields = _END64.unpack(self._file.read(_END64.size))
                if fields[0] == b"PK\6\6":
                    return at, fields[4:]
        raise damaged("its end says zip64, and there is none")


def _last_end(tail: bytes) -> int:
    """The record whose comment ends with the file; else the last that fits, for files with something behind."""
    fitting, at = -1, len(tail)
    while (at := tail.rfind(b"PK\5\6", 0, at + 3 if at else 0)) >= 0:
        if at + _END.size <= len(tail):
            stop = at + _END.size + int.from_bytes(tail[at + 20 : at + 22], "little")
            if stop == len(tail):
                return at
            fitting = at if fitting < 0 and stop < len(tail) else fitting
    if fitting < 0:
        raise damaged("it ends without a directory; it may be cut")
    return fitting


def _wide(extra: bytes, size: int, packed: int, offset: int, disk: int) -> tuple[int, int, int, int]:
    """Numbers that did not fit, from the zip64 field (APPNOTE 4.5.3): only those, in this order."""
    if _NONE32 not in (size, packed, offset) and disk != _NONE16:
        return size, packed, offset, disk
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        if kind == _ZIP64_FIELD:
            field, taken, numbers = extra[at + 4 : at + 4 + length], 0, []
            for number, none, width in (
                (size, _NONE32, 8),
                (packed, _NONE32, 8),
                (offset, _NONE32, 8),
                (disk, _NONE16, 4),
            ):
                if number == none and taken + width <= len(field):
                    number = int.from_bytes(field[taken : taken + width], "little")
                    taken += width
                numbers.append(number)
            return numbers[0], numbers[1], numbers[2], numbers[3]
        at += 4 + length
    return size, packed, offset, disk
