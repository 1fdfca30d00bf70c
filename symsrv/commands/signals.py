"""Signals for what runs until it is stopped: the first ends it in order, the second at once, a hangup reloads."""

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, Self


class Signals:
    """Sets `stop` at the first signal and lets the second end the process; `number` is the first one's.

    A hangup sets `reload`, unless it comes from a terminal that went away, where nobody is left to be served. On
    Windows Ctrl-Break, and as far as Python tells of it the closing of the console, are signals like any other.
    """

    def __init__(self, *, reloads: bool = False) -> None:
        self.stop = threading.Event()
        self.reload = threading.Event()
        self.number: int | None = None
        self._reloads = reloads and not _has_terminal()
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"):
            number = getattr(signal, name, None)
            with suppress(ValueError):  # not in the main thread: somebody else minds signals
                if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                    hangup = name == "SIGHUP" and self._reloads
                    self._before[number] = signal.signal(number, self._hang_up if hangup else self._end)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            with suppress(ValueError, TypeError):
                signal.signal(number, handler)

    def came(self, number: int | None) -> None:
        """Counts a signal that somebody else listened to; the next one is the second."""
        self.number = self.number or number
        self.stop.set()

    def _end(self, number: int, _frame: FrameType | None) -> None:
        if self.stop.is_set():
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        self.came(number)

    def _hang_up(self, _number: int, _frame: FrameType | None) -> None:
        self.reload.set()


@contextmanager
def hangups(heard: Callable[[], None]) -> Iterator[None]:
    """Calls `heard` for a hangup instead of ending the process, unless it is the terminal's that went away."""
    number = getattr(signal, "SIGHUP", None)
    before: Any = None
    if number is not None and not _has_terminal():
        with suppress(ValueError):  # not in the main thread: somebody else minds signals
            before = signal.signal(number, lambda *_: heard())
    try:
        yield
    finally:
        if before is not None and number is not None:
            signal.signal(number, before)


def _has_terminal() -> bool:
    return any(stream is not None and stream.isatty() for stream in (sys.__stdin__, sys.__stderr__))
