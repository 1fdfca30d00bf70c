"""A store in a bucket: the contract over a handful of requests, each of them atomic and durable by itself.

What differs from a disk (`docs/store.md`, "The commit on a bucket"):

* No lock and nothing to sync; create-only requests decide races.
* Staged bytes are a spool file on this machine. What is above the limit of a single put is in the bucket's
  `incoming/` at once; the rest gets there only by `share`.
* A large file cannot be put create-only everywhere (Ceph 16 ignores the condition when a multipart upload completes),
  so it is copied within the bucket from `incoming/`, with a look before and after. Where it can (Google's), no put is
  too large to be a single one.
* Nothing can be appended.
"""

import contextlib
import shutil
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from symsrv.backends.base import INCOMING, OWN_FOLDER, SEGMENT_BYTES, Opened, Staged, Stat, displaced_path
from symsrv.backends.failures import refusals
from symsrv.backends.files import Files
from symsrv.backends.spool import copy_whole, sha256_of
from symsrv.model.errors import AlreadyThere, BackendError, Missing, UsageError

SINGLE_PUT_BYTES = 64 << 20
_KEY_BYTES = 900  # S3 takes 1024, and the prefix of the store wants its part
_SPOOL_PREFIX = "symsrv-spool-"
_AFTER_OWN = f"{OWN_FOLDER}/\U0010ffff"


class Objects(Protocol):
    """The requests that a bucket understands; keys are relative to the store.

    Each is atomic and durable when it returns. Failures are Missing, AlreadyThere or BackendError. A `put` that
    succeeded without our hearing of it, and was sent again, succeeds.
    """

    url: str

    def head(self, key: str) -> Stat | None:
        """What is known of an object, or None."""

    def get(self, key: str, start: int = 0, length: int | None = None) -> Opened:
        """Opens an object at `start`, for at most `length` bytes; raises Missing."""

    def tail(self, key: str, length: int) -> bytes:
        """The last bytes of an object; raises Missing."""

    def put(self, key: str, data: bytes | Path, *, sha256: str | None = None, create_only: bool = False) -> None:
        """Puts bytes, or a file's, in one request; keeps the hash beside them. `create_only` raises AlreadyThere."""

    def put_large(self, key: str, path: Path, *, sha256: str) -> None:
        """Puts a file in parts, visible when all are there; replaces what is there."""

    def copy(self, key: str, target: str, *, sha256: str | None = None) -> None:
        """Copies within the bucket, with this hash beside the copy; replaces what is there; raises Missing."""

    def delete(self, key: str) -> None:
        """Deletes an object; absent is success."""

    def list(self, prefix: str, *, after: str = "") -> Iterator[Stat]:
        """Every object whose key begins with `prefix` and comes after `after`, in the order of keys."""

    def close(self) -> None:
        """Lets go of connections."""


