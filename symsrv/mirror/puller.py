"""The puller: takes wants out of the queue, has them fetched, and writes down what came of it.

One thread, the caller's, claims wants and writes rests and the log; lanes of threads download; one thread publishes.
A want is claimed for a while and the claim renewed, so that one process fetches it however many share the state.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from symsrv.ledger.state import Arrival, Rest, State
from symsrv.mirror.arrivals import settle
from symsrv.mirror.chances import Chance, chances
from symsrv.mirror.claims import Claims
from symsrv.mirror.converting import converts, notice
from symsrv.mirror.gates import Gates
from symsrv.mirror.lanes import Lanes
from symsrv.mirror.log import Log
from symsrv.mirror.material import partner
from symsrv.mirror.outcomes import Conclusion, conclude
from symsrv.mirror.partners import partner_wishes
from symsrv.mirror.parts import Parts
from symsrv.mirror.publishing import Published, Publisher
from symsrv.mirror.roster import Roster
from symsrv.mirror.rounds import Arrival as Came
from symsrv.mirror.rounds import Heard, Round, Tools
from symsrv.mirror.settings import MirrorOptions
from symsrv.mirror.telling import announce
from symsrv.model.ask import Wants
from symsrv.model.errors import StoreError
from symsrv.model.wants import Want, WantState, want_key
from symsrv.store import SymbolStore

logger = logging.getLogger(__name__)

STOP_SECONDS = 5.0
"""How long a stop lets downloads end by themselves; the parts of what is broken off stay."""
_POLL_SECONDS = 0.25
_FLUSH_SECONDS = 1.0
_REFUSED_SECONDS = 10.0
_TROUBLE_SECONDS = 5.0
_PRUNE_SECONDS = 3600.0
_AGAIN_SECONDS = 12 * 3600.0
"""When something is fetched again that the store did not take."""
_AHEAD = 2
"""Wants under way for each download that may be: who waits for a lane in trouble keeps no other one idle."""
_AHEAD_AT_MOST = 8


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a want in this run. `status`: `stored`, `present`, `missing`, `failed`; tools read these words.

    `reason` and `sentence` say why it is not here; `due` says when it is tried again; `key`, `upstream`, `address` and
    `size` tell of what is here.
    """

    want: Want
    status: str
    reason: str | None = None
    sentence: str | None = None
    key: str | None = None
    upstream: str | None = None
    address: str | None = None
    size: int | None = None
    due: datetime | None = None

    @property
    def here(self) -> bool:
        """Whether the store has it now."""
        return self.status in ("stored", "present")


def _unheard(*_: object) -> None:
    """For who does not listen."""


