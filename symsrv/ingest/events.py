"""What the system says about changes: a hint to look sooner, never the reason to believe anything."""

import logging
import threading
import warnings
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from watchdog.events import FileSystemEventHandler
    from watchdog.observers.api import BaseObserver

logger = logging.getLogger(__name__)

# Opening and closing for reading are events, too, and our own sweeps make them.
_MEANING = frozenset({"created", "modified", "moved", "deleted", "closed"})


class Events:
    """Sets `hint` when something changes below the folders; `alive` says whether it can."""

    def __init__(self, folders: Sequence[str], hint: threading.Event, *, wanted: bool = True) -> None:
        self._folders = folders
        self._hint = hint
        self._watches: dict[str, tuple[int, Any]] = {}
        self._observer: BaseObserver | None = None
        self._overflow = _Overflow(hint)
        if wanted:
            self._start()

    @property
    def alive(self) -> bool:
        """Whether events are to be expected for every folder."""
        return (
            self._observer is not None and self._observer.is_alive() and len(self._watches) == len(set(self._folders))
        )

    def renew(self) -> None:
        """Listens to folders that have appeared or are others than before."""
        observer = self._observer
        if observer is None:
            return
        for folder in self._folders:
            try:
                inode = Path(folder).stat().st_ino
            except OSError:
                inode = None
            known = self._watches.get(folder)
            if known is not None and known[0] == inode:
                continue
            if known is not None:
                del self._watches[folder]
                with suppress(KeyError, OSError, RuntimeError):
                    observer.unschedule(known[1])
            if inode is not None:
                try:
                    self._watches[folder] = (inode, observer.schedule(_handler(self._hint), folder, recursive=True))
                except (OSError, RuntimeError) as error:
                    logger.warning("no events, looking often instead", extra={"folder": folder, "error": str(error)})
                    self.close()
                    return

    def close(self) -> None:
        """Stops listening."""
        logging.getLogger("watchdog").removeHandler(self._overflow)
        observer, self._observer = self._observer, None
        self._watches.clear()
        if observer is not None and observer.is_alive():
            observer.stop()
            observer.join()

    def _start(self) -> None:
        # A folder that appears while watchdog looks at its parent is added twice; it says so in a paragraph and copes.
        warnings.filterwarnings("ignore", message="Callback with id", category=RuntimeWarning)
        try:
            from watchdog.observers import Observer

            self._observer = Observer()
            self._observer.start()
            logging.getLogger("watchdog").addHandler(self._overflow)
            self.renew()
        except (ImportError, OSError, RuntimeError) as error:
            logger.warning("no events, looking often instead", extra={"error": str(error)})
            self.close()


def _handler(hint: threading.Event) -> "FileSystemEventHandler":
    """What watchdog calls, in a thread of its own."""
    from watchdog.events import FileSystemEvent, FileSystemEventHandler

    class Handler(FileSystemEventHandler):
        def dispatch(self, event: FileSystemEvent) -> None:
            if event.event_type in _MEANING:
                hint.set()

    return Handler()


class _Overflow(logging.Handler):
    """Watchdog only logs that its queue ran over: that is a hint like any other."""

    def __init__(self, hint: threading.Event) -> None:
        super().__init__(logging.WARNING)
        self._hint = hint

    def emit(self, record: logging.LogRecord) -> None:
        self._hint.set()
