"""A store in a folder: on a disk, a share, or read-only media.

What differs from a plain reading of the contract:

* Symbolic links below the root are not followed (`tree.py`).
* Where the file system has no hard links (FAT, some shares), a new name is given by looking and renaming, under the
  store's lock.
* Files are made as the process's umask says; `.symsrv/incoming` is for its owner alone.
"""

# Paths as text: this runs for every file of a store, and a Path costs more than the call it makes.
# ruff: noqa: PTH112

import contextlib
import errno
import os
import stat as modes
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from symsrv.backends.base import INCOMING, OWN_FOLDER, Staged, Stat, displaced_path
from symsrv.backends.failures import ABSENT, refusals
from symsrv.backends.files import Files
from symsrv.backends.locking import DiskLock
from symsrv.backends.spool import copy_whole, sha256_of
from symsrv.backends.tree import Tree
from symsrv.backends.unsynced import MANY, Unsynced, chain, parent
from symsrv.model.errors import AlreadyThere, BackendError, Missing, NoStore, SourceError

_ATTEMPTS = 50  # a delete takes emptied folders away while somebody puts a file into them: rare, and never for long
_MOVE_LOCK_SECONDS = 60.0
# vfat says EPERM, CIFS EOPNOTSUPP, FUSE ENOSYS, Windows' FAT EINVAL; EMLINK: the file has all the names it can have.
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}
if os.name == "nt":
    _NO_LINKS.add(errno.EINVAL)


