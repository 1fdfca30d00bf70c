"""Lanes: work for each upstream in a queue of its own, so that one in trouble never holds up the others.

So many threads in all, and of them so many for one upstream. Where several are connected, none gets more than three
quarters: a dead one may let each of its threads wait for as long as connecting takes, and the rest goes on.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

logger = logging.getLogger(__name__)

Work = Callable[[], object]


@dataclass(slots=True)
class _Lane:
    limit: int
    queue: deque[Work] = field(default_factory=deque)
    running: int = 0


class Lanes:
    """Threads, made when they are first needed, that take from the lanes in turn."""

    def __init__(self, total: int, limits: Mapping[str, int]) -> None:
        self._total = total
        self._lanes: dict[str, _Lane] = {}
        self._change = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._running = 0
        self._closed = False
        self.reload(total, limits)

    def reload(self, total: int, limits: Mapping[str, int]) -> None:
        """Sets how many may run in all, and in each lane; lanes that are not named any more only run empty."""
        with self._change:
            self._total = total
            for name, limit in limits.items():
                self._lanes.setdefault(name, _Lane(limit)).limit = limit
            for name in [name for name, lane in self._lanes.items() if name not in limits and not lane.queue]:
                del self._lanes[name]
            self._change.notify_all()

    def put(self, name: str, work: Work, *, first: bool = False) -> None:
        """Adds work to the end of a lane, or to its head; after `close` nothing is begun any more."""
        with self._change:
            if self._closed:
                return
            queue = self._lanes.setdefault(name, _Lane(1)).queue
            if first:
                queue.appendleft(work)
            else:
                queue.append(work)
            waiting = sum(len(lane.queue) for lane in self._lanes.values())
            if len(self._threads) - self._running < waiting and len(self._threads) < self._total:
                thread = threading.Thread(target=self._run, name=f"pull-{len(self._threads) + 1}", daemon=True)
                self._threads.append(thread)
                thread.start()
            self._change.notify()

    @property
    def free(self) -> int:
        """How many more pieces of work could run now; work that waits for its own lane is none of them."""
        with self._change:
            ready = sum(min(len(lane.queue), max(0, self._cap(lane) - lane.running)) for lane in self._lanes.values())
            return max(0, self._total - self._running - ready)

    @property
    def running(self) -> dict[str, int]:
        """How many run now, by lane."""
        with self._change:
            return {name: lane.running for name, lane in self._lanes.items() if lane.running}

    def close(self, *, wait_seconds: float | None = None) -> bool:
        """Begins nothing more and waits for what runs; whether all of it ended in time."""
        with self._change:
            self._closed = True
            for lane in self._lanes.values():
                lane.queue.clear()
            self._change.notify_all()
            return self._change.wait_for(lambda: not self._running, timeout=wait_seconds)

    def _run(self) -> None:
        while True:
            with self._change:
                while (lane := self._next()) is None:
                    if self._closed:
                        return
                    self._change.wait()
                work = lane.queue.popleft()
                lane.running += 1
                self._running += 1
            try:
                work()
            except Exception:
                logger.exception("a download ended in a defect")
            finally:
                with self._change:
                    lane.running -= 1
                    self._running -= 1
                    self._change.notify_all()

    def _next(self) -> _Lane | None:
        """The lane whose turn it is; it goes to the end of the row."""
        if self._running >= self._total:
            return None
        for name, lane in self._lanes.items():
            if lane.queue and lane.running < self._cap(lane):
                self._lanes[name] = self._lanes.pop(name)
                return lane
        return None

    def _cap(self, lane: _Lane) -> int:
        return lane.limit if len(self._lanes) < 2 else min(lane.limit, max(1, self._total * 3 // 4))
