"""Breakers: hosts that failed again and again are left alone for a while, by all who share the state."""

import builtins
import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, delete, or_, select, update

from symsrv.ledger.state.base import Part, inserting, maybe_moment, moment
from symsrv.ledger.state.tables import breakers
from symsrv.ledger.texts import original_text, stored_text

FAILURES = 5
WITHIN_SECONDS = 60
OPEN_SECONDS = 60
LONGEST_SECONDS = 3600
PROBE_SECONDS = 60
"""How long a probe has the host to itself; then it is taken for dead, and another one may be made."""
_SECOND = 1_000_000


class BreakerState(StrEnum):
    """`closed` lets every request through, `open` none, `half-open` one that was let through is under way."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


@dataclass(frozen=True, slots=True)
class Breaker:
    """One host that failed lately: how often in a row, and until when nobody asks it."""

    host: str
    state: BreakerState
    failures: int
    until: datetime | None
    opened: int
    reason: str
    changed: datetime


class Breakers(Part):
    """One breaker for each host that has failed since it last answered."""

    def allows(self, host: str) -> datetime | None:
        """None if the host may be asked now, otherwise when to try again.

        Once an open breaker's time is over, one caller is let through, and only that one until it is known how it went
        (`ok`, `failed`), or 60 seconds are over.
        """
        rows = self._database.all(select(breakers).where(breakers.c.host == stored_text(host)))
        if not rows or rows[0].state == BreakerState.CLOSED:
            return None

        def work(connection: Connection) -> datetime | None:
            now = self._now(connection)
            due = (breakers.c.host == stored_text(host), breakers.c.state != BreakerState.CLOSED.value)
            probe = {"state": BreakerState.HALF_OPEN.value, "until": now + PROBE_SECONDS * _SECOND, "changed": now}
            late = or_(breakers.c.until.is_(None), breakers.c.until <= now)
            if connection.execute(update(breakers).where(*due, late).values(probe)).rowcount:
                return None
            row = connection.execute(select(breakers.c.until).where(*due)).first()
            return None if row is None else maybe_moment(row.until)

        # Looked at before: that a host is left alone is asked much more often than it changes.
        if rows[0].until is not None and rows[0].until > self._time():
            return moment(rows[0].until)
        return self._database.write(work)

    def ok(self, host: str) -> None:
        """The host answered, whatever it said: what it failed before no longer counts."""
        known = breakers.c.host == stored_text(host)
        if self._database.all(select(breakers.c.host).where(known)):
            self._database.write(lambda connection: connection.execute(delete(breakers).where(known)))

    def failed(self, host: str, reason: str, *, pause_seconds: float | None = None) -> None:
        """The host did not answer as it should.

        After five times within 60 seconds, with no answer between them, it is left alone for 60 seconds; when a probe
        fails, for twice as long as before, up to an hour. `pause_seconds`: at once, and for so long at least (it said
        so itself).
        """

        def work(connection: Connection) -> None:
            now = self._now(connection)
            fresh = _fresh_row(host, now=now)
            connection.execute(inserting(connection, breakers).values(fresh).on_conflict_do_nothing())
            query = select(breakers).where(breakers.c.host == fresh["host"]).with_for_update()
            row = connection.execute(query).one()
            changed = _failed(row, now=now, pause_seconds=pause_seconds) | {"reason": stored_text(reason)}
            connection.execute(update(breakers).where(breakers.c.host == row.host).values(changed))

        self._database.write(work)

    def list(self) -> builtins.list[Breaker]:
        """The hosts that have failed since they last answered."""
        return [_breaker(row) for row in self._database.all(select(breakers).order_by(breakers.c.host))]

    def clear(self, host: str | None = None) -> int:
        """Forgets the failures of one host or of all; returns of how many."""
        gone = delete(breakers)
        if host is not None:
            gone = gone.where(breakers.c.host == stored_text(host))
        return self._change(gone)


def _fresh_row(host: str, *, now: int) -> dict[str, Any]:
    return {
        "host": stored_text(host),
        "state": BreakerState.CLOSED.value,
        "failures": "[]",
        "opened": 0,
        "until": None,
        "reason": "",
        "changed": now,
    }


def _failed(row: Any, *, now: int, pause_seconds: float | None) -> dict[str, Any]:
    """What a failure changes."""
    failures = [*(one for one in json.loads(row.failures) if one > now - WITHIN_SECONDS * _SECOND), now][-FAILURES:]
    pause = 0 if pause_seconds is None else int(pause_seconds * _SECOND)
    if row.state == BreakerState.OPEN:  # a request that was under way when it was opened
        until = max(row.until, now + pause)
        return {"failures": json.dumps(failures), "until": until, "changed": now}
    changed: dict[str, Any] = {"failures": json.dumps(failures), "changed": now}
    if row.state == BreakerState.HALF_OPEN or len(failures) >= FAILURES or pause_seconds is not None:
        length = min(OPEN_SECONDS * 2 ** min(row.opened, 10), LONGEST_SECONDS) * _SECOND
        if pause_seconds is not None and row.state == BreakerState.CLOSED and len(failures) < FAILURES:
            length = 0
        until = now + max(length, pause)
        changed |= {"state": BreakerState.OPEN.value, "until": until, "opened": row.opened + 1}
    return changed


def _breaker(row: Any) -> Breaker:
    return Breaker(
        host=original_text(row.host),
        state=BreakerState(row.state),
        failures=len(json.loads(row.failures)),
        until=maybe_moment(row.until),
        opened=row.opened,
        reason=original_text(row.reason),
        changed=moment(row.changed),
    )