class Disk(Tree):
    """A folder as a backend."""

    shared_lock = True

    def __init__(
        self,
        root: Path,
        *,
        read_only: bool = False,
        semaphore: bool = False,
        files: Files | None = None,
        many: int = MANY,
    ) -> None:
        if not root.is_dir():
            raise NoStore(f"there is no symbol store at {root}: no such folder")
        super().__init__(root)
        self.url = str(self.root)
        self.read_only = read_only
        self._files = files or Files(self.root)
        self._unsynced = Unsynced(self._files, many=many)
        self._lock = DiskLock(self.root, semaphore=semaphore)
        self._moving = threading.Lock()

    def stage(self, source: Path, *, sha256: str | None = None) -> Staged:
        """See Backend; a second name is possible for what lies below the root."""
        self._may_write()
        path = f"{INCOMING}/{uuid.uuid4().hex}"
        full = self.root / path
        with refusals(f"copying {source} into {self.root}"), self._dropped_on_failure(path):
            self._make_folders(INCOMING)
            linked = sha256 is not None and self._second_name(source, path)
            size = full.stat().st_size if linked else copy_whole(self._files, path, source)
            self._files.start_writing(path)
            sha256 = sha256 or sha256_of(full)
            self._unsynced.note_file(path)
            self._unsynced.note_folder(INCOMING)
        return Staged(full.name, size, sha256, full)

    def share(self, staged: Staged) -> None:
        """See Backend; `incoming` is shared with whoever shares the store."""

    def place(self, staged: Staged, path: str, *, replace: bool = False) -> Stat:
        """See Backend."""
        self._may_write()
        with refusals(f"placing {path}"):
            if not self._exists(_incoming(staged)):
                self._check_placed(staged, path)
            elif replace:
                self._displace(staged, path)
                self._land(path, lambda: self._files.replace(_incoming(staged), path))
            else:
                self._place_new(staged, path)
            self._unsynced.note_folder(parent(path))
        return self.stat(path) or Stat(path, staged.size, time.time_ns())

    def discard(self, staged: Staged) -> None:
        """See Backend."""
        self._may_write()
        with refusals(f"dropping staged bytes {staged.handle}"), contextlib.suppress(FileNotFoundError):
            self._files.unlink(_incoming(staged))

    def create(self, path: str, data: bytes) -> None:
        """See Backend."""
        self._may_write()
        if self._exists(path):
            raise AlreadyThere(path)
        with refusals(f"creating {path}"):
            with self._temporary(data) as temporary:
                try:
                    self._name_new(temporary, path)
                except FileExistsError as exc:
                    raise AlreadyThere(path) from exc
            self._unsynced.sync_at_once(parent(path))

    def write(self, path: str, data: bytes) -> None:
        """See Backend."""
        self._may_write()
        with refusals(f"writing {path}"):
            with self._temporary(data) as temporary:
                self._land(path, lambda: self._files.replace(temporary, path))
            self._unsynced.note_folder(parent(path))

    def append(self, path: str, data: bytes) -> None:
        """See Backend."""
        self._may_write()
        with refusals(f"appending to {path}"):
            self._land(path, lambda: self._files.append(path, data))
            self._unsynced.note_file(path)
            self._unsynced.note_folder(parent(path))

    def rename(self, path: str, target: str) -> None:
        """See Backend."""
        self._may_write()
        with refusals(f"renaming {path} to {target}"):
            if self._exists(path):
                self._land(target, lambda: self._files.replace(path, target))
            elif not self._exists(target):
                raise Missing(path)
            self._unsynced.note_rename(path, target)

    def delete(self, path: str) -> None:
        """See Backend."""
        self._may_write()
        with refusals(f"deleting {path}"):
            try:
                if modes.S_ISDIR(os.lstat(self._base + path).st_mode):
                    return
                self._files.unlink(path)
            except OSError as exc:
                if exc.errno not in ABSENT:
                    raise
            self._unsynced.note_folder(parent(path))
            self._remove_emptied(parent(path))

    def settle(self, path: str) -> None:
        """See Backend."""
        self._may_write()
        self._unsynced.note_file(path)
        self._unsynced.note_folder(parent(path))

    def sync(self) -> None:
        """See Backend."""
        with refusals(f"making changes in {self.root} durable"):
            self._unsynced.sync()

    def sweep(self, *, older_than_seconds: float) -> int:
        """See Backend."""
        self._may_write()
        before_ns = time.time_ns() - int(older_than_seconds * 1e9)
        old = [found.path for found in self.walk(INCOMING) if found.modified_ns < before_ns]
        for path in old:
            with refusals(f"sweeping {path}"), contextlib.suppress(FileNotFoundError):
                self._files.unlink(path)
        return len(old)

    def lock(self, *, timeout_seconds: float) -> AbstractContextManager[None]:
        """See Backend: `.symsrv/lock`, and `_lockfile.sem` where another tool made it. A thread may lock again."""
        self._may_write()
        with refusals(f"locking {self.root}"):
            self._make_folders(OWN_FOLDER)
        return self._lock.hold(timeout_seconds=timeout_seconds)

    def close(self) -> None:
        """See Backend; nothing is kept open between calls."""

    def _may_write(self) -> None:
        if self.read_only:
            raise BackendError("no-access", f"{self.root} was opened for reading only")

    def _exists(self, path: str) -> bool:
        return os.path.lexists(self._base + path)

    # Names

    def _land(self, path: str, action: Callable[[], None]) -> None:
        """Does what puts a name into a folder; makes the folder if it is missing, or was removed meanwhile."""
        for _ in range(_ATTEMPTS):
            with contextlib.suppress(FileNotFoundError):
                return action()
            self._make_folders(parent(path))
        return action()

    def _make_folders(self, folder: str) -> None:
        """Makes a folder and those above it, as far as they are missing."""
        if not folder or os.path.isdir(self._base + folder):
            return
        self._make_folders(parent(folder))
        # FileNotFoundError: a delete took the parent away again; the caller tries again.
        with contextlib.suppress(FileExistsError, FileNotFoundError):
            self._files.make_folder(folder, mode=0o700 if folder == INCOMING else 0o777)
            self._unsynced.note_made(folder)

    def _remove_emptied(self, folder: str) -> None:
        """Removes a folder if it is empty, and then those above; never the root, nor what symsrv keeps its own in."""
        while folder and not _kept(folder):
            try:
                self._files.remove_folder(folder)
            except FileNotFoundError:
                pass
            except OSError:  # not empty; or, on Windows, looked at by somebody: an empty folder does no harm
                return
            self._unsynced.note_removed(folder)
            folder = parent(folder)

    def _name_new(self, temporary: str, path: str) -> None:
        """Makes a temporary file appear at `path`, or raises FileExistsError; its old name goes."""
        try:
            self._land(path, lambda: self._files.link(temporary, path))
        except OSError as exc:
            if exc.errno not in _NO_LINKS:
                raise
            self._move_new(temporary, path)
        else:
            self._files.unlink(temporary)

    def _move_new(self, temporary: str, path: str) -> None:
        # Whoever commits holds the lock already, maybe in another thread: then the mutex keeps its threads apart.
        held = contextlib.nullcontext() if self._lock.held else self.lock(timeout_seconds=_MOVE_LOCK_SECONDS)
        with held, self._moving:
            if self._exists(path):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path)
            self._land(path, lambda: self._files.move(temporary, path))

    # Temporary and staged files

    @contextlib.contextmanager
    def _temporary(self, data: bytes) -> Iterator[str]:
        """A durable file in `incoming` with these bytes, gone at the end unless it got another name."""
        path = f"{INCOMING}/{uuid.uuid4().hex}"
        with self._dropped_on_failure(path):
            self._make_folders(INCOMING)
            self._files.write_new(path, data)
            self._files.sync_file(path)
            yield path

    @contextlib.contextmanager
    def _dropped_on_failure(self, path: str) -> Iterator[None]:
        try:
            yield
        except BaseException:
            with contextlib.suppress(OSError):
                self._files.unlink(path)
            raise

    def _second_name(self, source: Path, path: str) -> bool:
        """Gives a file of the caller's own a second name; False where that cannot be."""
        if not source.is_relative_to(self.root):
            return False
        try:
            self._files.link(source.relative_to(self.root).as_posix(), path)
        except FileNotFoundError as exc:
            raise SourceError("vanished", f"{source} is not there any more") from exc
        except OSError as exc:
            if exc.errno not in _NO_LINKS:
                raise
            return False
        return True

    def _place_new(self, staged: Staged, path: str) -> None:
        try:
            self._name_new(_incoming(staged), path)
        except FileExistsError as exc:
            if not self._same_file(_incoming(staged), path):
                raise AlreadyThere(path) from exc
            self._files.unlink(_incoming(staged))  # a crash came between the two names

    def _displace(self, staged: Staged, path: str) -> None:
        """Keeps what a replacement is about to cover; durable before the replacement is, or a power cut loses it."""
        aside = displaced_path(path, staged.handle)
        if not self._exists(path) or self._exists(aside) or self._same_file(_incoming(staged), path):
            return
        try:
            self._land(aside, lambda: self._files.link(path, aside))
        except OSError as exc:
            if exc.errno not in _NO_LINKS:
                raise
            self._copy_aside(path, aside)
        for folder in chain(parent(aside)):
            self._files.sync_folder(folder)

    def _copy_aside(self, path: str, aside: str) -> None:
        temporary = f"{INCOMING}/{uuid.uuid4().hex}"
        with self._dropped_on_failure(temporary):
            copy_whole(self._files, temporary, self.root / path)
            self._files.sync_file(temporary)
            self._land(aside, lambda: self._files.move(temporary, aside))

    def _check_placed(self, staged: Staged, path: str) -> None:
        """Passes if an earlier run placed these bytes: then the staged name is gone and the home has them."""
        found = self.stat(path)
        if found is None or found.size != staged.size or sha256_of(self._base + path) != staged.sha256:
            raise Missing(_incoming(staged))

    def _same_file(self, path: str, other: str) -> bool:
        try:
            return os.path.samestat(os.lstat(self._base + path), os.lstat(self._base + other))
        except FileNotFoundError:
            return False


def _incoming(staged: Staged) -> str:
    return f"{INCOMING}/{staged.handle}"


def _kept(folder: str) -> bool:
    """Whether a folder stays when it is empty: `.symsrv` and what is directly in it."""
    return folder == OWN_FOLDER or (folder.startswith(f"{OWN_FOLDER}/") and folder.count("/") == 1)


def make_root(root: Path) -> None:
    """Makes the folder of a new store, durably; the folders above it too."""
    missing = [folder for folder in (root.absolute(), *root.absolute().parents) if not folder.exists()]
    with refusals(f"making {root}"):
        root.mkdir(parents=True, exist_ok=True)
        for folder in missing:
            Files(folder.parent).sync_folder("")
