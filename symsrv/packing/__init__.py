"""Packing: what is inside of archives. A new kind of archive is a file here and a line in `ARCHIVES`."""

from collections.abc import Iterator
from pathlib import Path

from symsrv.model.errors import ArchiveError
from symsrv.packing.base import HEAD_BYTES, Archive, Limits, Member

ARCHIVES: tuple[Archive, ...] = ()

__all__ = ["ARCHIVES", "HEAD_BYTES", "ArchiveError", "Limits", "Member", "kind_of", "members"]


def kind_of(head: bytes) -> Archive | None:
    """The kind of archive that a file's first HEAD_BYTES look like, or None."""
    return next((one for one in ARCHIVES if one.sniff(head)), None)


def members(path: Path, limits: Limits | None = None) -> Iterator[Member]:
    """The members of an archive within limits; see `Archive.members` and `Member` for the rules.

    A member whose name is absolute, has a drive letter or climbs with `..` has a problem of reason `bad-name`.
    """
    raise NotImplementedError
