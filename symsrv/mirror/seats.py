"""Seats: how many connections an upstream has for files, and whether there is one to spare for a part of a big one."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Seats:
    """Files come first: they take a seat whether there is one or not. Helpers take what is left."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._files = 0
        self._helpers = 0
        self._lock = threading.Lock()

    @contextmanager
    def file(self) -> Iterator[None]:
        """For as long as a file is fetched."""
        with self._lock:
            self._files += 1
        try:
            yield
        finally:
            with self._lock:
                self._files -= 1

    def take(self) -> bool:
        """Takes a seat for a helper, if there is one."""
        with self._lock:
            free = self._files + self._helpers < self._count
            self._helpers += free
            return free

    def leave(self) -> None:
        """Gives a helper's seat back."""
        with self._lock:
            self._helpers -= 1

    @property
    def fit(self) -> bool:
        """Whether all have a seat: helpers that begin something else look before."""
        with self._lock:
            return self._files + self._helpers <= self._count
