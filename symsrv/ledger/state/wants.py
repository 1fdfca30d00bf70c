"""Wants: the queue of what is missing, and what became of each."""

import builtins
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Update, and_, delete, func, or_, select, tuple_, update

from symsrv.ledger.state.arriving import Arrival, answer_wants
from symsrv.ledger.state.base import Part, contains, maybe_micros
from symsrv.ledger.state.completing import complete_reports, complete_reports_of, waiting_for
from symsrv.ledger.state.filing import file_wishes
from symsrv.ledger.state.reading import place_of, want_of
from symsrv.ledger.state.tables import ORDER, reports, rests, want_ids, wants
from symsrv.ledger.texts import chunks, stored_text
from symsrv.model.ask import Ask
from symsrv.model.ask import Wants as Kind
from symsrv.model.ids import SymbolId
from symsrv.model.wants import Want, WantState, Wish, want_key

WOKEN_AT_ONCE = 500
"""How many resting wants a claim wakes at most: its cost must not grow with what is due."""


class Wants(Part):
    """What is wanted: each file once, however many wish it."""

    def file(self, wishes: Iterable[Wish]) -> builtins.list[int]:
        """Takes in wishes, all or none; returns the number of each one's want.

        A want that was answered and is wished again opens anew, unless the wish says that it was `seen` before. One
        that rests or was given up goes on resting, however urgent the wish is.
        """
        wishes = list(wishes)
        if not wishes:
            return []
        return self._database.write(lambda connection: file_wishes(connection, wishes, now=self._now(connection)))

    def get(self, number: int) -> Want | None:
        """The want of that number."""
        rows = self._database.all(select(wants).where(wants.c.id == number))
        return want_of(rows[0]) if rows else None

    def at(self, ask: Ask) -> Want | None:
        """The want of the file that an ask is about."""
        rows = self._database.all(select(wants).where(wants.c.key == stored_text(want_key(ask))))
        return want_of(rows[0]) if rows else None

    def list(
        self,
        *,
        states: Sequence[WantState] = (),
        text: str = "",
        who: str = "",
        limit: int = 100,
        after: Want | int | None = None,
    ) -> builtins.list[Want]:
        """The wants in some states (none: in all), most wanted first.

        `text` is part of the name, an id or the path; `who` an asker, or how one begins (`dump:`). `after` is the last
        one of the page before; if only its number is given and it is gone, the list is at its end.
        """
        place = self._place(after)
        if after is not None and place is None:
            return []
        found: builtins.list[Any] = []
        for state in dict.fromkeys(states or WantState):
            query = select(wants).where(wants.c.state == state.value)
            if place is not None:
                query = query.where(tuple_(*ORDER) < tuple_(*place))
            if text:
                query = query.where(contains(wants.c.words, text))
            if who:
                query = query.where(wants.c.who.contains(json.dumps(who)[:-1], autoescape=True))
            found += self._database.all(query.order_by(*(column.desc() for column in ORDER)).limit(limit))
        found.sort(key=place_of, reverse=True)
        return [want_of(row) for row in found[:limit]]

    def of_ids(
        self, ids: Iterable[SymbolId], *, kind: Kind | None = None, states: Sequence[WantState] = ()
    ) -> builtins.list[Want]:
        """The wants that are asked for by one of some ids, of one kind and in some states (none: in all)."""
        pairs = {(one.kind, one.value) for one in ids}
        found: set[int] = set()
        for batch in chunks(sorted({value for _, value in pairs})):
            query = select(want_ids).where(want_ids.c.value.in_(batch))
            found.update(row.want for row in self._database.all(query) if (row.kind, row.value) in pairs)
        said = [] if kind is None else [wants.c.wants == kind.value]
        if states:
            said.append(wants.c.state.in_([one.value for one in states]))
        rows: builtins.list[Any] = []
        for batch in chunks(sorted(found)):
            rows += self._database.all(select(wants).where(wants.c.id.in_(batch), *said))
        return [want_of(row) for row in rows]

    def counts(self) -> dict[WantState, int]:
        """How many wants there are in each state."""
        rows = self._database.all(select(wants.c.state, func.count()).group_by(wants.c.state))
        found = {WantState(state): count for state, count in rows}
        return {state: found.get(state, 0) for state in WantState}

    def claim(
        self, worker: str, limit: int, *, lease_seconds: float, only: Sequence[int] | None = None
    ) -> builtins.list[Want]:
        """Takes the most wanted open wants for a worker, who has them alone until the lease is over.

        Those that are due or whose lease is over are open again first, at most 500 at once. `only` names the numbers
        among which to choose.
        """

        def work(connection: Connection) -> builtins.list[Want]:
            now = self._now(connection)
            _wake_late(connection, now=now)
            query = select(wants.c.id).where(wants.c.state == WantState.OPEN.value)
            if only is not None:
                query = query.where(wants.c.id.in_(_most_wanted(connection, only, limit)))
            query = query.order_by(*(column.desc() for column in ORDER)).limit(limit)
            chosen = connection.execute(query.with_for_update(skip_locked=True)).scalars().all()
            taken: builtins.list[Any] = []
            for batch in chunks(chosen):
                until = now + int(lease_seconds * 1_000_000)
                change = (
                    update(wants)
                    .where(wants.c.id.in_(batch))
                    .values(state=WantState.CLAIMED.value, worker=stored_text(worker), until=until)
                )
                taken += connection.execute(change.returning(wants))
            return [want_of(row) for row in sorted(taken, key=place_of, reverse=True)]

        return self._database.write(work)

    def renew(self, worker: str, numbers: Sequence[int], *, lease_seconds: float) -> builtins.list[int]:
        """Lengthens leases from now on; returns the numbers of those that the worker still has."""

        def work(connection: Connection) -> builtins.list[int]:
            until = self._now(connection) + int(lease_seconds * 1_000_000)
            held: builtins.list[int] = []
            for batch in chunks(sorted(numbers)):
                change = update(wants).where(wants.c.id.in_(batch), *_held_by(worker)).values(until=until)
                held += connection.execute(change.returning(wants.c.id)).scalars()
            return sorted(held)

        return self._database.write(work) if numbers else []

    def rest(self, number: int, worker: str, *, reason: str, due: datetime | None, rounds: int) -> bool:
        """Ends a claim without the file: tried again at `due`, or given up if that is None.

        Returns whether the worker still had it; otherwise nothing changes.
        """
        state = WantState.GIVEN_UP if due is None else WantState.RESTING
        values = {"state": state.value, "reason": reason, "until": maybe_micros(due), "rounds": rounds, "urgent": 0}
        change = _ending(number, worker).values(values | {"worker": None})

        def work(connection: Connection) -> bool:
            if not connection.execute(change).rowcount:
                return False
            if due is None:
                complete_reports_of(connection, [number], now=self._now(connection))
            return True

        return self._database.write(work)

    def release(self, number: int, worker: str) -> bool:
        """Gives a claim back as it was taken, with nothing counted; whether the worker still had it."""
        change = _ending(number, worker).values(state=WantState.OPEN.value, until=None, worker=None)
        return self._change(change) > 0

    def answer(self, arrivals: Sequence[Arrival]) -> builtins.list[Want]:
        """Marks every want that one of these files answers, whatever its state was; returns those, answered now.

        `State.arrive` does this, and all that follows from it.
        """

        def work(connection: Connection) -> builtins.list[Want]:
            now = self._now(connection)
            found = [want for its in answer_wants(connection, arrivals, now=now) for want in its]
            complete_reports_of(connection, [want.id for want in found], now=now)
            return found

        return self._database.write(work)

    def wake(
        self, text: str = "", *, numbers: Sequence[int] | None = None, upstreams: Sequence[str] | None = None
    ) -> int:
        """Opens wants that rest or were given up, and drops the rests of their files; returns how many.

        Those of some numbers, those that contain a text; with neither, all. `upstreams` names those whose rests are
        dropped, if not everybody's.
        """
        of_those = () if upstreams is None else (rests.c.upstream.in_([stored_text(one) for one in upstreams]),)

        def work(connection: Connection) -> int:
            asleep = wants.c.state.in_((WantState.RESTING.value, WantState.GIVEN_UP.value))
            count = 0
            for chosen in _chosen(text, numbers=numbers):
                change = update(wants).where(asleep, *chosen).values(state=WantState.OPEN.value, until=None, rounds=0)
                keys = connection.execute(change.returning(wants.c.key)).scalars().all()
                count += len(keys)
                for batch in chunks(keys):
                    connection.execute(delete(rests).where(rests.c.key.in_(batch), *of_those))
            return count

        return self._database.write(work)

    def forget(self, text: str = "", *, numbers: Sequence[int] | None = None, states: Sequence[WantState] = ()) -> int:
        """Forgets the wants that all of these say: a text, numbers, states. With none of them, nothing.

        What upstreams are known not to have stays known. Returns how many.
        """
        if not text and numbers is None and not states:
            return 0

        def work(connection: Connection) -> int:
            count = 0
            for chosen in _chosen(text, numbers=numbers):
                if states:
                    chosen = (*chosen, wants.c.state.in_([state.value for state in states]))
                waited_for = waiting_for(connection, *chosen)
                count += connection.execute(delete(wants).where(*chosen)).rowcount
                for batch in chunks(waited_for):
                    complete_reports(connection, reports.c.id.in_(batch), now=self._now(connection))
            return count

        return self._database.write(work)

    def prune(self, older_than_seconds: float) -> int:
        """Forgets wants that were answered so long ago, and others that nobody wished or waited for since.

        Some hundred in each transaction; what is being worked on stays. Returns how many.
        """
        before = self._time() - int(older_than_seconds * 1_000_000)
        old = or_(
            and_(wants.c.state == WantState.ANSWERED.value, wants.c.answered < before, wants.c.last < before),
            and_(
                wants.c.state.not_in((WantState.ANSWERED.value, WantState.CLAIMED.value)),
                wants.c.last < before,
                wants.c.waiting == 0,
            ),
        )
        count, last = 0, 0
        while numbers := self._numbers(wants.c.id > last, old):
            count += self._change(delete(wants).where(wants.c.id.in_(numbers), old))
            last = numbers[-1]
        return count

    def _numbers(self, *said: ColumnElement[bool]) -> builtins.list[int]:
        query = select(wants.c.id).where(*said).order_by(wants.c.id).limit(WOKEN_AT_ONCE)
        return [row.id for row in self._database.all(query)]

    def _place(self, after: Want | int | None) -> tuple[Any, ...] | None:
        if isinstance(after, Want):
            return (int(after.urgent), after.waiting, after.count, maybe_micros(after.last), after.id)
        rows = [] if after is None else self._database.all(select(*ORDER).where(wants.c.id == after))
        return tuple(rows[0]) if rows else None


