"""Rests: what an upstream is known not to have, and until when it is not asked for it again."""

import builtins
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, or_, select, tuple_

from symsrv.ledger.state.base import Part, contains, inserting, maybe_micros, maybe_moment, moment, words_of
from symsrv.ledger.state.tables import rests
from symsrv.ledger.texts import chunks, original_text, stored_text


@dataclass(frozen=True, slots=True)
class Rest:
    """That an upstream is not asked for a file, by its `want_key`; `until` None is for good, or until it is cleared.

    `skip`: it is on the skiplist, after several rounds. `name` is the file's, for who looks through the list; `answer`
    what the upstream said, as a sentence without secrets. `at` is set by the database.
    """

    upstream: str
    key: str
    until: datetime | None
    reason: str
    rounds: int = 1
    skip: bool = False
    answer: str = ""
    name: str = ""
    at: datetime | None = None


class Rests(Part):
    """One rest for each upstream and file."""

    def until(self, upstream: str, keys: Sequence[str]) -> dict[str, Rest]:
        """The rests of some files that are not over, by key."""
        now = self._time()
        found: dict[str, Rest] = {}
        for batch in chunks(map(stored_text, keys)):
            query = select(rests).where(rests.c.upstream == stored_text(upstream), rests.c.key.in_(batch))
            found |= {one.key: one for one in map(_rest, self._database.all(query.where(_lasts(now))))}
        return found

    def of(self, key: str) -> builtins.list[Rest]:
        """What is remembered of a file at any upstream, over or not: how many rounds there were, and what they said."""
        query = select(rests).where(rests.c.key == stored_text(key)).order_by(rests.c.upstream)
        return [_rest(row) for row in self._database.all(query)]

    def of_each(self, keys: Sequence[str]) -> dict[str, builtins.list[Rest]]:
        """The same of many files at once, by key; those of which nothing is remembered are left out."""
        found: dict[str, builtins.list[Rest]] = {}
        for batch in chunks(map(stored_text, keys)):
            query = select(rests).where(rests.c.key.in_(batch)).order_by(rests.c.upstream)
            for one in map(_rest, self._database.all(query)):
                found.setdefault(one.key, []).append(one)
        return found

    def put(self, new: Iterable[Rest]) -> None:
        """Notes rests; each takes the place of what was known of its upstream and file."""
        rows = {(one.upstream, one.key): _row(one) for one in new}

        def work(connection: Connection) -> None:
            now = self._now(connection)
            insert = inserting(connection, rests)
            changed = {
                name: insert.excluded[name] for name in next(iter(rows.values())) if name not in ("upstream", "key")
            }
            upsert = insert.on_conflict_do_update(
                index_elements=["upstream", "key"], set_=changed | {"at": insert.excluded.at}
            )
            for batch in chunks(rows[place] | {"at": now} for place in sorted(rows)):
                connection.execute(upsert, batch)

        if rows:
            self._database.write(work)

    def clear(
        self,
        *,
        upstream: str | None = None,
        text: str = "",
        keys: Sequence[str] | None = None,
        skip_only: bool = False,
    ) -> int:
        """Forgets the rests that all of these say (none of them: all); returns how many."""
        said = _said(upstream=upstream, text=text, skip_only=skip_only)
        batches: Iterable[tuple[ColumnElement[bool], ...]] = [()]
        if keys is not None:
            batches = [(rests.c.key.in_(batch),) for batch in chunks(sorted(map(stored_text, keys)))]

        def work(connection: Connection) -> int:
            return sum(connection.execute(delete(rests).where(*said, *batch)).rowcount for batch in batches)

        return self._database.write(work)

    def list(
        self,
        *,
        upstream: str | None = None,
        text: str = "",
        skip_only: bool = False,
        limit: int = 100,
        after: Rest | tuple[str, str] | None = None,
    ) -> builtins.list[Rest]:
        """The rests that are not over, by upstream and key; `after` is the last of the page before, or its two."""
        said = _said(upstream=upstream, text=text, skip_only=skip_only)
        query = select(rests).where(*said, _lasts(self._time()))
        if after is not None:
            place = (after.upstream, after.key) if isinstance(after, Rest) else after
            query = query.where(tuple_(rests.c.upstream, rests.c.key) > tuple_(*map(stored_text, place)))
        query = query.order_by(rests.c.upstream, rests.c.key).limit(limit)
        return [_rest(row) for row in self._database.all(query)]

    def prune(self, older_than_seconds: float) -> int:
        """Forgets rests that were over so long ago, and with them how many rounds they counted; returns how many."""

        def work(connection: Connection) -> int:
            over = self._now(connection) - int(older_than_seconds * 1_000_000)
            return connection.execute(delete(rests).where(rests.c.until < over)).rowcount

        return self._database.write(work)


def _lasts(now: int) -> ColumnElement[bool]:
    return or_(rests.c.until.is_(None), rests.c.until > now)


def _said(*, upstream: str | None, text: str, skip_only: bool) -> builtins.list[ColumnElement[bool]]:
    said = [] if upstream is None else [rests.c.upstream == stored_text(upstream)]
    said += [contains(rests.c.words, text)] if text else []
    return said + ([rests.c.skip == 1] if skip_only else [])


def _row(one: Rest) -> dict[str, Any]:
    return {
        "upstream": stored_text(one.upstream),
        "key": stored_text(one.key),
        "name": stored_text(one.name),
        "words": words_of(one.name, one.key),
        "until": maybe_micros(one.until),
        "rounds": one.rounds,
        "reason": stored_text(one.reason),
        "answer": stored_text(one.answer),
        "skip": int(one.skip),
    }


def _rest(row: Any) -> Rest:
    return Rest(
        upstream=original_text(row.upstream),
        key=original_text(row.key),
        until=maybe_moment(row.until),
        reason=original_text(row.reason),
        rounds=row.rounds,
        skip=bool(row.skip),
        answer=original_text(row.answer),
        name=original_text(row.name),
        at=moment(row.at),
    )
