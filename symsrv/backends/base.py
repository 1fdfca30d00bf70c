"""Where bytes lie. One contract for disk, memory and buckets; paths are relative, with `/`, and already checked."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol


@dataclass(frozen=True, slots=True)
class Stat:
    """What is known of a file without reading it. `sha256` only where the backend keeps one beside the bytes."""

    path: str
    size: int
    modified_ns: int
    sha256: str | None = None


@dataclass(slots=True)
class Opened:
    """A stat and a stream that come from the same file or the same response; close it.

    `descriptor` is the open file's, where there is one, for senders that can use it.
    """

    stat: Stat
    stream: BinaryIO
    descriptor: int | None = None

    def close(self) -> None:
        self.stream.close()


@dataclass(frozen=True, slots=True)
class Staged:
    """Bytes that are durable where no reader looks, and what they hash to.

    `local` is a file on this machine with the same bytes, to be identified from; it lives until place or discard.
    """

    handle: str
    size: int
    sha256: str
    local: Path


class Backend(Protocol):
    """The promises a store builds on, the same for every kind of place.

    * A reader sees a file whole or not at all, old or new, never a mixture.
    * What a method put somewhere is durable after the next `sync()`; `stage` and `create` are durable at once.
    * Every failure is a StoreError: Missing, AlreadyThere, or BackendError, whose `transient` says whether
      trying again helps.
    * Objects are safe to share between threads.
    """

    url: str
    shared_lock: bool
    """Whether `lock` keeps all writers of this place apart (disk), or none (buckets: create-only decides)."""

    def stat(self, path: str) -> Stat | None:
        """The file's stat, or None if there is no file (a folder is none)."""

    def open(self, path: str, start: int = 0, length: int | None = None) -> Opened:
        """Opens the file, at `start`, for at most `length` bytes; raises Missing."""

    def read(self, path: str, *, last: int | None = None) -> bytes:
        """The whole of a small file, or its `last` bytes; raises Missing."""

    def walk(self, prefix: str = "") -> Iterator[Stat]:
        """Every file below a folder (`""` is all), in no promised order; `.symsrv` only when named.

        What appears or goes while walking may or may not be seen.
        """

    def local(self, path: str) -> Path | None:
        """The path on this machine's file system, where there is one."""

    def stage(self, source: Path) -> Staged:
        """Copies a file to where no reader looks, durably, and hashes the copy. Takes no lock.

        Raises SourceError (`vanished`, `changed`, `unreadable`) if the file is not one whole piece.
        """

    def place(self, staged: Staged, path: str, *, replace: bool = False) -> Stat:
        """Makes staged bytes visible at `path`, whole at once; raises AlreadyThere unless `replace`.

        With `replace`, what lay there is first kept at `.symsrv/displaced/<path>.<handle>`. Placing what was
        placed already (after a crash) succeeds.
        """

    def discard(self, staged: Staged) -> None:
        """Drops staged bytes; what is gone already is no error."""

    def create(self, path: str, data: bytes) -> None:
        """Creates a small file, whole and durable; raises AlreadyThere. This is what claims a number."""

    def write(self, path: str, data: bytes) -> None:
        """Creates or replaces a small file, whole at once."""

    def append(self, path: str, data: bytes) -> None:
        """Adds to the end of a file, creating it. The one operation that a crash may tear."""

    def rename(self, path: str, target: str) -> None:
        """Gives a file another name, replacing what is there; a source that is gone while the target exists succeeds."""

    def delete(self, path: str) -> None:
        """Removes a file, and the folders it leaves empty; absent is success.

        Where the system refuses because somebody has it open (Windows), raises a transient BackendError.
        """

    def sync(self) -> None:
        """Makes everything that this object placed, wrote, appended, renamed or deleted durable."""

    def sweep(self, *, older_than_seconds: float) -> int:
        """Drops staged bytes that their writers left behind; returns how many."""

    def lock(self, *, timeout_seconds: float) -> AbstractContextManager[None]:
        """Keeps other writers out, on every machine that shares the place; raises StoreLocked when it waited too long."""

    def close(self) -> None:
        """Lets go of connections and descriptors."""
