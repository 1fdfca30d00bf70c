"""The state: what is wanted, listed, tried and counted. It cannot be made again, so it is kept and backed up."""

from collections.abc import Iterator
from contextlib import contextmanager

from symsrv.ledger.database import Database
from symsrv.ledger.schema import LedgerError, StateError
from symsrv.ledger.state.base import Clock
from symsrv.ledger.state.followed import Followed
from symsrv.ledger.state.lists import Listed, Lists, Which
from symsrv.ledger.state.marks import Marks
from symsrv.ledger.state.rests import Rest, Rests
from symsrv.ledger.state.tables import STATE
from symsrv.ledger.state.wants import Wants

__all__ = [
    "Followed",
    "LedgerError",
    "Listed",
    "Lists",
    "Marks",
    "Rest",
    "Rests",
    "State",
    "StateError",
    "Wants",
    "Which",
    "open_state",
]


def open_state(url: str, *, clock: Clock | None = None) -> "State":
    """Opens the state at a database URL, and makes it if there is none.

    Raises LedgerError, UsageError for what is no address, or NewerFormat if a later symsrv wrote it.
    """
    return State(url, clock=clock)


class State:
    """What is kept of a store besides its files; safe to share between threads, raises LedgerError only.

    Every method that changes something has committed it when it returns, unless it is called within `together`.
    """

    def __init__(self, url: str, *, clock: Clock | None = None) -> None:
        self._database = Database(url, STATE)
        self.url = self._database.url
        self.wants = Wants(self._database, clock)
        self.lists = Lists(self._database, clock)
        self.rests = Rests(self._database, clock)
        self.marks = Marks(self._database, clock)
        self.followed = Followed(self._database, clock)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Makes one transaction of what this thread changes inside: all of it is committed, or nothing.

        On PostgreSQL it may fail for having met another one (a LedgerError that is `transient`): try it again, whole.
        """
        with self._database.writing():
            yield

    def close(self) -> None:
        """Closes every connection."""
        self._database.close()