class ObjectBackend:
    """A bucket as a backend."""

    shared_lock = False

    def __init__(
        self,
        objects: Objects,
        *,
        read_only: bool = False,
        single_put_bytes: int = SINGLE_PUT_BYTES,
        spool_folder: Path | None = None,
    ) -> None:
        self.url = objects.url
        self.read_only = read_only
        self._objects = objects
        self._single_put_bytes = single_put_bytes
        self._spool = Spool(spool_folder)

    def stat(self, path: str) -> Stat | None:
        """See Backend."""
        return self._objects.head(path) if _possible(path) else None

    def open(self, path: str, start: int = 0, length: int | None = None) -> Opened:
        """See Backend; there is no descriptor."""
        return self._objects.get(_checked(path), start, length)

    def read(self, path: str, *, last: int | None = None) -> bytes:
        """See Backend."""
        if last is not None:
            return self._objects.tail(_checked(path), last)
        opened = self.open(path)
        with contextlib.closing(opened):
            return opened.stream.read()

    def walk(self, prefix: str = "") -> Iterator[Stat]:
        """See Backend; in the order of keys, and without hashes, which a listing does not tell."""
        if prefix:
            yield from self._objects.list(prefix.rstrip("/") + "/")
            return
        for found in self._objects.list(""):
            if found.path.startswith(f"{OWN_FOLDER}/"):
                break
            yield found
        else:
            return
        yield from self._objects.list("", after=_AFTER_OWN)

    def local(self, path: str) -> Path | None:
        """See Backend; there is none."""

    def stage(self, source: Path, *, sha256: str | None = None) -> Staged:
        """See Backend; durable only from `share` on, unless the file is large."""
        self._may_write()
        staged = self._spool.take(source, sha256=sha256)
        if staged.size > self._single_put_bytes:
            try:
                self.share(staged)
            except BaseException:
                self.discard(staged)
                raise
        return staged

    def share(self, staged: Staged) -> None:
        """See Backend."""
        self._may_write()
        local = self._spool.find(staged)
        if self._objects.head(_incoming(staged)) is not None:
            return
        if local is None:
            raise Missing(_incoming(staged))
        self._put(staged, local, _incoming(staged), create_only=False)

    def place(self, staged: Staged, path: str, *, replace: bool = False) -> Stat:
        """See Backend."""
        self._may_write()
        if replace:
            self._displace(staged, path)
        local = self._spool.find(staged)
        if local is not None and staged.size <= self._single_put_bytes:
            self._put(staged, local, path, create_only=not replace)
        else:
            self._place_incoming(staged, path, replace=replace)
        self.discard(staged)
        return self.stat(path) or Stat(path, staged.size, time.time_ns(), staged.sha256)

    def discard(self, staged: Staged) -> None:
        """See Backend."""
        self._may_write()
        if staged.size > self._single_put_bytes or self._spool.shared(staged):
            self._objects.delete(_incoming(staged))
        self._spool.drop(staged)

    def create(self, path: str, data: bytes) -> None:
        """See Backend."""
        self._may_write()
        self._objects.put(path, data, create_only=True)

    def write(self, path: str, data: bytes) -> None:
        """See Backend; durable at once."""
        self._may_write()
        self._objects.put(path, data)

    def append(self, path: str, data: bytes) -> None:
        """Raises BackendError: a bucket cannot, and to write the whole again would lose what another writer adds."""
        raise BackendError("backend", f"{self.url} is a bucket: nothing can be appended to {path}")

    def rename(self, path: str, target: str) -> None:
        """See Backend; a copy and a delete, so that for a moment both names are there."""
        self._may_write()
        try:
            found = self._objects.head(path)
            if found is None:
                raise Missing(path)
            self._objects.copy(path, target, sha256=found.sha256)
        except Missing:
            if self._objects.head(target) is None:
                raise
        self._objects.delete(path)

    def delete(self, path: str) -> None:
        """See Backend; a bucket has no folders to leave empty."""
        self._may_write()
        self._objects.delete(path)

    def settle(self, path: str) -> None:
        """See Backend; what can be seen in a bucket is durable."""

    def sync(self) -> None:
        """See Backend; every request was durable."""

    def sweep(self, *, older_than_seconds: float) -> int:
        """See Backend; also what killed processes left in this machine's spool."""
        self._may_write()
        before_ns = time.time_ns() - int(older_than_seconds * 1e9)
        old = [found.path for found in self.walk(INCOMING) if found.modified_ns < before_ns]
        for path in old:
            self._objects.delete(path)
        return len(old) + self._spool.sweep(before_ns)

    def lock(self, *, timeout_seconds: float) -> AbstractContextManager[None]:
        """See Backend; keeps nobody out."""
        self._may_write()
        return contextlib.nullcontext()

    def close(self) -> None:
        """See Backend; drops the spool."""
        self._spool.close()
        self._objects.close()

    def _may_write(self) -> None:
        if self.read_only:
            raise BackendError("no-access", f"{self.url} was opened for reading only")

    def _put(self, staged: Staged, local: Path, key: str, *, create_only: bool) -> None:
        if staged.size > self._single_put_bytes:
            self._objects.put_large(key, local, sha256=staged.sha256)
        else:
            self._objects.put(key, local, sha256=staged.sha256, create_only=create_only)
        if key == _incoming(staged):
            self._spool.note_shared(staged)

    def _place_incoming(self, staged: Staged, path: str, *, replace: bool) -> None:
        """Copies from `incoming/`; a copy knows no create-only everywhere, so it looks before and after."""
        found = self._objects.head(path)
        source_there = self._objects.head(_incoming(staged)) is not None
        if found is not None and not replace and source_there:
            raise AlreadyThere(path)
        if not source_there:
            if found is None or found.sha256 != staged.sha256:
                raise Missing(_incoming(staged))
            return  # an earlier run placed it
        self._objects.copy(_incoming(staged), path, sha256=staged.sha256)
        found = self._objects.head(path)
        if found is None or found.sha256 != staged.sha256:
            raise AlreadyThere(path)

    def _displace(self, staged: Staged, path: str) -> None:
        found = self._objects.head(path)
        aside = displaced_path(path, staged.handle)
        if found is None or found.sha256 == staged.sha256 or self._objects.head(aside) is not None:
            return
        with contextlib.suppress(Missing):  # pruned this moment
            self._objects.copy(path, aside, sha256=found.sha256)


