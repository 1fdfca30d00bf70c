"""A round: one want on its way through the upstreams, until one of them gives the file or all have said why not."""

import errno
import hashlib
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from symsrv.mirror.base import Absent, Fetched, FetchError, Try, Unavailable
from symsrv.mirror.chances import Chance, groups
from symsrv.mirror.checking import check
from symsrv.mirror.gates import Gates
from symsrv.mirror.lanes import Lanes
from symsrv.mirror.log import Log
from symsrv.mirror.originals import fetched_to_convert
from symsrv.mirror.outcomes import End, Outcome
from symsrv.mirror.parts import Parts, Whole
from symsrv.mirror.settings import UpstreamOptions
from symsrv.model.wants import Want

_WHOLE_UPSTREAM = ("unauthorized", "proxy-credentials", "ntlm", "no-secret")
"""What an upstream says of us and not of the file: no other file would fare better."""

_CLOSED = "closed"
_PIECES = 16
"""How many pieces of a body come between two looks at the gates."""
_BUFFER_BYTES = 256 << 10
_buffers = threading.local()
_FULL = (errno.ENOSPC, errno.EDQUOT)

Heard = Callable[[Want, UpstreamOptions, str, int], object]
"""Hears of each stage of each download, and how many bytes came since it heard last."""


class Stopped(Exception):
    """Ends a download in the middle: another upstream was faster, a gate was shut, or the program ends.

    What came stays on the disk. With an `outcome`, the upstream has its answer.
    """

    def __init__(self, outcome: Outcome | None = None) -> None:
        super().__init__()
        self.outcome = outcome


