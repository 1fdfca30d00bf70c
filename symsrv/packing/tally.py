"""How many bytes have come out of an archive, held against its limits."""

from symsrv.model.errors import ArchiveError
from symsrv.packing.base import Limits


class Tally:
    """Counts bytes; raises ArchiveError(`archive-limit`) when there are too many for an archive of this size."""

    def __init__(self, limits: Limits, archive_bytes: int) -> None:
        self._limits = limits
        self._archive_bytes = archive_bytes
        self._bytes = 0

    def add(self, count: int) -> None:
        """Counts more bytes."""
        self._bytes += count
        if self._bytes > self._limits.total_bytes:
            raise too_much(f"more than {self._limits.total_bytes} bytes come out of it")
        if self._bytes > max(self._limits.free_bytes, self._limits.ratio * self._archive_bytes):
            raise too_much(f"more than {self._limits.ratio} bytes come out for each of its own")


class Count:
    """Counts members; raises ArchiveError(`archive-limit`) when there are too many."""

    def __init__(self, limits: Limits) -> None:
        self._most = limits.members
        self._members = 0

    def add(self) -> None:
        """Counts one more member."""
        self._members += 1
        if self._members > self._most:
            raise too_much(f"it has more than {self._most} members")


def too_much(why: str) -> ArchiveError:
    """The error for an archive beyond its limits."""
    return ArchiveError("archive-limit", f"the archive is beyond the limits: {why}; raise them if it can be trusted")


def damaged(why: str) -> ArchiveError:
    """The error for an archive whose bytes contradict each other, or end too early."""
    return ArchiveError("archive-damaged", f"the archive is damaged: {why}")


def unsupported(why: str) -> ArchiveError:
    """The error for what symsrv does not know."""
    return ArchiveError("archive-unsupported", f"symsrv cannot unpack this: {why}")
