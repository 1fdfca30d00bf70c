"""Packing: what is inside of archives. A new kind of archive is a file here and a line in `ARCHIVES`."""

from collections.abc import Iterator
from pathlib import Path

from symsrv.model.errors import ArchiveError
from symsrv.packing.base import HEAD_BYTES, Archive, Limits, Member
from symsrv.packing.cab import Cab
from symsrv.packing.cab_writing import CAB_BYTES, write_cab
from symsrv.packing.compressed import Compressed
from symsrv.packing.guard import guarded
from symsrv.packing.tar import Tar
from symsrv.packing.zip import Zip

ARCHIVES: tuple[Archive, ...] = (
    Zip(),
    Cab(),
    Compressed(),
    Tar(),
)

__all__ = ["ARCHIVES", "CAB_BYTES", "HEAD_BYTES", "ArchiveError", "Limits", "Member", "kind_of", "members", "write_cab"]


def kind_of(head: bytes) -> Archive | None:
    """The kind of archive that a file's first HEAD_BYTES look like, or None."""
    return next((one for one in ARCHIVES if one.sniff(head)), None)


def members(path: Path, limits: Limits | None = None) -> Iterator[Member]:
    """The members of an archive within limits; see `Archive.members` and `Member` for the rules.

    A member whose name is absolute, has a drive letter or climbs with `..` has a problem of reason `bad-name`.
    What is beyond the limits while a member's pieces are read ends the archive: the same error comes again when the
    next member is asked for. A file that is no archive is refused as `archive-unsupported`.
    """
    limits = limits or Limits()
    with path.open("rb") as file:
        kind = kind_of(file.read(HEAD_BYTES))
        size = file.seek(0, 2)
    if kind is None:
        raise ArchiveError("archive-unsupported", f"{path.name} is no archive that symsrv knows")
    return guarded(kind.members(path, limits), limits, size)
