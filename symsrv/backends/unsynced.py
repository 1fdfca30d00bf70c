"""What was changed and is not durable yet, so that one `sync` makes all of it durable with each fsync done once."""

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

from symsrv.backends.files import Files

_THREADS = 8  # fsync waits for the disk; 8 at once take half the time of one after the other
_INLINE = 2  # not worth a pool
MANY = 64  # from here on one sync of the whole file system is cheaper, though it takes others' writes along


class Unsynced:
    """Files and folders that await their fsync. A change is noted after it was made, never before."""

    def __init__(self, files: Files, *, many: int = MANY) -> None:
        self._change_files = files
        self._many = many
        self._files: set[str] = set()
        self._folders: set[str] = set()
        self._rooted: set[str] = set()
        self._notes = threading.Lock()
        self._one_sync = threading.Lock()

    def note_file(self, path: str) -> None:
        """Notes a file whose bytes changed."""
        with self._notes:
            self._files.add(path)

    def note_folder(self, folder: str) -> None:
        """Notes a folder in which a name changed, and those above it, whoever made them: a crashed writer, maybe."""
        with self._notes:
            self._folders.update(chain(folder))

    def note_rename(self, path: str, target: str) -> None:
        """Notes that a file has another name now; bytes that await their fsync are found by it."""
        with self._notes:
            if path in self._files:
                self._files.add(target)
            self._folders.update(chain(parent(path)), chain(parent(target)))

    def note_made(self, folder: str) -> None:
        """Notes a new folder."""
        with self._notes:
            self._rooted.discard(folder)
            self._folders.update(chain(parent(folder)))

    def note_removed(self, folder: str) -> None:
        """Notes that a folder is gone."""
        with self._notes:
            self._rooted.discard(folder)
            self._folders.update(chain(parent(folder)))

    def sync_at_once(self, folder: str) -> None:
        """Makes the names in one folder durable; the folders above it when this object does so for the first time."""
        self._change_files.sync_folder(folder)
        if folder not in self._rooted:
            for above in chain(parent(folder)) if folder else ():
                self._change_files.sync_folder(above)
            with self._notes:
                self._rooted.add(folder)

    def sync(self) -> None:
        """Makes everything noted durable. Waits for a sync under way: it may be at what the caller wants durable."""
        with self._one_sync:
            with self._notes:
                files, self._files = self._files, set()
                folders, self._folders = self._folders, set()
            try:
                if len(files) + len(folders) < self._many or not self._change_files.sync_all():
                    _each(self._change_files.sync_file, files)
                    _each(self._change_files.sync_folder, folders)
            except BaseException:
                with self._notes:
                    self._files |= files
                    self._folders |= folders
                raise


def parent(path: str) -> str:
    """The folder of a path; the root's is the root."""
    return path.rpartition("/")[0]


def chain(folder: str) -> Iterator[str]:
    """A folder and every one above it, the root last."""
    while folder:
        yield folder
        folder = parent(folder)
    yield ""


def _each(action: Callable[[str], None], paths: Iterable[str]) -> None:
    def unless_gone(path: str) -> None:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):  # deleted since, and that is noted too
            action(path)

    todo = sorted(paths)
    if len(todo) <= _INLINE:
        for path in todo:
            unless_gone(path)
        return
    with ThreadPoolExecutor(min(_THREADS, len(todo)), thread_name_prefix="sync") as pool:
        list(pool.map(unless_gone, todo))
