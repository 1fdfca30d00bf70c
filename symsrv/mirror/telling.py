"""Telling: what happened goes to who wants to hear of it, in order and at least once, each receiver at its own pace.

Events are read from the state by a cursor for each receiver, which moves when the receiver has said that it heard. What
could not be told is told again, the same under the same key, until the receiver's patience is over.
"""

import json
import logging
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symsrv.mirror.forms import Form, News, NotTold, Send, form_named
from symsrv.mirror.forms.base import ARRIVED, REPORT, TEST
from symsrv.mirror.programs import Bounds, run
from symsrv.mirror.settings import TellOptions
from symsrv.model.ask import Wants
from symsrv.model.identity import Identity
from symsrv.model.wants import WantState

if TYPE_CHECKING:
    from symsrv.ledger.state import Event, State
    from symsrv.store import SymbolStore

logger = logging.getLogger(__name__)

_PAGE = 200
_REPORTS = 1000
_IDENTITY = ("format", "role", "arch", "name", "code_id", "debug_id", "build_id", "debug_file", "code_file")


@dataclass(frozen=True, slots=True)
class Place:
    """How far a receiver is: all events up to `told` were told (or given up, of which there were `lost`).

    `until` is the last event of what is being told just now, and `since` the second since 1970 when that was tried
    first; both 0 if nothing is.
    """

    told: int = 0
    until: int = 0
    since: float = 0.0
    lost: int = 0

    @classmethod
    def of(cls, text: str) -> "Place | None":
        """The place that a text says, None if none does."""
        try:
            record = json.loads(text) if text else None
            return None if record is None else cls(**record)
        except (ValueError, TypeError):
            return None

    def __str__(self) -> str:
        return json.dumps(asdict(self))


class Over(Exception):
    """Nobody waits any more for what a thread does: it ends, and touches nothing."""


