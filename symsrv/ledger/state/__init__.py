"""The state: what is wanted, listed, tried and counted. It cannot be made again, so it is kept and backed up."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy import Connection

from symsrv.ledger.database import Database
from symsrv.ledger.schema import LedgerError, StateError
from symsrv.ledger.state.arriving import Arrival, arrive
from symsrv.ledger.state.attempts import OUTCOMES, STAGES, Attempt, Attempts
from symsrv.ledger.state.base import Clock, Part
from symsrv.ledger.state.breakers import Breaker, Breakers, BreakerState
from symsrv.ledger.state.events import Event, Events
from symsrv.ledger.state.followed import Followed
from symsrv.ledger.state.lists import Listed, Lists, Which
from symsrv.ledger.state.marks import Marks, Value, put_mark
from symsrv.ledger.state.reports import Report, Reports
from symsrv.ledger.state.rests import Rest, Rests
from symsrv.ledger.state.spending import Spending
from symsrv.ledger.state.statistics import Statistics
from symsrv.ledger.state.tables import STATE
from symsrv.ledger.state.upstreams import Upstreams
from symsrv.ledger.state.wants import Wants
from symsrv.model.wants import Want

__all__ = [
    "OUTCOMES",
    "STAGES",
    "Arrival",
    "Attempt",
    "Attempts",
    "Breaker",
    "BreakerState",
    "Breakers",
    "Event",
    "Events",
    "Followed",
    "LedgerError",
    "Listed",
    "Lists",
    "Marks",
    "Report",
    "Reports",
    "Rest",
    "Rests",
    "Spending",
    "State",
    "StateError",
    "Statistics",
    "Upstreams",
    "Wants",
    "Which",
    "open_state",
]

_STORE = "store"

T = TypeVar("T")


def open_state(url: str, *, clock: Clock | None = None) -> "State":
    """Opens the state at a database URL, and makes it if there is none.

    Raises LedgerError, UsageError for what is no address, or NewerFormat if a later symsrv wrote it.
    """
    return State(url, clock=clock)


class State(Part):
    """What is kept of a store besides its files; safe to share between threads, raises LedgerError only.

    Every method that changes something has committed it when it returns, unless it is called within `together` or
    `transaction`.
    """

    def __init__(self, url: str, *, clock: Clock | None = None) -> None:
        super().__init__(Database(url, STATE), clock)
        self.url = self._database.url
        self.wants = Wants(self._database, clock)
        self.reports = Reports(self._database, clock)
        self.lists = Lists(self._database, clock)
        self.rests = Rests(self._database, clock)
        self.upstreams = Upstreams(self._database, clock)
        self.attempts = Attempts(self._database, clock)
        self.breakers = Breakers(self._database, clock)
        self.spending = Spending(self._database, clock)
        self.events = Events(self._database, clock)
        self.marks = Marks(self._database, clock)
        self.followed = Followed(self._database, clock)

    def arrive(
        self,
        arrivals: Sequence[Arrival],
        *,
        mark: str | None = None,
        cursor: Value | None = None,
        tell: bool = True,
    ) -> list[Want]:
        """Takes in that files are there, and sets the mark to the cursor, in one transaction.

        Wants that they answer are answered, whatever their state was, and returned; the rests and the skiplist's
        entries of their files are cleared; reports that wait for nothing any more are complete; each file is told of
        by one event `arrived`, unless `tell` is off. A second time nothing happens.
        """

        def work(connection: Connection) -> list[Want]:
            now = self._now(connection)
            if mark is not None and cursor is not None:
                put_mark(connection, mark, value=cursor, now=now)
            return arrive(connection, arrivals, tell=tell, now=now)

        return self._database.write(work)

    def belongs_to(self, store_id: str) -> bool:
        """Whether this is the state of a store; the first one that asks has it."""
        if not self.marks.text(_STORE):
            self.marks.move(_STORE, store_id, from_value=None)
        return self.marks.text(_STORE) == store_id

    @contextmanager
    def together(self) -> Iterator[None]:
        """Makes one transaction of what this thread changes inside: all of it is committed, or nothing.

        On PostgreSQL it may fail for having met another one (a LedgerError); `transaction` tries again by itself.
        """
        with self._database.writing():
            yield

    def transaction(self, work: Callable[[], T]) -> T:
        """Makes one transaction of a piece of work, which may be done more than once until it is."""
        return self._database.write(lambda _connection: work())

    def close(self) -> None:
        """Closes every connection."""
        self._database.close()
