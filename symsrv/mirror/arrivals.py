"""Arrivals: what was published since, by whomever and on whichever machine, answers the wants for it.

How far the store's transactions were read stands in a mark of the state, which moves in the transaction in which all
that follows is done. So a process may die anywhere, and two may do it at the same time.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from symsrv.model.wants import Want, WantState

if TYPE_CHECKING:
    from symsrv.ledger.index import Index
    from symsrv.ledger.state import Arrival, State
    from symsrv.store import SymbolStore

_AT_ONCE = 100  # transactions in one step: a large backlog keeps other writers of the state out for a moment at a time
_PAGE = 500
_WAITING = (WantState.OPEN, WantState.RESTING, WantState.CLAIMED, WantState.GIVEN_UP)


@dataclass(frozen=True, slots=True)
class Cursor:
    """Up to which number the transactions were read, and which numbers below it nobody had used: they may come late."""

    read: int = 0
    gaps: tuple[int, ...] = ()

    @classmethod
    def of(cls, text: str) -> "Cursor | None":
        """The inverse of `str`; None for what is none."""
        try:
            record = json.loads(text) if text else None
            return None if record is None else cls(int(record["read"]), tuple(map(int, record["gaps"])))
        except (ValueError, KeyError, TypeError):
            return None

    def __str__(self) -> str:
        return json.dumps({"read": self.read, "gaps": list(self.gaps)})


def settle(store: "SymbolStore", state: "State") -> list[Want]:
    """Reads the store's transactions since the last time; returns the wants that they answer, answered now.

    Their rests are over and the skiplist forgets them, reports that wait for nothing more are complete, and each file
    is told of by an event. Doing it again does nothing. Raises StoreError.
    """
    store.catch_up()
    index, mark = store.index, f"settled:{store.id}"
    cursor = Cursor.of(state.marks.text(mark))
    if cursor is None or cursor.read > index.applied():  # a new state, or a store that came out of a backup
        return _settle_all(store, state, mark)
    answered: list[Want] = []
    for numbers, upto in _steps(index, cursor):
        answered += state.arrive(_arrivals(index, numbers), mark=mark, cursor=str(upto))
    return answered


def _settle_all(store: "SymbolStore", state: "State", mark: str) -> list[Want]:
    """Looks up every want that waits, whatever was published when; from then on transactions are read."""
    from symsrv.ledger.state import Arrival

    upto = Cursor(store.index.applied(), tuple(store.index.gaps()))
    answered: list[Want] = []
    last: Want | None = None
    while page := state.wants.list(states=_WAITING, limit=_PAGE, after=last):
        last = page[-1]
        found = {file.home: file for want in page for file in store.index.find(want.ask)}
        answered += state.arrive([Arrival(file.home, file.identities, 0) for file in found.values()])
    state.arrive([], mark=mark, cursor=str(upto))
    return answered


def _steps(index: "Index", cursor: Cursor) -> Iterator[tuple[list[int], Cursor]]:
    """The transactions that have not been read, some at a time, and the cursor after each step."""
    applied, gaps = index.applied(), tuple(index.gaps())
    late = index.known(set(cursor.gaps) - set(gaps))
    if late:
        yield sorted(late), Cursor(cursor.read, tuple(one for one in cursor.gaps if one not in late))
    for first in range(cursor.read + 1, applied + 1, _AT_ONCE):
        last = min(first + _AT_ONCE - 1, applied)
        yield sorted(index.known(range(first, last + 1))), Cursor(last, tuple(one for one in gaps if one <= last))


def _arrivals(index: "Index", numbers: list[int]) -> "list[Arrival]":
    from symsrv.ledger.state import Arrival

    found = []
    for number in sorted(set(numbers) - index.dead(numbers)):
        for entry in index.entries(number):
            file = index.at(entry.home) if entry.status.holds else None
            if file is not None:
                found.append(Arrival(entry.home, file.identities, number))
    return found
