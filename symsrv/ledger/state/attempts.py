"""Attempts: the log of what was asked of upstreams, and what came of it; and what follows from it in numbers."""

import builtins
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from symsrv.ledger.state.base import (
    Part,
    contains,
    maybe_micros,
    maybe_original,
    maybe_stored,
    moment,
    words_of,
)
from symsrv.ledger.state.statistics import Statistics, add_counts, counts_of, merged, selection, statistics_of
from symsrv.ledger.state.tables import attempts
from symsrv.ledger.texts import chunks, original_text, stored_text
from symsrv.options import masked

STAGES = ("downloading", "receiving", "retrying", "converting", "checking", "storing")
OUTCOMES = ("ok", "absent", "failed", "skipped", "refused")
_PRUNED_AT_ONCE = 5000


@dataclass(frozen=True, slots=True)
class Attempt:
    """One line of the log. `key` is the file's `want_key`, `want` the want's number, `name` what it is called.

    `stage` is where it ended, `outcome` how: `ok` (it came, and is what was asked for), `absent` (the upstream said
    so), `failed`, `skipped` (not asked: a list, a rest, a budget), `refused` (it would not give it, or we would not
    take it). A request that is made again is one of stage `retrying`. `address` and `reason` have no secret in them;
    `tool` made the file, for a conversion. `id` and, if None, `at` are set by the database.
    """

    upstream: str
    key: str
    stage: str
    outcome: str
    reason: str = ""
    name: str = ""
    want: int | None = None
    address: str = ""
    status: int | None = None
    bytes: int = 0
    milliseconds: int | None = None
    tool: str | None = None
    at: datetime | None = None
    id: int = 0

    def to_record(self) -> dict[str, Any]:
        """A line of `upstream log --json`; fields may be added, never renamed."""
        names = (name for name in self.__dataclass_fields__ if name not in ("at", "id"))
        at = None if self.at is None else self.at.isoformat()
        return {"id": self.id, "at": at} | {name: getattr(self, name) for name in names}


class Attempts(Part):
    """The log, which is cut off at its old end, and the counters, which are not."""

    def note(self, *new: Attempt) -> None:
        """Writes lines into the log and counts them, in one transaction."""

        def work(connection: Connection) -> None:
            now = self._now(connection)
            for batch in chunks(_row(one, now=now) for one in new):
                connection.execute(insert(attempts), batch)
            counts = (
                (
                    one.upstream,
                    counts_of(one.outcome, one.stage, size=one.bytes, milliseconds=one.milliseconds, now=now),
                )
                for one in new
            )
            add_counts(connection, merged(counts), now=now)

        if new:
            self._database.write(work)

    def list(
        self,
        *,
        upstream: str | None = None,
        key: str | None = None,
        text: str = "",
        outcome: str | None = None,
        limit: int = 100,
        after: int | None = None,
    ) -> builtins.list[Attempt]:
        """The attempts that all of these say, newest first; `after` is the number of the last of the page before.

        `text` is part of the name, the key, the address or the reason.
        """
        query = select(attempts).order_by(attempts.c.id.desc()).limit(limit)
        for column, value in ((attempts.c.upstream, upstream), (attempts.c.key, key), (attempts.c.outcome, outcome)):
            if value is not None:
                query = query.where(column == stored_text(value))
        if text:
            query = query.where(contains(attempts.c.words, text))
        if after is not None:
            query = query.where(attempts.c.id < after)
        return [_attempt(row) for row in self._database.all(query)]

    def statistics(self, upstream: str | None = None) -> builtins.list[Statistics]:
        """What each upstream did since it was added, by name."""
        return statistics_of(self._database.all(selection(upstream)))

    def prune(self, older_than_seconds: float) -> int:
        """Forgets older lines, some thousand in each transaction; returns how many. No counter changes."""
        before = self._time() - int(older_than_seconds * 1_000_000)
        old = select(attempts.c.id).where(attempts.c.at < before).order_by(attempts.c.at).limit(_PRUNED_AT_ONCE)
        gone = delete(attempts).where(attempts.c.id.in_(old.scalar_subquery()))
        count = 0
        while pruned := self._change(gone):
            count += pruned
        return count


def _row(one: Attempt, *, now: int) -> dict[str, Any]:
    address = masked(one.address)
    return {
        "at": now if one.at is None else maybe_micros(one.at),
        "upstream": stored_text(one.upstream),
        "want": one.want,
        "key": stored_text(one.key),
        "name": stored_text(one.name),
        "words": words_of(one.name, one.key, address, one.reason),
        "address": stored_text(address),
        "stage": stored_text(one.stage),
        "outcome": stored_text(one.outcome),
        "reason": stored_text(one.reason),
        "status": one.status,
        "bytes": one.bytes,
        "milliseconds": one.milliseconds,
        "tool": maybe_stored(one.tool),
    }


def _attempt(row: Any) -> Attempt:
    texts = ("upstream", "key", "stage", "outcome", "reason", "name", "address")
    return Attempt(
        **{name: original_text(getattr(row, name)) for name in texts},
        want=row.want,
        status=row.status,
        bytes=row.bytes,
        milliseconds=row.milliseconds,
        tool=maybe_original(row.tool),
        at=moment(row.at),
        id=row.id,
    )
