"""Parts: what is being fetched, on the disk, so that a killed process costs no byte that came before.

    <arriving>/<scope>/<worker>/lock          held for as long as the worker lives
                               /boot          which run of the system wrote what lies here
                               /<want>/       by its number and the hash of what is wanted
                                      /<try>/          where an upstream leaves its body, or a part of it
                                      /<try>.json      the body is whole and was checked: what it is

A scope is one state database on one machine. Only its own worker writes below a worker's folder; what a dead one left
goes to the first who finds its lock free. After a power cut nobody knows which pages of a file were written, so what
an earlier run of the system left is dropped.
"""

import hashlib
import json
import os
import platform
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from symsrv.mirror.base import Try
from symsrv.model.wants import Want, WantState, want_key

KEEP_SECONDS = 7 * 86400.0
"""How long a part of a file is kept that nobody goes on with."""

_TURN_SECONDS = 60.0
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Whole:
    """A file that came whole and was checked: where it lies below its try's folder, and what it is published as.

    `tool` made it, for a conversion.
    """

    file: str
    name: str
    sha256: str
    size: int
    upstream: str
    address: str
    received: int
    tool: str | None = None


class Parts:
    """One worker's folder. Raises OSError where the disk does."""

    def __init__(self, arriving: Path, *, state: str) -> None:
        host = platform.node() or "localhost"
        self.worker = f"{host}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._scope = arriving / _digest(host, state)
        self._own = self._scope / self.worker
        self._scope.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = FileLock(self._own / "lock", thread_local=False)
        with self._taking_turns():  # nobody may find our lock free before we hold it
            self._own.mkdir(mode=0o700)
            self._lock.acquire(blocking=False)
            (self._own / "boot").write_text(_boot())

    @property
    def folder(self) -> Path:
        """The disk that has to have room."""
        return self._own

    @cached_property
    def mode(self) -> int:
        """The rights of a file that anybody makes here, by the process's umask."""
        return (self._own / "boot").stat().st_mode & 0o777

    def of(self, want: Want, upstream: str, one: Try) -> Path:
        """The folder for one try, made."""
        above = self._of(want)
        folder = above / _digest(upstream, one.path)
        with suppress(FileExistsError):
            above.mkdir(mode=0o700)
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            for path in folder.iterdir():
                if path.is_file() and path.stat().st_nlink > 1:  # in the store already: nobody may write to it
                    path.unlink()
        return folder

    def note(self, want: Want, one: Try, whole: Whole) -> None:
        """Notes that a body is whole: from now on it is not fetched again."""
        note = f"{self._of(want)}/{_digest(whole.upstream, one.path)}"
        with open(f"{note}.new", "w", encoding="utf-8") as stream:
            json.dump(asdict(whole), stream)
        os.replace(f"{note}.new", f"{note}.json")  # noqa: PTH105 - for each file, and a Path costs more than the call

    def whole(self, want: Want) -> tuple[Whole, Path] | None:
        """What is here of a want already, whole, and its path."""
        folder = self._of(want)
        if not folder.is_dir():
            return None
        for note in sorted(folder.glob("*.json")):
            whole = _read(note)
            path = note.with_suffix("") / whole.file if whole is not None else None
            if whole is not None and path is not None and path.is_file() and path.stat().st_size == whole.size:
                return whole, path
            note.unlink(missing_ok=True)
        return None

    def has(self, want: Want) -> bool:
        """Whether anything of a want is here, in part or whole."""
        return self._of(want).is_dir()

    def clear(self, want: Want, upstream: str, one: Try) -> None:
        """Drops what one try brought in part, and the want's folder if nothing else is in it."""
        shutil.rmtree(self._of(want) / _digest(upstream, one.path), ignore_errors=True)
        with suppress(OSError):
            self._of(want).rmdir()

    def drop(self, want: Want) -> None:
        """Drops everything of a want."""
        shutil.rmtree(self._of(want), ignore_errors=True)

    def prune(self, find: Callable[[int], Want | None]) -> int:
        """Drops what belongs to no want that is still to be had; returns of how many. `find` gives a want by number."""
        dropped = 0
        for folder in self._folders(self._own):
            want = find(int(folder.name.partition("-")[0]))
            if want is None or want.state is WantState.ANSWERED or _name(want) != folder.name:
                shutil.rmtree(folder, ignore_errors=True)
                dropped += 1
        return dropped

    def adopt(self) -> list[str]:
        """Takes over what dead workers left; returns their names, so that their claims can be let go."""
        with self._taking_turns():
            return [
                folder.name for folder in self._folders(self._scope) if folder != self._own and self._adopted(folder)
            ]

    def sweep(self, *, older_than_seconds: float = KEEP_SECONDS) -> int:
        """Drops parts that nobody went on with for long; returns of how many wants."""
        before, dropped = time.time() - older_than_seconds, 0
        for folder in self._folders(self._own):
            if all(_modified(path) < before for path in (folder, *folder.rglob("*"))):
                shutil.rmtree(folder, ignore_errors=True)
                dropped += 1
        return dropped

    def close(self) -> None:
        """Lets go; what is left lies there for the next worker."""
        empty = not self._folders(self._own)
        self._lock.release()
        if empty:
            shutil.rmtree(self._own, ignore_errors=True)

    def _of(self, want: Want) -> Path:
        return self._own / _name(want)

    @contextmanager
    def _taking_turns(self) -> Iterator[None]:
        with FileLock(self._scope / "turn", timeout=_TURN_SECONDS, thread_local=False):
            yield

    def _folders(self, folder: Path) -> list[Path]:
        try:
            return sorted(one for one in folder.iterdir() if one.is_dir())
        except OSError:
            return []

    def _adopted(self, folder: Path) -> bool:
        lock = FileLock(folder / "lock", thread_local=False)
        try:
            lock.acquire(blocking=False)
        except (Timeout, OSError):  # it lives
            return False
        try:
            if _text(folder / "boot") == _boot() != "":
                for theirs in self._folders(folder):
                    if not (ours := self._own / theirs.name).exists():
                        theirs.replace(ours)
        finally:
            lock.release()
            shutil.rmtree(folder, ignore_errors=True)
        return True


def _name(want: Want) -> str:
    return f"{want.id}-{_digest(want_key(want.ask))}"


def _digest(*words: str) -> str:
    return hashlib.sha256("\0".join(words).encode("utf-8", "surrogatepass")).hexdigest()[:24]


def _boot() -> str:
    """This run of the system; empty where it does not tell, and then nothing is taken over."""
    return _text(_BOOT_ID).strip()


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def _read(note: Path) -> Whole | None:
    try:
        record: dict[str, Any] = json.loads(note.read_text())
        return Whole(**record)
    except (OSError, ValueError, TypeError):
        return None


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
