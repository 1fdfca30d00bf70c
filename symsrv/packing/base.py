"""What an archive is: members one after the other, each read once as a stream, none ever held in memory."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from symsrv.model.errors import ArchiveError

HEAD_BYTES = 512  # tar's magic lies at 257
PIECE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one archive may come to; beyond it ArchiveError(`archive-limit`) ends it.

    `ratio` is how many bytes may come out for each byte of the archive, once `free_bytes` have come out: a small
    archive of very compressible files is ordinary, a big one is a bomb.
    """

    members: int = 100_000
    member_bytes: int = 16 << 30
    total_bytes: int = 64 << 30
    ratio: int = 200
    free_bytes: int = 64 << 20


class Member:
    """One member of an archive: `name` as it is written there, with `/` between folders; nothing about it is checked.

    `problem` says why its bytes cannot be had (a link, a device, encrypted); the members after it still can.
    """

    def __init__(
        self,
        name: str,
        size: int | None = None,
        problem: ArchiveError | None = None,
        source: Callable[[], Iterator[bytes]] | None = None,
    ) -> None:
        self.name = name
        self.size = size
        self.problem = problem
        self._source = source

    def pieces(self) -> Iterator[bytes]:
        """Its bytes in pieces of at most PIECE_BYTES; only once, and only until the next member is taken.

        Raises ArchiveError if they are damaged, which may show only behind the last piece (a wrong checksum), and
        `problem` if there is one.
        """
        if self.problem is not None:
            raise self.problem
        return self._source() if self._source is not None else iter(())


class Archive(Protocol):
    """One kind of archive."""

    name: str
    """A word: `zip`, `tar`, `cab`."""

    def sniff(self, head: bytes) -> bool:
        """Whether the first HEAD_BYTES (fewer for a shorter file) look like this kind. Never raises."""

    def members(self, path: Path, limits: Limits) -> Iterator[Member]:
        """The members in the archive's own order, folders left out.

        Raises ArchiveError with a reason word, and nothing else but the OSError of opening `path`. What it holds in
        memory is bounded by `limits.members` and constants, never by numbers found in the file. Counting bytes is
        not its business: `symsrv.packing.members` does that for all kinds.
        """
