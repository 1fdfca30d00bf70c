"""Arriving: what was published answers what was wanted, in one transaction with all that follows from it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, delete, select, update

from symsrv.ledger.matching import answers
from symsrv.ledger.recording import found_under
from symsrv.ledger.state.completing import complete_reports_of
from symsrv.ledger.state.events import append
from symsrv.ledger.state.reading import want_of
from symsrv.ledger.state.tables import rests, want_ids, wants
from symsrv.ledger.texts import chunks, stored_text
from symsrv.model.ask import Wants
from symsrv.model.identity import Identity
from symsrv.model.names import fold
from symsrv.model.records import StoredFile
from symsrv.model.wants import Want, WantState, want_key

ARRIVED = "arrived"
"""The kind of event that tells of a file: `home`, `transaction`, and `wants`, the numbers of those that it answers."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A file that a transaction put, or found, at its home."""

    home: str
    identities: tuple[Identity, ...]
    transaction: int


def arrive(connection: Connection, arrivals: Sequence[Arrival], *, tell: bool, now: int) -> list[Want]:
    """Does all that follows from files being there; a second time nothing does. Returns the wants answered now."""
    answered = answer_wants(connection, arrivals, now=now)
    by_want = {want.id: want for wants_of_one in answered for want in wants_of_one}
    keys = {stored_text(want_key(want.ask)) for want in by_want.values()}
    keys.update(stored_text(key) for one in arrivals for key in _keys(one))
    for batch in chunks(sorted(keys)):
        connection.execute(delete(rests).where(rests.c.key.in_(batch)))
    complete_reports_of(connection, by_want, now=now)
    if tell:
        events = [
            (
                {"home": one.home, "transaction": one.transaction, "wants": [want.id for want in its]},
                f"{ARRIVED}:{one.transaction}:{one.home}",
            )
            for one, its in zip(arrivals, answered, strict=True)
        ]
        append(connection, ARRIVED, events, now=now)
    return list(by_want.values())


def answer_wants(connection: Connection, arrivals: Sequence[Arrival], *, now: int) -> list[list[Want]]:
    """Marks the wants that files answer, by the rules of the index; returns those of each file, as they are now."""
    leads: dict[tuple[str, str], list[tuple[int, str, str]]] = {}
    for place, one in enumerate(arrivals):
        for (value, kind, name), (role, _also) in found_under(_stored(one)).items():
            leads.setdefault((value, kind), []).append((place, name, role))
    candidates: dict[int, set[tuple[str, str]]] = {}
    for batch in chunks(sorted({value for value, _kind in leads})):
        for row in connection.execute(select(want_ids).where(want_ids.c.value.in_(batch))):
            if (row.value, row.kind) in leads:
                candidates.setdefault(row.want, set()).add((row.value, row.kind))
    answered: list[list[Want]] = [[] for _ in arrivals]
    for batch in chunks(sorted(candidates)):
        still = (wants.c.id.in_(batch), wants.c.state != WantState.ANSWERED.value)
        rows = connection.execute(select(wants).where(*still).order_by(wants.c.key).with_for_update()).fetchall()
        places = {row.id: found for row in rows if (found := _answering(row, candidates[row.id], leads)) is not None}
        done = {
            "state": WantState.ANSWERED.value,
            "answered": now,
            "until": None,
            "worker": None,
            "urgent": 0,
            "rounds": 0,
        }
        if places:
            change = update(wants).where(wants.c.id.in_(list(places))).values(done).returning(wants)
            for row in connection.execute(change):
                answered[places[row.id]].append(want_of(row))
    return answered


def _answering(
    row: Any, ids: Iterable[tuple[str, str]], leads: dict[tuple[str, str], list[tuple[int, str, str]]]
) -> int | None:
    """The place of the first file that answers a want."""
    kind_wanted = Wants(row.wants)
    name = None if row.name is None else fold(row.name)
    found = [
        place
        for value, kind in ids
        for place, its_name, role in leads[value, kind]
        if answers(kind_wanted, kind, role, its_name, name)
    ]
    return min(found, default=None)


def _keys(arrival: Arrival) -> Iterable[str]:
    """The keys of the wants that name a file exactly, filed or not: a rest may be older than its want."""
    for identity in arrival.identities:
        for ask in identity.asks() if identity.ids else ():
            for one in ask.ids:
                yield want_key(replace(ask, ids=(one,)))


def _stored(arrival: Arrival) -> StoredFile:
    return StoredFile(arrival.home, 0, identities=arrival.identities)
