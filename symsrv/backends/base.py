"""Where bytes lie. One contract for disk, memory and buckets; paths are relative, with `/`, and already checked."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

OWN_FOLDER = ".symsrv"
"""What in a store is for symsrv alone; no reader from outside is let in."""

INCOMING = ".symsrv/incoming"
"""Staged bytes, one file each, named by their handle."""

SEGMENT_BYTES = 255
"""What a name between two slashes can have on every file system."""


def displaced_path(path: str, handle: str) -> str:
    """Where a replacement keeps what lay at `path`. A name that the handle would make too long is cut."""
    folder, _, name = path.rpartition("/")
    room = SEGMENT_BYTES - len(handle) - 1
    short = name.encode()[:room].decode(errors="ignore")
    return "/".join(part for part in (OWN_FOLDER, "displaced", folder, f"{short}.{handle}") if part)


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
        """Closes the stream, and the descriptor with it."""
        self.stream.close()


@dataclass(frozen=True, slots=True)
class Staged:
    """Bytes that lie where no reader looks, and what they hash to.

    `local` is a file on this machine with the same bytes, to be identified from; it lives until place or discard.
    `place` and `discard` go by the handle alone, so that recovery can call them with what a document tells.
    """

    handle: str
    size: int
    sha256: str
    local: Path


class Backend(Protocol):
    """The promises a store builds on, the same for every kind of place.

    * A reader sees a file whole or not at all, old or new, never a mixture.
    * What a method put somewhere is durable after the next `sync()`; what `create` made is durable at once.
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

    def stage(self, source: Path, *, sha256: str | None = None) -> Staged:
        """Copies a file to where no reader looks, and hashes the copy. Takes no lock.

        They are durable, and found by their handle, from the next `sync()` on; that must come before `place`.

        With a `sha256`, the file is the caller's own, whole, and never written to again: the hash is believed, and a
        second name for the file will do instead of a copy.

        Raises SourceError (`vanished`, `changed`, `unreadable`) if the file is not one whole piece.
        """

    def share(self, staged: Staged) -> None:
        """Makes staged bytes reachable by their handle for any machine: before a document names the handle.

        On a disk they are already; on a bucket they may lie on this machine only.
        """

    def place(self, staged: Staged, path: str, *, replace: bool = False) -> Stat:
        """Makes staged bytes visible at `path`, whole at once; raises AlreadyThere unless `replace`.

        With `replace`, what lay there is first kept at `displaced_path(path, handle)`. Placing what was
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
        """Gives a file another name, replacing what is there; raises Missing.

        A source that is gone while the target exists is success: it was renamed before.
        """

    def delete(self, path: str) -> None:
        """Removes a file, and the folders it leaves empty; absent is success.

        Where the system refuses because somebody has it open (Windows), raises a transient BackendError.
        """

    def settle(self, path: str) -> None:
        """Makes sure that a file which is there already is durable after the next `sync()`.

        For a home found present that no document holds: a writer that died before its own sync may have placed it.
        """

    def sync(self) -> None:
        """Makes everything that this object placed, wrote, appended, renamed, deleted or settled durable."""

    def sweep(self, *, older_than_seconds: float) -> int:
        """Drops staged bytes that their writers left behind; returns how many."""

    def lock(self, *, timeout_seconds: float) -> AbstractContextManager[None]:
        """Keeps other writers out, on every machine that shares the place; raises StoreLocked after the timeout."""

    def close(self) -> None:
        """Lets go of connections and descriptors."""
