"""Lists: what is fetched and what is not, by names, as people say it at run time."""

import builtins
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, or_, select, update

from symsrv.ledger.state.base import Part, contains, inserting, maybe_micros, maybe_moment, moment
from symsrv.ledger.state.tables import lists, meta
from symsrv.ledger.texts import original_text, stored_text
from symsrv.model.names import fold


class Which(StrEnum):
    """Which list. `skip` is what people put on the skiplist by hand; what fetching puts there are rests."""

    ALLOW = "allow"
    BLOCK = "block"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Listed:
    """One entry of a list: a glob of names, folded; `upstream` None is all of them."""

    id: int
    which: Which
    upstream: str | None
    pattern: str
    reason: str
    who: str
    created: datetime
    expires: datetime | None


class Lists(Part):
    """Allow lists, block lists and the skiplist by hand, of one upstream or of all."""

    def entries(
        self,
        which: Which | None = None,
        *,
        upstream: str | None = None,
        text: str = "",
        limit: int | None = 100,
        after: int | None = None,
    ) -> builtins.list[Listed]:
        """The entries that have not expired, in the order in which they were made; `limit` None is all of them.

        With an upstream, its own and those of all upstreams.
        """
        query = select(lists).where(*_said(which, text), _lasts(self._time()))
        if upstream is not None:
            query = query.where(lists.c.upstream.in_(("", stored_text(upstream))))
        if after is not None:
            query = query.where(lists.c.id > after)
        return [_listed(row) for row in self._database.all(query.order_by(lists.c.id).limit(limit))]

    def add(
        self,
        which: Which,
        pattern: str,
        *,
        upstream: str | None = None,
        reason: str = "",
        who: str = "",
        expires: datetime | None = None,
    ) -> int:
        """Adds a glob of names, or changes what is said of it; returns the entry's number."""
        row = {
            "list": Which(which).value,
            "upstream": stored_text(upstream or ""),
            "pattern": stored_text(fold(pattern)),
            "reason": stored_text(reason),
            "who": stored_text(who),
            "expires": maybe_micros(expires),
        }

        def work(connection: Connection) -> int:
            now = self._now(connection)
            connection.execute(delete(lists).where(lists.c.expires <= now))
            place = ["list", "upstream", "pattern"]
            changed = {name: value for name, value in row.items() if name not in place}
            insert = inserting(connection, lists).values(row | {"created": now})
            upsert = insert.on_conflict_do_update(index_elements=place, set_=changed).returning(lists.c.id)
            number = int(connection.execute(upsert).scalar_one())
            _move_on(connection)
            return number

        return self._database.write(work)

    def remove(self, number: int) -> bool:
        """Removes the entry of that number; whether there was one."""
        return self._drop([lists.c.id == number]) > 0

    def clear(self, which: Which, *, upstream: str | None = None, text: str = "") -> int:
        """Removes what a list says of an upstream (None: of any) and of names that contain a text."""
        said = _said(which, text)
        return self._drop(said if upstream is None else [*said, lists.c.upstream == stored_text(upstream)])

    def revision(self) -> int:
        """A number that moves with every change, but not when an entry expires."""
        return int(self._database.all(select(meta.c.value).where(meta.c.name == "lists"))[0][0])

    def _drop(self, said: Iterable[ColumnElement[bool]]) -> int:
        def work(connection: Connection) -> int:
            count = connection.execute(delete(lists).where(*said)).rowcount
            if count:
                _move_on(connection)
            return count

        return self._database.write(work)


def _move_on(connection: Connection) -> None:
    connection.execute(update(meta).where(meta.c.name == "lists").values(value=meta.c.value + 1))


def _lasts(now: int) -> ColumnElement[bool]:
    return or_(lists.c.expires.is_(None), lists.c.expires > now)


def _said(which: Which | None, text: str) -> builtins.list[ColumnElement[bool]]:
    said = [] if which is None else [lists.c.list == Which(which).value]
    return said + ([contains(lists.c.pattern, text)] if text else [])


def _listed(row: Any) -> Listed:
    return Listed(
        id=row.id,
        which=Which(row.list),
        upstream=original_text(row.upstream) or None,
        pattern=original_text(row.pattern),
        reason=original_text(row.reason),
        who=original_text(row.who),
        created=moment(row.created),
        expires=maybe_moment(row.expires),
    )