class Guard:
    """Lets a thread that was given up do no more: who closes a database must be its last user.

    `with guard:` around every use of it, and around no call to a receiver.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._over = False

    def __enter__(self) -> None:
        self._lock.acquire()
        if self._over:
            self._lock.release()
            raise Over

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def close(self) -> None:
        """Waits for a use that is under way, and lets no other one begin."""
        with self._lock:
            self._over = True


class Receiver:
    """One who is told. Used by one thread of one process at a time: see `tellers.py`."""

    def __init__(
        self,
        options: TellOptions,
        state: "State",
        describe: Callable[["Event"], dict[str, Any]],
        *,
        origin: str,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.options = options
        self._state = state
        self._describe = describe
        self._origin = origin
        self._now = now
        self.guard = Guard()
        self._form: Form = form_named(options.form)
        self._kinds = self._form.kinds & {*options.events}
        self._send = sender(options)

    def begin(self, *, keep: bool = True) -> Place:
        """Where it is; a receiver that is new hears of what comes from now on. Without `keep`, nothing is noted."""
        with self.guard:
            text = self._state.marks.text(self._mark)
            place = Place.of(text)
            if place is None:
                place = Place(self._state.events.last())
                if keep:
                    self._state.marks.move(self._mark, str(place), from_value=text or None)
            return place

    def pending(self, *, keep: bool = True) -> News | None:
        """What it is told next; None if there is nothing. Passes over what it does not want to hear, and notes that."""
        with self.guard:
            place = self.begin(keep=keep)
            page = max(_PAGE, self.options.batch)
            while events := self._state.events.after(place.told, page):
                wanted = [one for one in events if one.kind in self._kinds]
                again = [one for one in wanted if one.id <= place.until]  # the same as was tried before, and no more
                if wanted:
                    return self._news(self._first_call(again or wanted))
                after = Place(events[-1].id, lost=place.lost)
                place = self._moved(place, after) if keep else after
            return None

    def tell(self) -> bool:
        """Tells what comes next; whether there was something. Raises NotTold, or Over."""
        with self.guard:
            news = self.pending()
            if news is None:
                return False
            place = self.begin()
            last = int(news.events[-1]["id"])
            if place.until != last or not place.since:
                place = self._moved(place, replace(place, until=last, since=self._now()))
        lost = 0
        try:
            self.deliver(news)
        except NotTold as error:
            if self._now() - place.since < self.options.patience:
                raise
            logger.error(
                "a receiver was not told, and is not tried any more",
                extra={"receiver": self.options.name, "key": news.key, "reason": error.reason, "error": str(error)},
            )
            lost = len(news.events)
        with self.guard:
            self._moved(place, Place(last, lost=place.lost + lost))
        return True

    def deliver(self, news: News) -> None:
        """Tells it, now and once. Raises NotTold."""
        self._form.tell(news, self.options, self._send)

    def test(self) -> News:
        """What a test tells."""
        stamp = int(self._now())
        return News(TEST, f"{self._origin}-{self.options.name}-test-{stamp}", ({"id": 0, "at": stamp},))

    @property
    def _mark(self) -> str:
        return f"tell:{self.options.name}"

    def _first_call(self, wanted: "list[Event]") -> "list[Event]":
        """Arrivals together, up to a report; a report alone."""
        if wanted[0].kind == REPORT:
            return wanted[:1]
        end = next((place for place, one in enumerate(wanted) if one.kind == REPORT), len(wanted))
        return wanted[: min(end, self.options.batch)]

    def _news(self, events: "list[Event]") -> News:
        first, last = events[0], events[-1]
        key = f"{self._origin}-{self.options.name}-{first.id}" + (f"-{last.id}" if last is not first else "")
        return News(first.kind, key, tuple(map(self._describe, events)))

    def _moved(self, before: Place, after: Place) -> Place:
        """Notes another place. If somebody else has moved it, theirs counts; the worst is to tell twice."""
        self._state.marks.move(self._mark, str(after), from_value=str(before))
        return after


def sender(options: TellOptions) -> Send:
    """How calls are made: over HTTP, or by running the program with the body on its input."""
    if options.exec:
        return lambda call: _executed(options, call.body)
    from symsrv.mirror.posting import Poster  # urllib3 is not on the way of the command line

    return Poster(options).send


def _executed(options: TellOptions, body: bytes) -> Any:
    from symsrv.mirror.forms import Reply

    with tempfile.TemporaryDirectory(prefix="symsrv-", ignore_cleanup_errors=True) as folder:
        try:
            ran = run(options.exec, Path(folder), bounds=Bounds(total_seconds=options.timeout), stdin=body)
        except OSError as error:
            why = f"{options.exec[0]} cannot be started: {error.strerror or error}"
            raise NotTold("receiver-unavailable", f"{options.name}: {why}") from error
    if ran.overrun is not None:
        raise NotTold("receiver-unavailable", f"{options.name}: it was not done after {options.timeout:g}s")
    if not ran.done:
        raise NotTold("receiver-refused", f"{options.name}: {ran}")
    return Reply(200)


def describing(store: "SymbolStore") -> Callable[["Event"], dict[str, Any]]:
    """Events as they are told: those of files with what the files are, as far as the store still knows them."""

    def describe(event: "Event") -> dict[str, Any]:
        record: dict[str, Any] = {"id": event.id, "at": event.at.isoformat(), **event.data}
        if event.kind == ARRIVED:
            home = str(record.pop("home", ""))
            file = store.index.at(home)
            record["key"] = home
            record["size"] = None if file is None else file.plain_size or file.size
            record["sha256"] = None if file is None else file.plain_sha256 or file.sha256
            record["identities"] = [] if file is None else [_told(one) for one in file.identities]
        return record

    return describe


def _told(identity: Identity) -> dict[str, Any]:
    return {name: getattr(identity, name) for name in _IDENTITY}


def announce(state: "State", *, converting: bool = False) -> int:
    """Makes an event of each report that waits for nothing any more; returns of how many.

    `converting`: text symbols are made of what arrives, so that a report waits for those of its files, too.
    """
    count = 0
    for report in state.reports.complete(limit=_REPORTS):
        if converting and _awaits_conversion(state, report.id):
            continue
        data = {
            "report": report.id,
            "name": report.name,
            "origin": report.origin,
            "data": report.data,
            "wanted": report.wanted,
            "answered": report.answered,
            "given_up": report.given_up,
        }
        count += state.transaction(partial(_announce, state, data))
    return count


def _announce(state: "State", data: dict[str, Any]) -> bool:
    return state.reports.told(data["report"]) and state.events.add(REPORT, data, once=f"{REPORT}:{data['report']}")


def _awaits_conversion(state: "State", number: int) -> bool:
    """Whether text symbols of a report's files are still to be made."""
    ids = [one for want in state.reports.wants(number) if want.state is WantState.ANSWERED for one in want.ask.ids]
    return bool(state.wants.of_ids(ids, kind=Wants.SYM, states=(WantState.OPEN, WantState.CLAIMED)))
