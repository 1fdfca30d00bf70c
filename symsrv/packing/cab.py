"""Cabinets ([MS-CAB]): what symstore's compressed files are, and drivers' packages."""

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from symsrv.model.errors import ArchiveError
from symsrv.packing.base import PIECE_BYTES, Limits, Member
from symsrv.packing.cab_folder import Folder, blocks
from symsrv.packing.streams import Unpacked
from symsrv.packing.tally import Tally, damaged, too_much, unsupported

_MAGIC = b"MSCF\0\0\0\0"
_HEADER = struct.Struct("<4s5L2B5H")
_FOLDER = struct.Struct("<L2H")
_FILE = struct.Struct("<2L4H")
_PREVIOUS, _NEXT, _RESERVE = 1, 2, 4
_FROM_PREVIOUS, _TO_NEXT, _BOTH = 0xFFFD, 0xFFFE, 0xFFFF
_UTF8_NAME = 0x80
_NAME_BYTES = 257  # 256 and the NUL


class Cab:
    """Files that begin with MSCF; of a set of cabinets, what lies in this one alone."""

    name = "cab"

    def sniff(self, head: bytes) -> bool:
        """By the magic and the word of zeros behind it."""
        return head.startswith(_MAGIC)

    def members(self, path: Path, limits: Limits) -> Iterator[Member]:
        """In the order of the list of files. A folder is unpacked from its beginning, and all of it counts."""
        with path.open("rb") as file:
            reader = _Reader(file, Tally(limits, os.fstat(file.fileno()).st_size))
            place, count, folders = _head(file)
            if count > limits.members:
                raise too_much(f"it has more than {limits.members} members")
            continued = False
            for _ in range(count):
                file.seek(place)
                fixed = file.read(_FILE.size)
                name, nul, _ = file.read(_NAME_BYTES).partition(b"\0")
                if len(fixed) < _FILE.size or not nul:
                    raise damaged("the list of a cabinet's files is cut")
                place += _FILE.size + len(name) + 1
                size, offset, index, _, _, flags = _FILE.unpack(fixed)
                text = name.decode("utf-8" if flags & _UTF8_NAME else "cp1252", errors="replace").replace("\\", "/")
                continued = continued or index in (_FROM_PREVIOUS, _BOTH)
                problem = _problem(text, index, len(folders), continued)
                source = _Source(reader, index, folders[index], offset, size) if problem is None else None
                yield Member(text, size, problem, source.pieces if source else None)


def _problem(name: str, index: int, folders: int, continued: bool) -> ArchiveError | None:
    if index in (_FROM_PREVIOUS, _TO_NEXT, _BOTH) or (continued and index == 0):
        return unsupported(f"{name[:80]!r} is spread over several cabinets; unpack the set and add what was in it")
    if index >= folders:
        return damaged(f"{name[:80]!r} lies in a folder that the cabinet does not have")
    return None


def _head(file: BinaryIO) -> tuple[int, int, list[Folder]]:
    """Where the list of files is, how many they are, and the folders."""
    header = file.read(_HEADER.size)
    if len(header) < _HEADER.size or not header.startswith(_MAGIC):
        raise damaged("the header of a cabinet is cut")
    _, _, _, _, place, _, _, major, folder_count, count, flags, _, _ = _HEADER.unpack(header)
    if major != 1:
        raise unsupported(f"a cabinet of version {major}")
    reserves = (0, 0, 0)
    if flags & _RESERVE:
        sizes = file.read(4)
        if len(sizes) < 4:
            raise damaged("the header of a cabinet is cut")
        reserves = struct.unpack("<H2B", sizes)
        file.seek(reserves[0], 1)
    for flag in (_PREVIOUS, _NEXT):
        for _ in range(2 if flags & flag else 0):
            _skip_text(file)
    folders = []
    for _ in range(folder_count):
        entry = file.read(_FOLDER.size + reserves[1])
        if len(entry) < _FOLDER.size + reserves[1]:
            raise damaged("the list of a cabinet's folders is cut")
        start, block_count, method = _FOLDER.unpack_from(entry)
        folders.append(Folder(start, block_count, method, reserves[2]))
    return place, count, folders


def _skip_text(file: BinaryIO) -> None:
    place = file.tell()
    text, nul, _ = file.read(_NAME_BYTES).partition(b"\0")
    if not nul:
        raise damaged("the header of a cabinet is cut")
    file.seek(place + len(text) + 1)


class _Reader:
    """Reads in folders, from file to file without unpacking twice as long as they come in their order."""

    def __init__(self, file: BinaryIO, tally: Tally) -> None:
        self._file = file
        self._tally = tally
        self._index = -1
        self._place = 0
        self._stream = Unpacked(iter(()), tally)
        self._broken: dict[int, ArchiveError] = {}

    def pieces(self, index: int, folder: Folder, offset: int, size: int) -> Iterator[bytes]:
        """`size` bytes from `offset` on. A folder that is broken stays so: what follows needs what came before."""
        if index in self._broken:
            raise self._broken[index]
        try:
            if index != self._index or offset < self._place:
                self._index, self._place = index, 0
                self._stream = Unpacked(blocks(self._file, folder), self._tally)
            self._stream.skip(offset - self._place)
            self._place = offset
            while size:
                piece = self._stream.read(min(size, PIECE_BYTES))
                if not piece:
                    raise damaged("a folder of the cabinet ends in the middle of a file")
                size -= len(piece)
                self._place += len(piece)
                yield piece
        except ArchiveError as error:
            self._broken[index] = error
            self._index = -1
            raise


class _Source:
    """The bytes of one file."""

    def __init__(self, reader: _Reader, index: int, folder: Folder, offset: int, size: int) -> None:
        self._where = (index, folder, offset, size)
        self._reader = reader

    def pieces(self) -> Iterator[bytes]:
        """Its bytes; nothing but the checksums of blocks holds them."""
        return self._reader.pieces(*self._where)
