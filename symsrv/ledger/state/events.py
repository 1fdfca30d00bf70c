"""Events: what happened, in order; who tells others of it reads them from where it stopped."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, select, text

from symsrv.ledger.state.base import Part, inserting, moment
from symsrv.ledger.state.tables import events
from symsrv.ledger.texts import chunks, original_text, stored_text

# Readers go by number, so that a lower number must not become visible after a higher one: who writes events on
# PostgreSQL holds this until its transaction ends. test_events.py::test_no_event_appears_behind_a_reader
_LOCK = text("SELECT pg_advisory_xact_lock(126943972912757)")
_PRUNED_AT_ONCE = 5000


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened; `data` is JSON, and has no secret in it."""

    id: int
    at: datetime
    kind: str
    data: dict[str, Any]


class Events(Part):
    """An outbox and audit trail, only ever appended to, and cut off at its old end."""

    def add(self, kind: str, data: dict[str, Any], *, once: str | None = None) -> bool:
        """Appends an event. With `once`, which names what happened, only the first time; whether it was appended.

        Within a larger transaction it is best done last: others wait for its end to append theirs.
        """
        return bool(
            self._database.write(lambda connection: append(connection, kind, [(data, once)], now=self._now(connection)))
        )

    def after(self, cursor: int, limit: int = 100, *, kind: str | None = None) -> list[Event]:
        """The events behind a number (0: the first), in their order."""
        query = select(events).where(events.c.id > cursor).order_by(events.c.id).limit(limit)
        if kind is not None:
            query = query.where(events.c.kind == stored_text(kind))
        return [
            Event(row.id, moment(row.at), original_text(row.kind), json.loads(row.data))
            for row in self._database.all(query)
        ]

    def last(self) -> int:
        """The number of the newest event, 0 if there is none: where a reader begins who is new."""
        return int(self._database.all(select(func.coalesce(func.max(events.c.id), 0)))[0][0])

    def prune(self, older_than_seconds: float) -> int:
        """Forgets older events, some thousand in each transaction; returns how many."""
        before = self._time() - int(older_than_seconds * 1_000_000)
        old = select(events.c.id).where(events.c.at < before).order_by(events.c.at).limit(_PRUNED_AT_ONCE)
        gone = delete(events).where(events.c.id.in_(old.scalar_subquery()))
        count = 0
        while pruned := self._change(gone):
            count += pruned
        return count


def append(connection: Connection, kind: str, new: Sequence[tuple[Mapping[str, Any], str | None]], *, now: int) -> int:
    """Appends events of one kind in the caller's transaction, as data and what they may be told `once` of.

    Returns how many are new.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(_LOCK)
    insert = inserting(connection, events).on_conflict_do_nothing().returning(events.c.id)
    rows = (
        {"at": now, "kind": stored_text(kind), "once": None if once is None else stored_text(once), "data": _json(data)}
        for data, once in new
    )
    return sum(len(connection.execute(insert, batch).fetchall()) for batch in chunks(rows))


def _json(data: Mapping[str, Any]) -> str:
    return json.dumps(data, separators=(",", ":"))
