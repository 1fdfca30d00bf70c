"""Plain local copies of files that are kept compressed or far away: each is made once, checked, and kept for a while.

They lie in this machine's state folder, never in the store, and can be dropped at any time.
"""

import contextlib
import hashlib
import logging
import os
import tempfile
import time
import uuid
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from symsrv.backends.base import Backend, Opened, Stat
from symsrv.backends.failures import refusals
from symsrv.model.errors import ArchiveError, Missing
from symsrv.model.records import StoredFile
from symsrv.store.unpacking import stored_pieces, unpacked

COPIES_BYTES = 8 << 30
_UNFINISHED = ".part"
_UNFINISHED_SECONDS = 24 * 3600.0
_REMEMBERED_FAILURES = 1024

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Copy:
    """A plain copy, whole and checked: where it is, and what the stored file's time of change was."""

    path: Path
    size: int
    sha256: str
    modified_ns: int


class Copies:
    """The copies of one store in a folder, bounded by bytes; what was not asked for the longest time goes first.

    Safe to share between threads: of one file only one copy is made at a time. Two processes may make the same copy,
    and one of them stays.
    """

    def __init__(self, backend: Backend, folder: Path, *, limit_bytes: int = COPIES_BYTES) -> None:
        self._backend = backend
        self._folder = folder
        self._limit_bytes = limit_bytes
        self._known: dict[str, Copy] = {}
        self._failed: OrderedDict[str, ArchiveError] = OrderedDict()
        self._filling: dict[str, tuple[Lock, int]] = {}
        self._lock = Lock()
        self._swept = False

    def get(self, file: StoredFile) -> Copy:
        """The copy of a stored file; makes it if there is none. Raises Missing, or ArchiveError if it is damaged."""
        stat = self._stat(file)
        key = _key(stat)
        with self._one_at_a_time(key):
            copy = self._known_copy(key) or self._copy_on_disk(key, stat)
            if copy is None:
                copy = self._fill(file, stat, key)
            self._known[key] = copy
        return copy

    def open(self, file: StoredFile, *, fill: bool = True) -> Opened | None:
        """Opens the copy; its stat has the stored file's path and time, and the plain file's size and hash.

        Without `fill` this is quick: None if the copy has still to be made. Raises Missing or ArchiveError.
        """
        for _ in range(3):
            copy = self.get(file) if fill else self._ready(file)
            if copy is None:
                return None
            try:
                stream = copy.path.open("rb", buffering=0)
            except FileNotFoundError:  # another process made room
                continue
            stat = Stat(file.home, copy.size, copy.modified_ns, copy.sha256)
            return Opened(stat, stream, stream.fileno())
        raise Missing(file.home)

    def _stat(self, file: StoredFile) -> Stat:
        stat = self._backend.stat(file.home)
        if stat is None:
            raise Missing(file.home)
        return stat

    def _ready(self, file: StoredFile) -> Copy | None:
        return self._known_copy(_key(self._stat(file)))

    def _known_copy(self, key: str) -> Copy | None:
        """The copy if it is known and still there, noted as used; raises what making it came to before."""
        if (failed := self._failed.get(key)) is not None:
            raise failed
        copy = self._known.get(key)
        if copy is None:
            return None
        try:
            if copy.path.stat().st_size == copy.size:
                os.utime(copy.path)
                return copy
        except OSError:
            pass
        self._known.pop(key, None)
        return None

    def _copy_on_disk(self, key: str, stat: Stat) -> Copy | None:
        """The copy that another process made, or this one before it was started again."""
        for entry in self._listed():
            if entry.name.startswith(f"{key}-"):
                with contextlib.suppress(OSError):
                    size = entry.stat().st_size
                    return Copy(Path(entry.path), size, entry.name.removeprefix(f"{key}-"), stat.modified_ns)
        return None

    def _fill(self, file: StoredFile, stat: Stat, key: str) -> Copy:
        with refusals(f"making a plain copy of {file.home}"):
            self._folder.mkdir(parents=True, exist_ok=True)
            self._sweep()
            part = self._folder / f"{uuid.uuid4().hex}{_UNFINISHED}"
            try:
                size, sha256 = self._write(file, stat, part)
                path = self._folder / f"{key}-{sha256}"
                part.replace(path)
            except ArchiveError as error:
                self._remember_failure(file, key, error)
                raise
            finally:
                part.unlink(missing_ok=True)
            self._make_room(path)
        return Copy(path, size, sha256, stat.modified_ns)

    def _write(self, file: StoredFile, stat: Stat, part: Path) -> tuple[int, str]:
        pieces = (
            stored_pieces(self._backend, file.home) if file.encoding is None else unpacked(self._backend, file.home)
        )
        digest, size = hashlib.sha256(), 0
        with part.open("wb") as stream:
            for piece in pieces:
                digest.update(piece)
                size += stream.write(piece)
            stream.flush()
            os.fsync(stream.fileno())  # a copy that a power cut emptied would be believed afterwards
        expected = _expected(file, stat)
        if expected is not None and expected != (size, digest.hexdigest()):
            raise ArchiveError("archive-damaged", f"{file.home} does not hold what was published")
        return size, digest.hexdigest()

    def _remember_failure(self, file: StoredFile, key: str, error: ArchiveError) -> None:
        logger.warning("cannot unpack a stored file", extra={"path": file.home, "error": str(error)})
        with self._lock:
            self._failed[key] = error
            if len(self._failed) > _REMEMBERED_FAILURES:
                self._failed.popitem(last=False)

    def _make_room(self, newest: Path) -> None:
        """Drops copies until the rest fit; the newest stays, however big."""
        found = [(entry.stat(), Path(entry.path)) for entry in self._listed() if not entry.name.endswith(_UNFINISHED)]
        total = sum(stat.st_size for stat, _ in found)
        for stat, path in sorted(found, key=lambda one: one[0].st_mtime_ns):
            if total <= self._limit_bytes:
                return
            if path != newest:
                with contextlib.suppress(OSError):  # on Windows, somebody has it open
                    path.unlink()
                    total -= stat.st_size

    def _sweep(self) -> None:
        """Drops, once, what processes that died left unfinished."""
        if self._swept:
            return
        self._swept = True
        before = time.time() - _UNFINISHED_SECONDS
        for entry in self._listed():
            with contextlib.suppress(OSError):
                if entry.name.endswith(_UNFINISHED) and entry.stat().st_mtime < before:
                    Path(entry.path).unlink()

    def _listed(self) -> list["os.DirEntry[str]"]:
        try:
            with os.scandir(self._folder) as entries:
                return list(entries)
        except OSError:
            return []

    @contextlib.contextmanager
    def _one_at_a_time(self, key: str) -> Iterator[None]:
        with self._lock:
            lock, waiting = self._filling.get(key, (Lock(), 0))
            self._filling[key] = (lock, waiting + 1)
        try:
            with lock:
                yield
        finally:
            with self._lock:
                lock, waiting = self._filling.pop(key)
                if waiting > 1:
                    self._filling[key] = (lock, waiting - 1)


def copies_folder(state: Path, name: str) -> Path:
    """The folder for a store's copies; one that goes with the system's temporary files if that cannot be written."""
    folder = state / f"{name}.copies"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return folder
    except OSError:
        return Path(tempfile.gettempdir(), f"symsrv-{name}-{uuid.uuid4().hex}.copies")


def _key(stat: Stat) -> str:
    """One version of a stored file."""
    facts = f"{stat.path}\n{stat.size}\n{stat.modified_ns}\n{stat.sha256 or ''}"
    return hashlib.sha256(facts.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _expected(file: StoredFile, stat: Stat) -> tuple[int, str] | None:
    """What must come out, if the bytes that lie there are those on record."""
    if file.size != stat.size or file.modified_ns != stat.modified_ns:
        return None
    if file.encoding is None:
        return None if file.sha256 is None else (file.size, file.sha256)
    return None if file.plain_size is None or file.plain_sha256 is None else (file.plain_size, file.plain_sha256)
