"""Gates: what keeps an upstream from being asked just now: hours, budgets, a full disk, a host in trouble."""

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from symsrv.ledger.state import State
from symsrv.mirror.budget import Spent, Window, has_room, tomorrow
from symsrv.mirror.outcomes import End, NotAsked, Outcome
from symsrv.mirror.settings import MirrorOptions, UpstreamOptions

_LOOK_SECONDS = 1.0
_FULL_SECONDS = 60.0
_OURS = ("unauthorized", "ntlm", "no-secret", "proxy", "proxy-credentials", "proxy-refused")


class Gates:
    """Safe to share between threads; what others recorded is known from the last `flush` on."""

    def __init__(
        self,
        state: State,
        options: MirrorOptions,
        folder: Path,
        *,
        room: Callable[[Path, int], bool] = has_room,
    ) -> None:
        self._state = state
        self._options = options
        self._folder = folder
        self._room = room
        self._spent = Spent(state.spending.today, state.spending.add)
        self._troubled: set[str] = set()
        self._looked = 0.0
        self._full = False
        self._lock = threading.Lock()

    def reload(self, options: MirrorOptions) -> None:
        """Takes other options."""
        self._options = options

    def shut(self, options: UpstreamOptions, now: datetime) -> Outcome | None:
        """Why an upstream cannot be asked now, or nobody; None if it can. Changes nothing."""
        for said, whose in ((self._options.window, "no upstream is"), (options.window, "it is not")):
            if (window := Window.of(said)) is not None and not window.is_open(now):
                return _later(options, NotAsked.WINDOW, f"{whose} asked outside of {said}", window.opens(now))
        if (spent := self._overdrawn(options)) is not None:
            return _later(options, NotAsked.BUDGET, spent, tomorrow(now))
        if self._is_full():
            why = f"the disk has less than {self._options.keep_free} bytes of room (keep_free)"
            return _later(options, NotAsked.LOW_DISK, why, now + timedelta(seconds=_FULL_SECONDS))
        return None

    def foresee(self, options: UpstreamOptions, now: datetime) -> Outcome | None:
        """What `refuse` would say, without being the probe that a breaker lets through."""
        if (why := self.shut(options, now)) is not None:
            return why
        for one in self._state.breakers.list():
            if one.host in breakers_of(options) and one.until is not None and one.until > now:
                return _left_alone(options, one.host, one.until)
        return None

    def refuse(self, options: UpstreamOptions, now: datetime) -> Outcome | None:
        """The same, and the breaker of its host. If that lets a probe through, we are the one."""
        if (why := self.shut(options, now)) is not None:
            return why
        for one in breakers_of(options):
            if one in self._troubled and (until := self._state.breakers.allows(one)) is not None:
                return _left_alone(options, one, until)
        return None

    def count(self, upstream: str, received: int) -> None:
        """Counts bytes that came, against the day's budget."""
        if received:
            self._spent.add(upstream, received)

    def answered(self, options: UpstreamOptions) -> None:
        """Notes that a host answered, whatever it said."""
        for one in breakers_of(options):
            if one in self._troubled:
                self._state.breakers.ok(one)
                self._troubled.discard(one)

    def failed(self, options: UpstreamOptions, reason: str, *, retry_after: float | None = None) -> None:
        """Notes that a host did not answer as it should; `retry_after` is for how many seconds it wants no request.

        What is wrong with our credentials or our way out says nothing of the host: others may be let in there.
        """
        host, ours = breakers_of(options)
        one = ours if reason in _OURS else host
        self._troubled.add(one)
        self._state.breakers.failed(one, reason, pause_seconds=retry_after)

    def flush(self) -> None:
        """Records what was spent, and reads what others have recorded."""
        self._spent.flush()
        self._troubled = {one.host for one in self._state.breakers.list()}

    def _overdrawn(self, options: UpstreamOptions) -> str | None:
        ours, its = self._options.daily_limit, options.daily_limit
        if ours is not None and self._spent.all() >= ours:
            return f"the {ours} bytes that may be fetched in a day have been (mirror.daily_limit)"
        if its is not None and self._spent.of(options.name) >= its:
            return f"the {its} bytes that it gives in a day have come (daily_limit)"
        return None

    def _is_full(self) -> bool:
        with self._lock:
            now = time.monotonic()
            if now - self._looked > _LOOK_SECONDS:
                self._looked, self._full = now, not self._room(self._folder, self._options.keep_free)
            return self._full


def host_of(options: UpstreamOptions) -> str:
    """The host whose breaker counts for an upstream; what has no host stands for itself."""
    return urlsplit(options.url).netloc.rpartition("@")[2] or options.url or options.name


def breakers_of(options: UpstreamOptions) -> tuple[str, str]:
    """The breakers that count for an upstream: its host's, and that of our own ways and words to it."""
    host = host_of(options)
    return host, f"{options.name}@{host}"


def _left_alone(options: UpstreamOptions, what: str, until: datetime) -> Outcome:
    why = f"{what} failed too often, and is left alone until {until:%Y-%m-%d %H:%M:%S} UTC"
    return _later(options, NotAsked.BREAKER, why, until)


def _later(options: UpstreamOptions, reason: str, sentence: str, until: datetime) -> Outcome:
    return Outcome(options, End.LATER, reason, sentence, until)
