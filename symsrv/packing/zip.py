"""Zip files, whatever their ending: nupkg, snupkg, apk, whl.

Read by own code: the standard library keeps the whole directory, allows members to overlap, and unpacks bzip2 and lzma
without a bound.
"""

import lzma
import stat
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from symsrv.model.errors import ArchiveError
from symsrv.packing.base import PIECE_BYTES, Limits, Member
from symsrv.packing.decoders import WINDOW_BYTES, Decoder, Inflate, Unzstd, bzip2_decoder, unpacked, xz_decoder
from symsrv.packing.tally import damaged, too_much, unsupported
from symsrv.packing.zip_directory import LOCAL, Directory, Entry

_ENCRYPTED = 0x2041  # bits 0, 6 (strong) and 13 (the directory too)
_STORED, _LZMA = 0, 14
_METHODS: dict[int, Callable[[], Decoder]] = {
    8: lambda: Inflate(-zlib.MAX_WBITS),
    12: bzip2_decoder,
    93: Unzstd,
    95: xz_decoder,
}
_NAMES = {9: "deflate64", 98: "PPMd", 99: "AES", 6: "implode", 1: "shrink"}


class Zip:
    """Files that begin with a member, or are an empty zip. A program with a zip behind it is a program."""

    name = "zip"

    def sniff(self, head: bytes) -> bool:
        """By the first record: a member, the end of an empty archive, or the mark of a split one."""
        return head.startswith((b"PK\3\4", b"PK\5\6", b"PK\7\x08PK\3\4", b"PK00PK\3\4"))

    def members(self, path: Path, limits: Limits) -> Iterator[Member]:
        """In the directory's order, which is what counts; what lies between the members does not."""
        with path.open("rb") as file:
            directory = Directory(file, limits)
            for entry in directory.entries():
                problem = _problem(entry)
                folder = stat.S_ISDIR(entry.mode) or entry.name.endswith("/")
                if not folder:
                    yield Member(entry.name, entry.size, problem, _Source(file, directory, entry).pieces)


def _problem(entry: Entry) -> ArchiveError | None:
    kind = stat.S_IFMT(entry.mode)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        what = "a symbolic link" if kind == stat.S_IFLNK else "no file"
        return ArchiveError("not-a-file", f"{entry.name[:80]!r} is {what} in the archive; add the file")
    if entry.flags & _ENCRYPTED:
        return ArchiveError("archive-encrypted", f"{entry.name[:80]!r} is encrypted; unpack it and add what was in it")
    if entry.method not in (_STORED, _LZMA, *_METHODS):
        method = _NAMES.get(entry.method, f"method {entry.method}")
        return unsupported(f"{entry.name[:80]!r} is compressed by {method}; pack it with deflate")
    return None


class _Source:
    """The bytes of one member."""

    def __init__(self, file: BinaryIO, directory: Directory, entry: Entry) -> None:
        self._file = file
        self._directory = directory
        self._entry = entry
        self._left = entry.packed_size

    def pieces(self) -> Iterator[bytes]:
        """Never more than the directory says; the size and the CRC must agree at the end."""
        entry = self._entry
        self._find()
        size, crc = 0, 0
        for piece in self._unpacked():
            size += len(piece)
            if size > entry.size:
                break
            crc = zlib.crc32(piece, crc)
            yield piece
        if size != entry.size:
            raise damaged(f"{entry.name[:80]!r} has another size than the directory says")
        if crc != entry.crc:
            raise damaged(f"the checksum of {entry.name[:80]!r} is wrong")

    def _find(self) -> None:
        """Moves to the data, behind the member's own header, whose name and fields may have other lengths."""
        entry = self._entry
        self._file.seek(entry.offset)
        header = self._file.read(LOCAL.size)
        if len(header) < LOCAL.size or not header.startswith(b"PK\3\4"):
            raise damaged(f"{entry.name[:80]!r} is not where the directory says")
        fields = LOCAL.unpack(header)
        before = LOCAL.size + fields[9] + fields[10]
        if before + entry.packed_size > self._directory.room(entry):
            raise damaged("members share bytes with each other, as in a bomb")
        self._file.seek(fields[9] + fields[10], 1)

    def _read(self, count: int) -> bytes:
        data = self._file.read(min(count, self._left))
        self._left -= len(data)
        return data

    def _unpacked(self) -> Iterator[bytes]:
        method = self._entry.method
        if method == _STORED:
            return iter(lambda: self._read(PIECE_BYTES), b"")
        return unpacked(self._lzma() if method == _LZMA else _METHODS[method], self._read)

    def _lzma(self) -> Callable[[], Decoder]:
        """The raw stream behind a version, a length and the five bytes of properties (APPNOTE 5.8.8)."""
        head = self._read(9)
        if len(head) < 9 or head[2:4] != b"\5\0" or head[4] >= 9 * 5 * 5:
            raise damaged("the properties of an lzma stream are wrong")
        (dictionary,) = struct.unpack_from("<L", head, 5)
        if dictionary > WINDOW_BYTES:
            raise too_much(f"it asks for more than {WINDOW_BYTES >> 20} MiB of memory")
        rest, lc = divmod(head[4], 9)
        pb, lp = divmod(rest, 5)
        chain = [{"id": lzma.FILTER_LZMA1, "dict_size": dictionary, "lc": lc, "lp": lp, "pb": pb}]
        return lambda: lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=chain)
