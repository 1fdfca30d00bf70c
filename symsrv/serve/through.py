"""Fetch-through: a client waits while what it misses is fetched by whichever puller claims it.

What waits is an urgent want in the state; nothing here asks another server. One thread files and looks for all who
wait, so that neither a slow state nor many waiters take a thread from hits.
"""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any, Protocol

from symsrv.model.ask import Ask, Wants
from symsrv.model.errors import SymsrvError
from symsrv.model.names import fold
from symsrv.model.wants import Want, WantState, Wish, want_key
from symsrv.model.wishes import is_wish
from symsrv.serve.asgi import Headers, header

WAITERS = 64
POLL_SECONDS = 0.1
LONGEST_SECONDS = 60.0
HUSH_SECONDS = 10.0
COMPLAINT_SECONDS = 60.0
_HUSHED = 4096
PATIENCE = b"symbol-agent-receive-timeout"
_ANSWERED_AFTER = 5 / 6  # of what the client waits: SymProxy answers after 25 of 30 seconds
STILL_WORKING = (b"symbol-agent-status", b"0x80070512")
"""Tells Microsoft's client that it may ask again on this connection (ERROR_APP_HANG; clients.md 2.2)."""

logger = logging.getLogger(__name__)


class Outcome(StrEnum):
    """What came of waiting. FETCHING: time is over, and it may still come. BUSY: too many wait already."""

    ARRIVED = "arrived"
    FETCHING = "fetching"
    RESTING = "resting"
    SKIPLIST = "skiplist"
    BLOCKED = "blocked"
    NOT_ALLOWED = "not-allowed"
    BUSY = "busy"
    FAILED = "failed"


_OF_STATES = {
    WantState.OPEN: None,
    WantState.CLAIMED: None,
    WantState.RESTING: Outcome.RESTING,
    WantState.GIVEN_UP: Outcome.SKIPLIST,
    WantState.ANSWERED: Outcome.ARRIVED,
}


_OF_NO_USE = (Outcome.RESTING, Outcome.SKIPLIST, Outcome.BLOCKED, Outcome.NOT_ALLOWED)


class Filed(Protocol):
    """The missing list, as `ledger.state` has it."""

    def file(self, wishes: list[Wish]) -> Sequence[int]:
        """Takes in wishes; the numbers of their wants."""

    def get(self, number: int) -> Want | None:
        """The want of that number."""


@dataclass(slots=True)
class _Waited:
    """One want that clients wait for: `clients` how many there are, `number` its own once it was filed."""

    ask: Ask
    who: str
    future: "asyncio.Future[Outcome]"
    clients: int = 0
    number: int | None = None


