"""What clients missed, on its way to the missing list: counted in memory, filed in batches by a thread of its own.

A miss costs no more than a dictionary's update, however slow the state is. What there is no room for is dropped, and
counted.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Protocol

from symsrv.model.ask import Ask
from symsrv.model.errors import SymsrvError
from symsrv.model.wants import WantState, Wish, want_key
from symsrv.model.wishes import is_wish
from symsrv.serve.routes import route

EVERY_SECONDS = 1.0
LIMIT_MISSES = 10_000
LIMIT_BYTES = 4 << 20
BATCH_WISHES = 500
LIMIT_WANTS = 1_000_000
COUNT_SECONDS = 60.0
COMPLAINT_SECONDS = 60.0

logger = logging.getLogger(__name__)


class Filed(Protocol):
    """The missing list, as `ledger.state` has it."""

    def file(self, wishes: list[Wish]) -> object:
        """Takes in wishes."""

    def counts(self) -> Mapping[WantState, int]:
        """How many wants there are in each state."""


class Recorder:
    """Misses by path and kind of client. `miss` may be called in any thread; the first one starts the filing.

    `revision` moves when something was published. What came between a miss and its filing is looked up by `here` and
    not filed: its want would be answered by nothing any more.
    """

    def __init__(
        self,
        wants: Filed,
        *,
        every_seconds: float = EVERY_SECONDS,
        limit: int = LIMIT_MISSES,
        limit_bytes: int = LIMIT_BYTES,
        limit_wants: int = LIMIT_WANTS,
        counted: Callable[[str, int], None] = lambda _outcome, _number: None,
        revision: Callable[[], object] = lambda: None,
        here: Callable[[Ask], bool] = lambda _ask: False,
    ) -> None:
        self._wants = wants
        self._every = every_seconds
        self._limit = limit
        self._limit_bytes = limit_bytes
        self._limit_wants = limit_wants
        self._counted = counted
        self._revision = revision
        self._here = here
        self._lock = threading.Lock()  # about misses
        self._filing = threading.Lock()
        self._misses: dict[tuple[bytes, str], int] = {}
        self._bytes = 0
        self._since, self._before = 0.0, revision()
        self._dropped = 0
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None
        self._complained_at = self._counted_at = -COMPLAINT_SECONDS
        self._full = False

    def miss(self, raw: bytes, kind: str) -> None:
        """Notes that a client of this kind got nothing by a raw path."""
        key = raw, kind
        with self._lock:
            misses = self._misses
            before = misses.get(key)
            if before is not None:
                misses[key] = before + 1
                return
            if not misses:
                self._begin()
            self._bytes += len(raw)
            if len(misses) < self._limit and self._bytes <= self._limit_bytes:
                misses[key] = 1
            else:
                self._bytes -= len(raw)
                self._dropped += 1

    def flush(self) -> None:
        """Files what was noted until now; whoever calls waits for it."""
        with self._filing:
            with self._lock:
                misses, self._misses = self._misses, {}
                since, before, dropped = self._since, self._before, self._dropped
                self._bytes = self._dropped = 0
            wishes = _wishes(misses, datetime.fromtimestamp(since, UTC))
            if wishes and self._revision() != before:
                wishes = [one for one in wishes if not self._here(one.ask)]
            for start in range(0, len(wishes), BATCH_WISHES):
                batch = wishes[start : start + BATCH_WISHES]
                number = sum(one.count for one in batch)
                if self._file(batch):
                    self._counted("recorded", number)
                else:
                    dropped += number
            if dropped:
                self._counted("dropped", dropped)
                self._complain("misses were not recorded", dropped=dropped)

    def close(self) -> None:
        """Files what is left, and ends the thread."""
        self._closed.set()
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join()
        self.flush()

    def _begin(self) -> None:
        # Of all misses of a batch: who missed something before it was published did not wish for it afterwards.
        self._since, self._before = time.time(), self._revision()
        if self._thread is None and not self._closed.is_set():
            self._thread = threading.Thread(target=self._run, name="symsrv-misses", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while not self._closed.wait(self._every):
            try:
                self.flush()
            except Exception:
                logger.exception("could not record misses")

    def _file(self, batch: list[Wish]) -> bool:
        try:
            if self._has_room():
                self._wants.file(batch)
                return True
        except (SymsrvError, OSError) as exc:
            self._complain("cannot record misses", error=str(exc))
        return False

    def _has_room(self) -> bool:
        """Whether the list may grow: somebody who asks for random ids must not fill the disk."""
        now = time.monotonic()
        if now - self._counted_at > COUNT_SECONDS:
            self._counted_at = now
            self._full = sum(self._wants.counts().values()) >= self._limit_wants
            if self._full:
                self._complain("the missing list is full; 'symsrv missing --forget' makes room")
        return not self._full

    def _complain(self, sentence: str, **fields: object) -> None:
        if time.monotonic() - self._complained_at > COMPLAINT_SECONDS:
            self._complained_at = time.monotonic()
            logger.warning(sentence, extra=fields)


def _wishes(misses: Mapping[tuple[bytes, str], int], seen: datetime) -> list[Wish]:
    """One wish for each want and kind of client. A debugger that also tries `foo.pd_` wishes once and not twice."""
    found: dict[tuple[str, str], Wish] = {}
    tried: dict[tuple[str, str, bool], int] = {}
    for (raw, kind), number in misses.items():
        ask = route(raw).ask
        if ask is None or not is_wish(ask):
            continue
        place = want_key(ask), kind
        found.setdefault(place, Wish(ask, f"serve:{kind}", seen=seen))
        tried[*place, ask.packed] = tried.get((*place, ask.packed), 0) + number
    return [
        Wish(wish.ask, wish.who, max(tried.get((*place, packed), 0) for packed in (False, True)), seen=wish.seen)
        for place, wish in found.items()
    ]
