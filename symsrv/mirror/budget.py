"""Budgets: at which hours, how many bytes a day and down to how little free disk anything is fetched."""

import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Window:
    """A part of the day by the local clock; it may lie across midnight. The same time twice is the whole day."""

    begins: time
    ends: time

    @classmethod
    def of(cls, text: str | None) -> "Window | None":
        """`22:00-06:00` taken apart, None for none; raises ValueError for no time of day."""
        if text is None:
            return None
        begins, _, ends = text.partition("-")
        return cls(time.fromisoformat(begins), time.fromisoformat(ends))

    def is_open(self, now: datetime) -> bool:
        """Whether a moment lies in it."""
        clock = now.astimezone().time()
        if self.begins < self.ends:
            return self.begins <= clock < self.ends
        return self.begins == self.ends or clock >= self.begins or clock < self.ends

    def opens(self, now: datetime) -> datetime:
        """When it opens next after a moment at which it is shut."""
        local = now.astimezone().replace(tzinfo=None)
        today = datetime.combine(local, self.begins)
        return (today if today > local else today + _DAY).astimezone().astimezone(UTC)


def tomorrow(now: datetime) -> datetime:
    """When the next day's budget begins: days are UTC's, the same for all machines."""
    return datetime.combine(now.astimezone(UTC).date() + _DAY, time(), tzinfo=UTC)


def has_room(folder: Path, keep_free: int) -> bool:
    """Whether the disk of a folder, which may still have to be made, has more room than is to be kept free."""
    there = next(one for one in (folder, *folder.parents) if one.exists())
    return shutil.disk_usage(there).free >= keep_free


class Spent:
    """How many bytes each upstream gave today: what everybody's record says, and what is not in it yet."""

    def __init__(self, recorded: Callable[[], dict[str, int]], record: Callable[[str, int], object]) -> None:
        self._recorded = recorded
        self._record = record
        self._known: dict[str, int] = {}
        self._fresh: dict[str, int] = {}
        self._lock = threading.Lock()

    def add(self, upstream: str, received: int) -> None:
        """Counts bytes that came."""
        with self._lock:
            self._fresh[upstream] = self._fresh.get(upstream, 0) + received

    def of(self, upstream: str) -> int:
        """What one gave today."""
        with self._lock:
            return self._known.get(upstream, 0) + self._fresh.get(upstream, 0)

    def all(self) -> int:
        """What all gave today."""
        with self._lock:
            return sum(self._known.values()) + sum(self._fresh.values())

    def flush(self) -> None:
        """Records what came since, and reads what others have recorded."""
        with self._lock:
            fresh, self._fresh = self._fresh, {}
            for upstream, received in fresh.items():  # until it is read back
                self._known[upstream] = self._known.get(upstream, 0) + received
        for upstream, received in fresh.items():
            self._record(upstream, received)
        known = self._recorded()
        with self._lock:
            self._known = known