class Spool:
    """Staged bytes on this machine: a folder of our own, made when it is first needed."""

    def __init__(self, above: Path | None = None) -> None:
        self._above = above or Path(tempfile.gettempdir())
        self._folder: Path | None = None
        self._shared: set[str] = set()
        self._lock = threading.Lock()

    def take(self, source: Path, *, sha256: str | None = None) -> Staged:
        """Copies a file into the spool, whole, and hashes the copy; see `Backend.stage` for a hash that is told."""
        folder = self._made()
        local = folder / uuid.uuid4().hex
        try:
            with refusals(f"copying {source} into {folder}"):
                if sha256 is not None and _second_name(source, local):
                    return Staged(local.name, local.stat().st_size, sha256, local)
                size = copy_whole(Files(folder), local.name, source)
                return Staged(local.name, size, sha256 or sha256_of(local), local)
        except BaseException:
            local.unlink(missing_ok=True)
            raise

    def find(self, staged: Staged) -> Path | None:
        """The spooled file, found by its handle: a document knows no more than that."""
        if self._folder is None:
            return None
        local = self._folder / staged.handle
        return local if local.is_file() else None

    def note_shared(self, staged: Staged) -> None:
        """Notes that the bytes are in the bucket, too."""
        self._shared.add(staged.handle)

    def shared(self, staged: Staged) -> bool:
        """Whether the bytes are in the bucket, too; those of another process always are."""
        return staged.handle in self._shared or self.find(staged) is None

    def drop(self, staged: Staged) -> None:
        """Drops spooled bytes."""
        self._shared.discard(staged.handle)
        if (local := self.find(staged)) is not None:
            local.unlink(missing_ok=True)

    def sweep(self, before_ns: int) -> int:
        """Drops what killed processes left: spools in which nothing happened for so long."""
        count = 0
        for folder in self._above.glob(f"{_SPOOL_PREFIX}*"):
            with contextlib.suppress(OSError):
                if folder != self._folder and folder.stat().st_mtime_ns < before_ns:
                    count += len(list(folder.iterdir()))
                    shutil.rmtree(folder, ignore_errors=True)
        return count

    def close(self) -> None:
        """Drops the folder and everything in it."""
        with self._lock:
            if self._folder is not None:
                shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def _made(self) -> Path:
        with self._lock, refusals(f"making a spool in {self._above}"):
            if self._folder is None or not self._folder.is_dir():
                self._folder = Path(tempfile.mkdtemp(prefix=_SPOOL_PREFIX, dir=self._above))
            return self._folder


def _second_name(source: Path, local: Path) -> bool:
    """Gives a file a second name; False where that cannot be, as on another file system."""
    try:
        local.hardlink_to(source)
    except OSError:
        return False
    return True


def bucket_and_prefix(url: str) -> tuple[str, str]:
    """The bucket that a store's URL names, and what stands before each of its keys; raises UsageError without one."""
    parts = urlsplit(url)
    if not parts.netloc:
        raise UsageError(f"{url}: a bucket is named as in {parts.scheme}://bucket/prefix")
    prefix = parts.path.strip("/")
    return parts.netloc, f"{prefix}/" if prefix else ""


def _incoming(staged: Staged) -> str:
    return f"{INCOMING}/{staged.handle}"


def _possible(path: str) -> bool:
    """Whether a path can be a key that symsrv wrote; others need no request."""
    try:
        size = len(path.encode())
    except UnicodeEncodeError:  # a lone surrogate
        return False
    return size <= _KEY_BYTES and "\0" not in path and all(_fits(segment) for segment in path.split("/"))


def _fits(segment: str) -> bool:
    return segment not in ("", ".", "..") and len(segment.encode()) <= SEGMENT_BYTES


def _checked(path: str) -> str:
    if not _possible(path):
        raise Missing(path)
    return path