class FetchThrough:
    """Lets clients wait; for one event loop. Who waits for the same file waits for the same want."""

    def __init__(
        self,
        wants: Filed,
        *,
        refused: Callable[[Ask], Outcome | None] = lambda _ask: None,
        wait_seconds: float = 10.0,
        allow: Sequence[str] = (),
        waiters: int = WAITERS,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self._wants = wants
        self._refused = refused
        self._wait_seconds = wait_seconds
        self._globs = tuple(map(fold, allow))
        self._limit = waiters
        self._poll_seconds = poll_seconds
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="symsrv-through")
        self._waited: dict[str, _Waited] = {}
        self._new: list[_Waited] = []
        self._poller: asyncio.Task[None] | None = None
        self._woken = asyncio.Event()
        self._hushed: OrderedDict[bytes, float] = OrderedDict()
        self._complained_at = -COMPLAINT_SECONDS
        self.waiting = 0
        self._allows = lru_cache(4096)(self._matches)

    def may_wait(self, ask: Ask | None) -> bool:
        """Whether anybody may have this fetched so.

        Not the packed twin and not a section: their clients asked for the file itself just before, or will.
        """
        if ask is None or ask.packed or ask.wants is Wants.SECTION:
            return False
        return self._allows(fold(ask.name or "")) and is_wish(ask)

    def is_hushed(self, raw: bytes) -> bool:
        """Whether it was said lately that waiting for this path is of no use."""
        until = self._hushed.get(raw)
        if until is not None and until <= time.monotonic():
            del self._hushed[raw]
            return False
        return until is not None

    def patience(self, headers: Headers) -> float:
        """How many seconds a client is let wait, by what it says of itself."""
        said = header(headers, PATIENCE).strip()
        if not said.isdigit() or len(said) > 9:
            return self._wait_seconds
        return min(int(said) / 1000 * _ANSWERED_AFTER, LONGEST_SECONDS)

    async def fetched(
        self, raw: bytes, ask: Ask, *, who: str, seconds: float, gone: "asyncio.Future[None] | None" = None
    ) -> tuple[Outcome, bool]:
        """Waits until the want is settled, time is over or the client has gone; and whether its wish was filed."""
        if self.waiting >= self._limit:
            return Outcome.BUSY, False
        key = want_key(ask)
        waited = self._waited.get(key)
        first = waited is None
        if waited is None:
            waited = self._waited[key] = _Waited(ask, who, asyncio.get_running_loop().create_future())
            self._new.append(waited)
            self._wake()
        self.waiting += 1
        waited.clients += 1
        try:
            futures: set[asyncio.Future[Any]] = {waited.future, *(() if gone is None else (gone,))}
            await asyncio.wait(futures, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.waiting -= 1
            waited.clients -= 1
            if not waited.clients and self._waited.get(key) is waited:
                del self._waited[key]
        outcome = waited.future.result() if waited.future.done() else Outcome.FETCHING
        if outcome in _OF_NO_USE:
            self._hush(raw)
        return outcome, first and outcome is not Outcome.FAILED

    def close(self) -> None:
        """Ends the thread, and waits for it; wishes that were not filed yet are lost."""
        if self._poller is not None and not self._poller.get_loop().is_closed():
            self._poller.cancel()
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _matches(self, name: str) -> bool:
        return any(fnmatchcase(name, one) for one in self._globs)

    def _hush(self, raw: bytes) -> None:
        self._hushed[raw] = time.monotonic() + HUSH_SECONDS
        while len(self._hushed) > _HUSHED:
            self._hushed.popitem(last=False)

    def _wake(self) -> None:
        self._woken.set()
        if self._poller is None or self._poller.done():
            self._poller = asyncio.ensure_future(self._poll())

    async def _poll(self) -> None:
        while self._waited or self._new:
            self._woken.clear()
            new, self._new = self._new, []
            waited = [one for one in self._waited.values() if one.number is not None]
            try:
                loop = asyncio.get_running_loop()
                outcomes = await loop.run_in_executor(self._executor, self._look, new, waited)
            except (SymsrvError, OSError) as exc:
                self._complain(exc)
                outcomes = dict.fromkeys(range(len(new) + len(waited)), Outcome.FAILED)
            for place, outcome in outcomes.items():
                future = (*new, *waited)[place].future
                if not future.done():
                    future.set_result(outcome)
            await self._pause()

    async def _pause(self) -> None:
        try:
            await asyncio.wait_for(self._woken.wait(), self._poll_seconds)
        except TimeoutError:
            return

    def _look(self, new: Sequence[_Waited], waited: Sequence[_Waited]) -> Mapping[int, Outcome]:
        """Files the new ones, and says which are settled, by their place in both; in the thread."""
        found: dict[int, Outcome] = {}
        if new:
            refused = ((place, self._refused(one.ask)) for place, one in enumerate(new))
            found = {place: outcome for place, outcome in refused if outcome is not None}
            wishes = [Wish(one.ask, one.who, urgent=place not in found) for place, one in enumerate(new)]
            for one, number in zip(new, self._wants.file(wishes), strict=True):
                one.number = number
        for place, one in enumerate((*new, *waited)):
            want = None if one.number is None else self._wants.get(one.number)
            outcome = Outcome.FAILED if want is None else _OF_STATES[want.state]
            if outcome is not None:
                found.setdefault(place, outcome)
        return found

    def _complain(self, exc: Exception) -> None:
        if time.monotonic() - self._complained_at > COMPLAINT_SECONDS:
            self._complained_at = time.monotonic()
            logger.warning("cannot have what is missed fetched", extra={"error": str(exc)})
