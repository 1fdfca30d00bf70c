"""Demand: what the front does about a miss besides saying it: it is counted, perhaps fetched, perhaps explained."""

import logging
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from symsrv.metrics import ServeMetrics
from symsrv.model.ask import Ask
from symsrv.model.errors import SymsrvError
from symsrv.serve.agents import Agents, kind_of
from symsrv.serve.answer import Miss, Reason
from symsrv.serve.asgi import Receive, Scope, header
from symsrv.serve.pools import Pools
from symsrv.serve.pulling import PullingNumbers
from symsrv.serve.recorder import Recorder
from symsrv.serve.routes import Route
from symsrv.serve.send import watching
from symsrv.serve.through import PATIENCE, STILL_WORKING, FetchThrough, Outcome
from symsrv.store import SymbolStore
from symsrv.store.prospects import Refuse, hopeless, prospects
from symsrv.store.whereabouts import whereabouts

if TYPE_CHECKING:
    from symsrv.ledger.state import State

AGAIN_SECONDS = 10  # after which a client that waited in vain may ask again

logger = logging.getLogger(__name__)

_REASONS = {
    Outcome.FETCHING: Reason.FETCHING,
    Outcome.RESTING: Reason.RESTING,
    Outcome.SKIPLIST: Reason.SKIPLIST,
    Outcome.BLOCKED: Reason.BLOCKED,
    Outcome.NOT_ALLOWED: Reason.NOT_ALLOWED,
}


class Explain(StrEnum):
    """What anybody may hear of a miss: its reason, or also names, products, versions, servers."""

    WORDS = "reason"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Through:
    """That clients may wait for a fetch: how long, and for which names (globs; none: for nothing)."""

    wait_seconds: float = 10.0
    allow: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is done about misses. Without a state nothing is recorded and nobody waits.

    `refuse` says which upstreams are not asked for a name.
    """

    state: "State | None" = None
    record: bool = True
    explain: Explain = Explain.WORDS
    through: Through | None = None
    refuse: Refuse = lambda _ask: {}


class Demand:
    """What becomes of misses in one process."""

    def __init__(self, store: SymbolStore, pools: Pools, metrics: ServeMetrics, wanted: Wanted) -> None:
        self._store = store
        self._pools = pools
        self._wanted = wanted
        self._agents = Agents()
        self._recorder: Recorder | None = None
        self._through: FetchThrough | None = None
        state = wanted.state
        if state is None:
            return
        metrics.pulling = PullingNumbers(state)
        if wanted.record:
            self._recorder = Recorder(
                state.wants, counted=metrics.count_misses, revision=self._revision, here=self._is_here
            )
        if wanted.through is not None:
            self._through = FetchThrough(
                state.wants,
                refused=self._refused,
                wait_seconds=wanted.through.wait_seconds,
                allow=wanted.through.allow,
            )
            metrics.waiting = lambda: 0 if self._through is None else self._through.waiting
        self._metrics = metrics

    def missed(self, raw: bytes, ask: Ask | None, header_lines: bytes) -> bool:
        """Counts a miss that is answered at once; False if this client may wait, and nothing was counted."""
        through = self._through
        if through is not None and through.may_wait(ask) and not through.is_hushed(raw):
            return False
        if self._recorder is not None:
            self._recorder.miss(raw, self._agents.kind(header_lines))
        return True

    async def waited(self, raw: bytes, where: Route, scope: Scope, receive: Receive) -> Outcome | None:
        """Counts a miss, and lets the client wait if it may; None if it did not."""
        kind = kind_of(header(scope["headers"], b"user-agent"))
        through, outcome, filed = self._through, None, False
        if through is not None and where.ask is not None and through.may_wait(where.ask) and not through.is_hushed(raw):
            seconds = through.patience(scope["headers"])
            async with watching(receive) as gone:
                outcome, filed = await through.fetched(raw, where.ask, who=f"serve:{kind}", seconds=seconds, gone=gone)
            self._metrics.count_waits(outcome)
        if self._recorder is not None and not filed and outcome is not Outcome.ARRIVED:
            self._recorder.miss(raw, kind)
        return outcome

    async def catch_up(self) -> None:
        """Reads what was published, so that it is found."""
        await self._pools.in_io(self._store.catch_up)

    async def why(self, ask: Ask) -> dict[str, Any]:
        """What `symsrv why` says, as far as anybody may hear it; raises SymsrvError or OSError."""
        return await self._pools.in_state(self._explained, ask)

    def close(self) -> None:
        """Files what was counted, and lets nobody wait any longer."""
        if self._through is not None:
            self._through.close()
        if self._recorder is not None:
            self._recorder.close()

    def _revision(self) -> object:
        """The store's revision; a new one each time it cannot be read."""
        try:
            return self._store.revision()
        except (SymsrvError, OSError):
            return object()

    def _is_here(self, ask: Ask) -> bool:
        try:
            return bool(self._store.find(ask))
        except (SymsrvError, OSError):
            return False

    def _refused(self, ask: Ask) -> Outcome | None:
        """Why nobody would be asked, so that waiting is of no use."""
        state = self._wanted.state
        why = None if state is None else hopeless(state, ask, self._wanted.refuse)
        return None if why is None else Outcome(why.value)

    def _explained(self, ask: Ask) -> dict[str, Any]:
        full = self._wanted.explain is Explain.FULL
        found = whereabouts(self._store, ask)
        record = found.to_record() if full else found.to_short_record()
        try:
            state = self._wanted.state
            done = None if state is None or found.here else prospects(state, ask, self._wanted.refuse)
        except SymsrvError as exc:
            logger.info("cannot say what is done about it", extra={"error": str(exc)})
            done = None
        if done is not None:
            record["wanted"] = done.to_record() if full else done.to_short_record()
        return record


def refined(miss: Miss, outcome: Outcome | None) -> Miss:
    """A miss with what is known after waiting."""
    return Miss(_REASONS[outcome]) if outcome in _REASONS and miss.reason is Reason.NOT_FOUND else miss


def hints(outcome: Outcome | None, scope: Scope) -> list[tuple[bytes, bytes]]:
    """Headers for a client that waited in vain: when to ask again, and for Microsoft's client in its own words."""
    if outcome is not Outcome.FETCHING:
        return []
    found = [(b"retry-after", b"%d" % AGAIN_SECONDS)]
    return [*found, STILL_WORKING] if header(scope["headers"], PATIENCE) else found


__all__ = ["Demand", "Explain", "Through", "Wanted", "hints", "refined"]