def _ending(number: int, worker: str) -> Update:
    return update(wants).where(wants.c.id == number, *_held_by(worker))


def _held_by(worker: str) -> tuple[ColumnElement[bool], ...]:
    return (wants.c.state == WantState.CLAIMED.value, wants.c.worker == stored_text(worker))


def _wake_late(connection: Connection, *, now: int) -> None:
    for state in (WantState.CLAIMED, WantState.RESTING):
        late = select(wants.c.id).where(wants.c.state == state.value, wants.c.until <= now).order_by(wants.c.until)
        late = late.limit(WOKEN_AT_ONCE).with_for_update(skip_locked=True)
        if numbers := connection.execute(late).scalars().all():
            opened = {"state": WantState.OPEN.value, "until": None, "worker": None}
            connection.execute(update(wants).where(wants.c.id.in_(numbers)).values(opened))


def _most_wanted(connection: Connection, numbers: Sequence[int], limit: int) -> builtins.list[int]:
    """The first open ones of some wants, which may be more than one statement takes."""
    found: builtins.list[Any] = []
    for batch in chunks(sorted(set(numbers))):
        query = select(*ORDER).where(wants.c.id.in_(batch), wants.c.state == WantState.OPEN.value)
        found = sorted([*found, *connection.execute(query)], key=place_of, reverse=True)[:limit]
    return [row.id for row in found]


def _chosen(text: str, *, numbers: Sequence[int] | None) -> Iterable[tuple[ColumnElement[bool], ...]]:
    """The conditions of as many statements as it takes."""
    said = (contains(wants.c.words, text),) if text else ()
    if numbers is None:
        return [said]
    return [(*said, wants.c.id.in_(batch)) for batch in chunks(sorted(numbers))]