class Puller:
    """Works on the queue until it is stopped, or once through it. `told` hears of each want that is done with."""

    def __init__(
        self,
        store: SymbolStore,
        state: State,
        roster: Roster,
        *,
        options: MirrorOptions,
        only: Iterable[int] | None = None,
        plan: Callable[[Want, Sequence[Chance]], list[Chance]] | None = None,
        told: Callable[[Done], object] = _unheard,
        heard: Heard = _unheard,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._state = state
        self._roster = roster
        self._options = options
        self._plan = plan
        self._told = told
        self._now = now
        self._parts = Parts(store.arriving, state=state.url)
        self._claims = Claims(state, self._parts, only=only)
        self._gates = Gates(state, options, self._parts.folder)
        self._log = Log(state)
        self._stopping = threading.Event()
        self._poked = threading.Event()
        self._lock = threading.Lock()
        self._under_way: dict[int, Round] = {}
        self._missed: list[tuple[Want, Conclusion]] = []
        self._refused_until = 0.0
        self._flushed = self._pruned = 0.0
        self._revision: object = None
        self._lanes = Lanes(options.downloads, {})
        self._tools = Tools(self._parts, self._lanes, self._gates, self._log, heard, self._stopping, now)
        self._publisher = Publisher(store, self._published, hurry=lambda: not self._under_way)

    def run(self, stop: threading.Event) -> None:
        """Works until `stop` is set; then what came is published, and the rest goes back into the queue.

        A database or a store that cannot be reached is logged, and asked again.
        """
        try:
            while not stop.is_set():
                try:
                    self._turn(once=False)
                except StoreError as error:
                    logger.error("cannot work on the queue", extra={"error": str(error)})
                    stop.wait(_TROUBLE_SECONDS)
                self._poked.wait(_POLL_SECONDS)
                self._poked.clear()
        finally:
            self._end()

    def once(self, stop: threading.Event) -> None:
        """Works on every want that is due, once, and ends when all are done with. Raises StoreError."""
        try:
            while not stop.is_set():
                busy = self._claims.held > 0  # before the turn: what ends now may have wished for more
                if not (self._turn(once=True) or busy):
                    break
                self._poked.wait(_POLL_SECONDS)
                self._poked.clear()
        finally:
            self._end()

    def wake(self) -> None:
        """Says that something may have been filed; otherwise it is noticed within a quarter of a second or `every`."""
        self._claims.look()
        self._poked.set()

    def reload(self, options: MirrorOptions) -> None:
        """Takes other options from the next want on; upstreams are the roster's."""
        self._options = options
        self._gates.reload(options)
        self._roster.changed()
        self._poked.set()

    # The loop

    def _turn(self, *, once: bool) -> bool:
        """One look at everything; whether there may be more to claim."""
        if self._roster.refresh():
            limits = {one.options.name: one.options.concurrency for one in self._roster.connected}
            self._lanes.reload(self._options.downloads, limits)
        self._write_misses()
        first = not self._flushed
        if self._claims.renew() or first:
            self._claims.adopt()
        now = time.monotonic()
        if now - self._flushed >= _FLUSH_SECONDS:
            self._flushed = now
            self._flush()
        return self._claim(once=once)

    def _flush(self) -> None:
        self._log.flush()
        self._gates.flush()
        now = time.monotonic()
        revision = self._store.revision() if self._store.local else now // self._options.every
        if revision != self._revision:
            self._revision = revision
            self._settle()
        if now - self._pruned >= _PRUNE_SECONDS:
            self._pruned = now
            self._state.attempts.prune(self._options.keep_log)

    def _settle(self) -> set[int]:
        """Does what follows from what was published, by whomever; returns the numbers of wants that it answers."""
        answered = settle(self._store, self._state)
        for want in answered:
            with self._lock:
                run, mine = self._under_way.pop(want.id, None), self._claims.of(want.id)
            if run is not None and mine is not None:  # somebody else published it
                run.cancel()
                self._done(Done(mine, "present"))
        listed = [one.options for one in self._roster.connected]
        self._claims.more(notice(self._store, self._state, listed))
        self._announce()
        return {want.id for want in answered}

    def _announce(self) -> None:
        """Has it told which reports wait for nothing any more."""
        announce(self._state, converting=bool(converts(one.options for one in self._roster.connected)))

    def _claim(self, *, once: bool) -> bool:
        room = self._room()
        if time.monotonic() < self._refused_until:
            return not once
        if room <= 0:
            return True
        if not self._roster.connected or (not once and self._is_shut()):
            return False
        fresh = self._claims.take(room, once=once, every=self._options.every)
        rests = self._state.rests.of_each([want_key(want.ask) for want in fresh]) if fresh else {}
        for want in fresh:
            self._start(want, rests.get(want_key(want.ask), ()))
        return bool(fresh)

    def _room(self) -> int:
        """How many wants to claim now; they are taken in lots, since each lot is one transaction."""
        many, under_way = self._options.downloads, len(self._under_way)
        if under_way <= many:
            return many * _AHEAD - under_way
        return min(self._lanes.free, many * _AHEAD_AT_MOST - under_way) if under_way >= many * _AHEAD else 0

    def _is_shut(self) -> bool:
        """Whether nothing at all may be fetched now."""
        return all(self._gates.shut(one.options, self._now()) for one in self._roster.connected)

    def _start(self, want: Want, remembered: Iterable[Rest]) -> None:
        if (home := self._answered_by_store(want)) is not None:
            self._done(Done(want, "present", key=home))
            return
        rests = {one.upstream: one for one in remembered}
        chosen = chances(want, self._roster.connected, rests, now=self._now())
        run = Round(want, self._tools, self._ended)
        with self._lock:
            self._under_way[want.id] = run
        run.begin(chosen if self._plan is None else self._plan(want, chosen), race=self._options.race)

    def _answered_by_store(self, want: Want) -> str | None:
        """The home of what answers a want already; then it is answered."""
        found = [Arrival(file.home, file.identities, 0) for file in self._store.index.find(want.ask)]
        answered = self._state.arrive(found, tell=False) if found else []
        return found[0].home if any(one.id == want.id for one in answered) else None

    # What came of it

    def _ended(self, run: Round, arrival: Came | None) -> None:
        """In the thread of a lane."""
        with self._lock:
            if self._under_way.pop(run.want.id, None) is None:
                return
            if arrival is None:
                conclusion = conclude(run.want, run.outcomes, options=self._options, now=self._now())
                self._missed.append((run.want, conclusion))
        if arrival is not None:
            self._publisher.put(arrival)
        self._publisher.nudge()
        self._poked.set()

    def _write_misses(self) -> None:
        with self._lock:
            missed = self._missed[:]
        if not missed:
            return

        def write() -> None:
            self._state.rests.put(rest for _want, conclusion in missed for rest in conclusion.rests)
            for want, end in missed:
                self._state.wants.rest(want.id, self._parts.worker, reason=end.reason, due=end.due, rounds=end.rounds)

        self._state.transaction(write)
        with self._lock:
            del self._missed[: len(missed)]
        for want, end in missed:
            self._claims.more(self._sources_of(want))
            self._done(Done(want, "missing", reason=end.reason, sentence=end.sentence, due=end.due))
        self._announce()

    def _sources_of(self, want: Want) -> list[int]:
        """The want for the debug file that text symbols are to be made of, which the converter has wished for."""
        if want.ask.wants is not Wants.SYM:
            return []
        source = partner(self._store, want.ask)
        found = None if source is None else self._state.wants.at(source)
        return [found.id] if found is not None and found.state is WantState.OPEN else []

    def _published(self, batch: Sequence[Published]) -> None:
        """In the publisher's thread."""
        try:
            answered = self._settle()
            for one in batch:
                self._finish(one, one.arrival.want.id in answered)
        except Exception as error:  # the claims end by themselves, and the files are found in the store then
            logger.error(
                "could not note what came", extra={"error": str(error)}, exc_info=not isinstance(error, StoreError)
            )
            for one in batch:
                self._claims.done(one.arrival.want)
        finally:
            self._poked.set()

    def _finish(self, one: Published, answered: bool) -> None:
        want, whole = one.arrival.want, one.arrival.whole
        if one.error is not None or one.result is None:  # nothing is wrong with the file: it stays, for another time
            self._refused_until = time.monotonic() + _REFUSED_SECONDS
            self._claims.release(want)
            reason = one.error.reason if one.error is not None else "failed"
            self._log.not_stored(want, whole.upstream, whole.address, reason=reason)
            self._done(Done(want, "failed", reason, str(one.error)), keep=True)
            return
        if not one.here or not (answered or self._is_answered(want)):
            reason = one.result.reason or "failed"
            self._log.not_stored(want, whole.upstream, whole.address, reason=reason)
            due = self._now() + timedelta(seconds=_AGAIN_SECONDS)
            self._state.wants.rest(want.id, self._parts.worker, reason=reason, due=due, rounds=want.rounds + 1)
            self._done(Done(want, "failed", reason, one.result.sentence, one.result.key, whole.upstream))
            return
        if self._options.with_program and (wishes := partner_wishes(self._store, one.arrival)):
            self._claims.more(self._state.wants.file(wishes))
        status = one.result.status.value
        self._done(Done(want, status, None, None, one.result.key, whole.upstream, whole.address, whole.size))

    def _is_answered(self, want: Want) -> bool:
        """Whether somebody else's look at the store has answered it."""
        now = self._state.wants.get(want.id)
        return now is None or now.state is not WantState.CLAIMED or now.worker != self._parts.worker

    def _done(self, done: Done, *, keep: bool = False) -> None:
        self._claims.done(done.want)
        if not keep:
            self._parts.drop(done.want)
        self._told(done)

    def _end(self) -> None:
        self._lanes.close(wait_seconds=STOP_SECONDS)
        self._stopping.set()
        self._roster.close()
        self._lanes.close()
        self._publisher.close()
        try:
            self._write_misses()
            self._claims.release_all()
            self._log.flush()
            self._gates.flush()
        except StoreError as error:
            logger.error("could not put everything in order", extra={"error": str(error)})
        finally:
            self._parts.close()
