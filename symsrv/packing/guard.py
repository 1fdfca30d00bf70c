"""What holds for the members of every kind of archive: limits, names, and that only ArchiveError comes out."""

import lzma
import re
import struct
import unicodedata
import zlib
from collections.abc import Iterator
from typing import TypeVar

import zstandard

from symsrv.model.errors import ArchiveError
from symsrv.packing.base import Limits, Member
from symsrv.packing.tally import Count, Tally, damaged, too_much

_T = TypeVar("_T")
_DRIVE = re.compile(r"[A-Za-z]:")
_FAULTS = (
    zlib.error,
    lzma.LZMAError,
    zstandard.ZstdError,
    struct.error,
    EOFError,
    ValueError,
    LookupError,
    ArithmeticError,
    RuntimeError,
)


def guarded(inner: Iterator[Member], limits: Limits, archive_bytes: int) -> Iterator[Member]:
    """The members of one archive of `archive_bytes`, counted, with their names looked at."""
    count, tally = Count(limits), Tally(limits, archive_bytes)
    while (member := _next(inner)) is not None:
        count.add()
        present = _Guarded(member, limits, tally)
        yield present
        present.leave()


class _Guarded(Member):
    """A member whose bytes are counted."""

    def __init__(self, inner: Member, limits: Limits, tally: Tally) -> None:
        super().__init__(inner.name, inner.size, inner.problem or _bad_name(inner.name))
        self._inner = inner
        self._limits = limits
        self._tally = tally
        self._read = False
        self._left = False
        self._beyond: ArchiveError | None = None

    def pieces(self) -> Iterator[bytes]:
        """Its bytes, until the next member is taken."""
        if self.problem is not None:
            raise self.problem
        if self._read or self._left:
            raise _misused()
        self._read = True
        return self._counted()

    def leave(self) -> None:
        """Ends the reading; raises the limit that was met."""
        self._left = True
        if self._beyond is not None:
            raise self._beyond

    def _counted(self) -> Iterator[bytes]:
        try:
            self._admit(self.size or 0)
            inner, size = self._inner.pieces(), 0
            while (piece := None if self._left else _next(inner)) is not None:
                size += len(piece)
                self._admit(size)
                self._tally.add(len(piece))
                yield piece
        except ArchiveError as error:
            self._beyond = error if error.reason == "archive-limit" else None
            raise
        if self._left:
            raise _misused()

    def _admit(self, size: int) -> None:
        if size > self._limits.member_bytes:
            raise too_much(f"{self.name[:80]!r} has more than {self._limits.member_bytes} bytes")


def _misused() -> ValueError:
    return ValueError("a member is read once, before the next is taken")


def _next(inner: Iterator[_T]) -> _T | None:
    """The next of it, or None at the end; a library's error becomes an ArchiveError."""
    try:
        return next(inner, None)
    except MemoryError as error:
        raise too_much("there is not enough memory for it") from error
    except _FAULTS as error:
        raise damaged(f"{type(error).__name__}: {error}") from error


def _bad_name(name: str) -> ArchiveError | None:
    """Names that lead out of the folder they would be unpacked into, here or on Windows."""
    slashed = name.replace("\\", "/")
    if not slashed.strip("/"):
        why = "it is empty"
    elif slashed.startswith("/") or _DRIVE.match(slashed):
        why = "it is absolute"
    elif ".." in slashed.split("/"):
        why = "it climbs with '..'"
    elif any(unicodedata.category(one) in ("Cc", "Cs") for one in slashed):
        why = "it has a control character"
    else:
        return None
    return ArchiveError("bad-name", f"the archive's member {name[:80]!r} is left out: {why}")
