"""The writers' lock of a store on disk: the system's own lock, and the semaphore file of Azure Pipelines' tasks.

The lock file, the note of who holds it and the semaphore are no part of what the store holds: they are written
past `Files`, need no fsync, and mean nothing after a restart. The system's lock goes with its process, however it ends.
"""

import contextlib
import datetime
import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from symsrv.backends.failures import refusals
from symsrv.model.errors import StoreLocked

SEMAPHORE = "_lockfile.sem"
SEMAPHORE_LIFE_SECONDS = 24 * 60 * 60  # what is older was left behind; the pipelines' tasks think so too
_POLL_SECONDS = 0.05
_SEMAPHORE_POLL_SECONDS = 0.25


class DiskLock:
    """Keeps writers apart: threads of this process, processes, and machines as far as the file system locks for them.

    A thread may take it again while it holds it.
    """

    def __init__(self, root: Path, *, semaphore: bool = False) -> None:
        self._folder = root / ".symsrv"
        self._owner = self._folder / "lock.owner"
        self._root = root
        self._semaphore = Semaphore(root / SEMAPHORE, create=semaphore)
        self._threads = threading.RLock()
        self._system = FileLock(self._folder / "lock", thread_local=False)
        self._depth = 0

    @property
    def held(self) -> bool:
        """Whether some thread of this process holds it, by this object."""
        return self._depth > 0

    @contextlib.contextmanager
    def hold(self, *, timeout_seconds: float) -> Iterator[None]:
        """Holds the lock; raises StoreLocked, which names the holder, when it was not to be had in time."""
        deadline = time.monotonic() + timeout_seconds
        if not self._threads.acquire(timeout=min(max(0.0, timeout_seconds), threading.TIMEOUT_MAX)):
            raise StoreLocked(f"{self._root} is locked by another thread of this process; try again")
        try:
            with self._held_by_this_thread(deadline):
                yield
        finally:
            self._threads.release()

    @contextlib.contextmanager
    def _held_by_this_thread(self, deadline: float) -> Iterator[None]:
        if self._depth == 0:
            self._take(deadline)
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            if self._depth == 0:
                self._give_back()

    def _take(self, deadline: float) -> None:
        with refusals(f"locking {self._root}"):
            try:
                self._system.acquire(timeout=max(0.0, deadline - time.monotonic()), poll_interval=_POLL_SECONDS)
            except Timeout as exc:
                raise StoreLocked(f"{self._root} is locked by {self._who()}; wait, or try again") from exc
        try:
            self._semaphore.take(deadline)
        except BaseException:
            self._system.release()
            raise
        with contextlib.suppress(OSError):
            self._owner.write_text(json.dumps(_signature()), encoding="utf-8")

    def _give_back(self) -> None:
        with contextlib.suppress(OSError):
            self._owner.unlink()
        self._semaphore.give_back()
        self._system.release()

    def _who(self) -> str:
        try:
            owner = json.loads(self._owner.read_text(encoding="utf-8"))
            return f"process {owner['pid']} on {owner['host']} since {owner['since']}"
        except (OSError, ValueError, KeyError, TypeError):
            return "another writer"


class Semaphore:
    """`_lockfile.sem`, around which Azure Pipelines' tasks run symstore.exe: whoever made the file holds the store.

    It is waited for always, and made only when asked. A file that carries our own host's mark while we hold the
    system's lock was left by a writer that died: it is removed.
    """

    def __init__(self, path: Path, *, create: bool) -> None:
        self._path = path
        self._create = create
        self._made = False
        self._mark = f"symsrv {socket.gethostname()} "

    def take(self, deadline: float) -> None:
        """Waits until nobody else holds it, and makes it if that was asked for; raises StoreLocked."""
        with refusals(f"waiting for {self._path}"):
            while not self._taken():
                if time.monotonic() >= deadline:
                    raise StoreLocked(
                        f"{self._path} is there ({self._text()!r}); wait, or remove it if its writer is gone"
                    )
                time.sleep(max(0.0, min(_SEMAPHORE_POLL_SECONDS, deadline - time.monotonic())))

    def give_back(self) -> None:
        """Removes the file if we made it."""
        if self._made:
            self._made = False
            with contextlib.suppress(OSError):
                self._path.unlink()

    def _taken(self) -> bool:
        if self._foreign():
            return False
        if not self._create:
            return True
        try:
            with open(self._path, "x", encoding="utf-8") as stream:
                stream.write(f"{self._mark}{os.getpid()}")
        except FileExistsError:
            return False  # somebody was faster
        self._made = True
        return True

    def _foreign(self) -> bool:
        """Whether somebody else holds it now; removes what a dead writer left, if it is ours to remove."""
        try:
            age_seconds = time.time() - self._path.stat().st_mtime
        except FileNotFoundError:
            return False
        ours = self._text().startswith(self._mark)
        if not ours and age_seconds < SEMAPHORE_LIFE_SECONDS:
            return True
        if ours or self._create:
            with contextlib.suppress(FileNotFoundError):
                self._path.unlink()
        return False

    def _text(self) -> str:
        try:
            return self._path.read_text(encoding="utf-8", errors="replace")[:200].strip()
        except OSError:
            return ""


def _signature() -> dict[str, str | int]:
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    return {"pid": os.getpid(), "host": socket.gethostname(), "since": now}