@dataclass(frozen=True, slots=True)
class Tools:
    """What all rounds of a puller share."""

    parts: Parts
    lanes: Lanes
    gates: Gates
    log: Log
    heard: Heard
    stopping: threading.Event
    now: Callable[[], datetime] = lambda: datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A file that came, whole and checked, and lies on our disk. `url` and `tag` are its upstream's.

    `apart`: it was fetched only to be converted, and will be let go of: it needs a transaction of its own.
    """

    want: Want
    whole: Whole
    path: Path
    url: str = ""
    tag: str | None = None
    apart: bool = False


@dataclass(slots=True)
class Round:
    """Asks the upstreams of each group at the same time; `ended` hears of it once, in a thread of a lane.

    What comes is None if nobody had the file: then `outcomes` say why.
    """

    want: Want
    tools: Tools
    ended: "Callable[[Round, Arrival | None], object]"
    outcomes: list[Outcome] = field(default_factory=list)
    _groups: list[list[Chance]] = field(default_factory=list)
    _pending: int = 0
    over: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, chosen: Sequence[Chance], *, race: bool) -> None:
        """Asks the first ones, unless an earlier run brought the file already."""
        if (found := self.tools.parts.whole(self.want)) is not None:
            whole, path = found
            its = next((one.options for one in chosen if one.options.name == whole.upstream), None)
            self._end(_arrived(self.want, whole, path, its))
            return
        for one in chosen:
            if one.outcome is not None:
                self._leave_out(one, one.outcome)
        self._groups = groups((one for one in chosen if one.outcome is None), race=race)
        self._advance()

    def cancel(self) -> None:
        """Nobody waits for it any more; `ended` does not hear of it."""
        self.over = True

    def _advance(self) -> None:
        if not self._groups:
            self._end(None)
            return
        group = self._groups.pop(0)
        self._pending = len(group)
        for one in group:
            self.tools.lanes.put(one.options.name, partial(self._ask, one), first=self.want.urgent)

    def _end(self, arrival: Arrival | None) -> None:
        if not self.over:
            self.over = True
            self.ended(self, arrival)

    def _ask(self, chance: Chance) -> None:
        """In a thread of the upstream's lane."""
        arrival: Arrival | None = None
        outcome: Outcome | None = None
        try:
            if not self.over:
                refused = self.tools.gates.refuse(chance.options, self.tools.now())
                outcome, arrival = (refused, None) if refused is not None else self._asked(chance)
                if refused is not None:
                    self._leave_out(chance, refused)
        except Stopped as stopped:
            outcome = stopped.outcome
            if self.over and not self.tools.stopping.is_set():  # nobody goes on with it
                for one in chance.tries:
                    self.tools.parts.clear(self.want, chance.options.name, one)
        except BaseException:
            outcome = Outcome(chance.options, End.LATER, "defect", "a defect in symsrv; the log has it")
            raise
        finally:
            self._back(outcome, arrival)

    def _back(self, outcome: Outcome | None, arrival: Arrival | None) -> None:
        """Takes an upstream's answer; goes on with the next ones when it was the last of its group."""
        with self._lock:
            if outcome is not None and outcome not in self.outcomes:
                self.outcomes.append(outcome)
            self._pending -= 1
            first = arrival is not None and not self.over
            over = self.over = self.over or first
            last = not self._pending
        if first:
            self.ended(self, arrival)
        elif last and not over and not self.tools.stopping.is_set():
            self._advance()

    def _leave_out(self, chance: Chance, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        self.tools.log.skipped(self.want, outcome)

    def _asked(self, chance: Chance) -> tuple[Outcome, Arrival | None]:
        """Makes the upstream's requests, one after the other, up to the first that brings the file."""
        found: FetchError | None = None
        for one in chance.tries:
            try:
                arrival = _Download(self, chance, one).run()
            except OSError as error:
                if self.over or self.tools.stopping.is_set():  # what it was writing to may be gone
                    raise Stopped from error
                found = _of_disk(error)
                break
            except FetchError as error:
                found = _weightier(found, error)
                if isinstance(error, Unavailable) or error.reason in _WHOLE_UPSTREAM:
                    break
            else:
                return Outcome(chance.options, End.GOOD, "ok", "it gave the file", asked=True), arrival
        return self._failed(chance, found), None

    def _failed(self, chance: Chance, error: FetchError | None) -> Outcome:
        if error is None:
            return Outcome(chance.options, End.MISS, "absent", "it has no such file", asked=True, rest=chance.rest)
        end, until = End.MISS, None
        if isinstance(error, Unavailable):
            end = End.LATER
            after = 0.0 if error.reason == _CLOSED else error.retry_after
            until = None if after is None else self.tools.now() + timedelta(seconds=after)
        elif error.reason in _WHOLE_UPSTREAM:
            end = End.LATER
            until = self.tools.now() + timedelta(seconds=chance.options.miss_ttl)
        return Outcome(chance.options, end, error.reason, str(error), until, asked=True, rest=chance.rest)


class _Download:
    """One try, from its request to a file that was checked."""

    def __init__(self, its: Round, chance: Chance, one: Try) -> None:
        self._round = its
        self._chance = chance
        self._options = chance.options
        self._try = one
        self._tools = its.tools
        self._stage = self._brought = "downloading"
        self._heard = 0
        self._unlooked = 1
        self._began = time.monotonic()
        self._took = 0.0

    def run(self) -> Arrival:
        """Fetches and checks; raises FetchError, which is in the log then, or Stopped."""
        want, parts = self._round.want, self._tools.parts
        folder = parts.of(want, self._options.name, self._try)
        fetched = self._fetched(folder)
        self._stage = "checking"
        try:
            checksum = dict(self._try.headers).get("SymbolChecksum")
            checked = check(fetched, want.ask, size_limit=self._options.size_limit, checksum=checksum)
        except FetchError as error:
            error.sent = fetched.received
            self._failed(error)
            raise
        self._tools.log.good(want, self._options, fetched, stage=self._brought, seconds=self._took)
        checked.path.chmod(parts.mode)
        sha256 = hash_of(checked.path)
        address = fetched.address or self._try.address
        file = checked.path.relative_to(folder).as_posix()
        whole = Whole(
            file, checked.name, sha256, checked.size, self._options.name, address, fetched.received, fetched.tool
        )
        parts.note(want, self._try, whole)
        return _arrived(want, whole, checked.path, self._options)

    def _fetched(self, folder: Path) -> Fetched:
        gates = self._tools.gates
        try:
            fetched = self._chance.upstream.fetch(self._try, folder, stage=self._hear)
        except FetchError as error:
            self._stop_if_over(error)
            gates.count(self._options.name, error.sent - self._heard)
            if error.reason == _CLOSED:  # it has other options now; nothing is wrong with its host
                raise
            if isinstance(error, Unavailable):
                gates.failed(self._options, error.reason, retry_after=error.retry_after)
            elif error.reason in _WHOLE_UPSTREAM:
                gates.failed(self._options, error.reason)
            else:
                gates.answered(self._options)
            self._failed(error)
            raise
        gates.answered(self._options)
        gates.count(self._options.name, fetched.received - self._heard)
        self._brought, self._took = self._stage, time.monotonic() - self._began
        return fetched

    def _hear(self, stage: str, sent: int) -> None:
        """Hears of a stage; ends the download where nobody waits for it any more, or a gate was shut meanwhile."""
        self._stop_if_over(None)
        self._stage = stage
        more = max(0, sent - self._heard)
        self._heard += more
        self._tools.gates.count(self._options.name, more)
        if stage == "retrying":
            self._tools.gates.failed(self._options, "retried")
            self._tools.log.retried(self._round.want, self._options, self._try)
        elif more:
            self._mind_gates()
        self._tools.heard(self._round.want, self._options, stage, more)

    def _mind_gates(self) -> None:
        """Ends the download where a gate was shut; looks after each so many bytes."""
        self._unlooked -= 1
        if self._unlooked <= 0:
            self._unlooked = _PIECES
            if (why := self._tools.gates.shut(self._options, self._tools.now())) is not None:
                raise Stopped(why)

    def _stop_if_over(self, cause: Exception | None) -> None:
        if self._round.over or self._tools.stopping.is_set():
            raise Stopped from cause

    def _failed(self, error: FetchError) -> None:
        seconds = time.monotonic() - self._began
        want, options = self._round.want, self._options
        self._tools.log.failed(want, options, self._try, error, stage=self._stage, seconds=seconds)


def _arrived(want: Want, whole: Whole, path: Path, options: UpstreamOptions | None) -> Arrival:
    if options is None:  # it came in an earlier run, from an upstream that is gone
        return Arrival(want, whole, path)
    apart = not options.keep_original and fetched_to_convert(want.who)
    return Arrival(want, whole, path, options.url, options.tag, apart)


def hash_of(path: Path) -> str:
    """The sha256 of a file, read into one buffer of each thread."""
    view: memoryview | None = getattr(_buffers, "view", None)
    if view is None:
        view = _buffers.view = memoryview(bytearray(_BUFFER_BYTES))
    digest = hashlib.sha256()
    with open(path, "rb", buffering=0) as stream:
        while count := stream.readinto(view):
            digest.update(view[:count])
    return digest.hexdigest()


def _weightier(one: FetchError | None, other: FetchError) -> FetchError:
    """Of what several requests came to, the one that says more: a file that was wrong more than one that is absent."""
    if one is None or isinstance(other, Unavailable) or (isinstance(one, Absent) and not isinstance(other, Absent)):
        return other
    return one


def _of_disk(error: OSError) -> Unavailable:
    reason = "disk-full" if error.errno in _FULL else "system"
    return Unavailable(reason, f"our own disk refused: {error.strerror or error}")
