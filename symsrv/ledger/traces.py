"""Traces: what the index remembers of files that are not to be had, by their ids, names and homes.

Each question is bounded and goes by an index of the database.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select

from symsrv.ledger.index import Index
from symsrv.ledger.tables import entries, files, ids, transactions
from symsrv.ledger.texts import chunks, original_text, stored_text
from symsrv.model.ids import DEBUG, SymbolId
from symsrv.model.names import fold
from symsrv.model.records import Status

TRACES_LIMIT = 64
EVENTS_LIMIT = 64


@dataclass(frozen=True, slots=True)
class Trace:
    """A file by one of its ids and names (folded). `also`: it is not its own id. `freed`: nothing holds it any more."""

    home: str
    size: int
    sha256: str | None
    id: SymbolId
    name: str
    role: str
    also: bool
    freed: bool


@dataclass(frozen=True, slots=True)
class Event:
    """What a transaction did about a home: `sha256` is that of the file it offered. `deleted_by` ended it."""

    home: str
    status: Status
    size: int
    sha256: str | None
    transaction: int
    when: datetime
    product: str
    version: str
    comment: str
    deleted_by: int | None

    @property
    def holds(self) -> bool:
        """Whether it keeps a file at the home, today."""
        return self.status.holds and self.deleted_by is None


def by_ids(index: Index, wanted: Sequence[SymbolId], *, limit: int = TRACES_LIMIT) -> list[Trace]:
    """The files that have one of these ids, the deleted ones too, the newest first."""
    if not wanted:
        return []
    values = list(dict.fromkeys(one.value for one in wanted))
    found = _traces(index, _columns().where(ids.c.value.in_(values)), limit)
    return [one for one in found if one.id in wanted]


def by_guid(index: Index, digits: str, *, limit: int = TRACES_LIMIT) -> list[Trace]:
    """The debug files that have this GUID with any age, the newest first."""
    # No hexadecimal digit sorts behind `g`.
    ages = (ids.c.kind == DEBUG, ids.c.value >= digits, ids.c.value < f"{digits}g")
    return _traces(index, _columns().where(*ages, files.c.freed == 0), limit)


def by_name(index: Index, name: str, *, limit: int = TRACES_LIMIT) -> list[Trace]:
    """The files that are asked for by this name, in any case, the newest first."""
    return _traces(index, _columns().where(ids.c.name == stored_text(fold(name)), files.c.freed == 0), limit)


def events(index: Index, homes: Iterable[str], *, limit: int = EVENTS_LIMIT) -> list[Event]:
    """What transactions did about these homes, whether they are deleted or not, the newest first."""
    found: list[Event] = []
    for batch in chunks(dict.fromkeys(map(stored_text, homes))):
        query = (
            select(entries, *(transactions.c[name] for name in ("at", "product", "version", "comment", "deleted_by")))
            .join(transactions, transactions.c.number == entries.c.number)
            .where(entries.c.home.in_(batch), transactions.c.kind == "add")
            .order_by(entries.c.number.desc(), entries.c.position)
            .limit(limit)
        )
        found += map(_event, _rows(index, query))
    return sorted(found, key=lambda one: -one.transaction)[:limit]


def _columns() -> Select[Any]:
    named = (ids.c[name] for name in ("file", "kind", "value", "name", "role", "also"))
    return select(*named, files.c.home, files.c.size, files.c.sha256, files.c.plain_sha256, files.c.freed).join(
        files, files.c.id == ids.c.file
    )


def _traces(index: Index, query: Select[Any], limit: int) -> list[Trace]:
    rows = _rows(index, query.order_by(ids.c.file.desc()).limit(limit))
    return [
        Trace(
            home=original_text(row.home),
            size=row.size,
            sha256=row.plain_sha256 or row.sha256,
            id=SymbolId(row.kind, row.value),
            name=original_text(row.name),
            role=row.role,
            also=bool(row.also),
            freed=bool(row.freed),
        )
        for row in rows
    ]


def _event(row: Any) -> Event:
    return Event(
        home=original_text(row.home),
        status=Status(row.status),
        size=row.size,
        sha256=row.plain_sha256 or row.sha256,
        transaction=row.number,
        when=datetime.fromisoformat(row.at),
        product=original_text(row.product),
        version=original_text(row.version),
        comment=original_text(row.comment),
        deleted_by=row.deleted_by,
    )


def _rows(index: Index, query: Select[Any]) -> Sequence[Any]:
    with index.database.reading() as connection:
        return connection.execute(query).fetchall()
