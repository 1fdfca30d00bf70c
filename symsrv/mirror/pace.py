"""Pace: how often an upstream is asked, and for how long not at all when it says so. Safe to share between threads."""

import random
import threading
import time

from symsrv.mirror.base import Unavailable

PATIENCE_SECONDS = 120.0
"""For longer than this nobody waits: who asks is told when to come again."""
LONGEST_PAUSE_SECONDS = 30.0


class Pace:
    """The times at which requests may go out to one upstream."""

    def __init__(self, rate: float | None) -> None:
        self._gap = 1 / rate if rate else 0.0
        self._next = 0.0
        self._blocked_until = 0.0
        self._lock = threading.Lock()
        self._closed = threading.Event()

    def turn(self) -> None:
        """Waits until a request may go out; raises Unavailable if that would take too long, or after `close`."""
        now = time.monotonic()
        with self._lock:
            if self._blocked_until - now > PATIENCE_SECONDS:
                wait = self._blocked_until - now
                raise Unavailable("busy", f"it asked to be left alone for {wait:.0f} s more", retry_after=wait)
            at = max(now, self._next, self._blocked_until)
            self._next = at + self._gap
        self.sleep(at - now)

    def leave_alone(self, seconds: float) -> None:
        """Lets no request out for a while, whoever asks."""
        with self._lock:
            self._blocked_until = max(self._blocked_until, time.monotonic() + seconds)

    def sleep(self, seconds: float) -> None:
        """Sleeps, unless it is closed before: then raises Unavailable."""
        if self._closed.is_set() or (seconds > 0 and self._closed.wait(seconds)):
            raise Unavailable("closed", "the upstream was closed")

    @property
    def closed(self) -> bool:
        """Whether it is over."""
        return self._closed.is_set()

    def close(self) -> None:
        """Wakes everybody who waits."""
        self._closed.set()


def backoff(pause: float, number: int, *, chance: float | None = None) -> float:
    """How long to wait before try `number` + 1: doubles from `pause` up to 30 s; between half of it and all of it."""
    longest = min(LONGEST_PAUSE_SECONDS, pause * 2.0 ** min(number - 1, 10))
    return longest * (0.5 + 0.5 * (random.random() if chance is None else chance))
