"""What the system says about changes: a hint to look sooner, never the reason to believe anything."""

import logging
import sys
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from watchdog.events import FileSystemEvent, FileSystemEventHandler
    from watchdog.observers.api import BaseObserver

logger = logging.getLogger(__name__)

Heard = Callable[[str | None], object]


class Events:
    """Calls `heard` with a folder when something changes below it, and with None when events were lost.

    It is called from other threads. `alive` says whether events of a folder are to be expected at all.
    """

    def __init__(self, heard: Heard) -> None:
        self._heard = heard
        self._watches: dict[str, tuple[int, Any]] = {}
        self._refused: dict[str, int] = {}
        self._observer: BaseObserver | None = None
        self._overflow = _Overflow(heard)
        self._broken = False

    def alive(self, folder: str) -> bool:
        """Whether events are to be expected for a folder."""
        return self._observer is not None and self._observer.is_alive() and folder in self._watches

    def renew(self, folders: Sequence[str]) -> None:
        """Listens to these folders and no others: to those that have appeared, and that are others than before."""
        if folders and self._observer is None:
            self._start()
        observer = self._observer
        if observer is None:
            return
        inodes = {folder: _inode(folder) for folder in folders}
        for folder in [one for one, known in self._watches.items() if known[0] != inodes.get(one)]:
            _, watch = self._watches.pop(folder)
            with suppress(KeyError, OSError, RuntimeError):
                observer.unschedule(watch)
        for folder, inode in inodes.items():
            if inode is not None and folder not in self._watches and self._refused.get(folder) != inode:
                self._schedule(observer, folder, inode)

    def close(self) -> None:
        """Stops listening."""
        logging.getLogger("watchdog").removeHandler(self._overflow)
        observer, self._observer = self._observer, None
        self._watches.clear()
        if observer is not None and observer.is_alive():
            observer.stop()
            observer.join()

    def _schedule(self, observer: "BaseObserver", folder: str, inode: int) -> None:
        try:
            handler = _handler(lambda: self._heard(folder))
            watch = observer.schedule(handler, folder, recursive=True, event_filter=_kinds())
            self._watches[folder] = (inode, watch)
        except (OSError, RuntimeError) as error:
            self._refused[folder] = inode
            logger.warning("no events, looking often instead", extra={"folder": folder, "error": str(error)})

    def _start(self) -> None:
        if self._broken:
            return
        # A folder that appears while watchdog looks at its parent is added twice; it says so in a paragraph and copes.
        warnings.filterwarnings("ignore", message="Callback with id", category=RuntimeWarning)
        try:
            from watchdog.observers import Observer

            self._observer = Observer()
            self._observer.start()
            logging.getLogger("watchdog").addHandler(self._overflow)
        except (ImportError, OSError, RuntimeError) as error:
            self._broken = True
            logger.warning("no events, looking often instead", extra={"error": str(error)})
            self.close()


def _inode(folder: str) -> int | None:
    try:
        return Path(folder).stat().st_ino
    except OSError:
        return None


def _kinds() -> "list[type[FileSystemEvent]]":
    """What is listened for.

    Opening and closing for reading are events, too, and our own sweeps make them by the hundred thousand. On Linux
    every single write is one, which says nothing that the closing will not say.
    """
    from watchdog import events

    kinds: list[type[FileSystemEvent]] = [
        events.FileCreatedEvent,
        events.FileDeletedEvent,
        events.FileMovedEvent,
        events.DirCreatedEvent,
        events.DirDeletedEvent,
        events.DirMovedEvent,
    ]
    return [*kinds, events.FileClosedEvent if sys.platform == "linux" else events.FileModifiedEvent]


def _handler(heard: Callable[[], object]) -> "FileSystemEventHandler":
    """What watchdog calls, in a thread of its own."""
    from watchdog.events import FileSystemEvent, FileSystemEventHandler

    class Handler(FileSystemEventHandler):
        def dispatch(self, event: FileSystemEvent) -> None:
            heard()

    return Handler()


class _Overflow(logging.Handler):
    """Watchdog only logs that its queue ran over: that is a hint like any other."""

    def __init__(self, heard: Heard) -> None:
        super().__init__(logging.WARNING)
        self._heard = heard

    def emit(self, record: logging.LogRecord) -> None:
        self._heard(None)
