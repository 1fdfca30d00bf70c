"""Spending: how many bytes each upstream gave on each day, for budgets."""

from datetime import UTC, timedelta

from sqlalchemy import Connection, delete, func, select

from symsrv.ledger.state.base import Part, inserting, moment
from symsrv.ledger.state.tables import spending
from symsrv.ledger.texts import original_text, stored_text

KEPT_DAYS = 400


class Spending(Part):
    """Bytes by upstream and day. Days are those of UTC, the same for all machines."""

    def add(self, upstream: str, count: int) -> None:
        """Counts bytes that an upstream gave."""

        def work(connection: Connection) -> None:
            day = _day(self._now(connection))
            row = {"day": day, "upstream": stored_text(upstream), "bytes": count}
            insert = inserting(connection, spending).values(row)
            more = {"bytes": spending.c.bytes + insert.excluded.bytes}
            connection.execute(insert.on_conflict_do_update(index_elements=["day", "upstream"], set_=more))
            connection.execute(delete(spending).where(spending.c.day < _day(self._now(connection), ago=KEPT_DAYS)))

        if count > 0:
            self._database.write(work)

    def today(self) -> dict[str, int]:
        """The bytes of today by upstream; those that gave none are left out."""
        query = select(spending.c.upstream, spending.c.bytes).where(spending.c.day == _day(self._time()))
        return {original_text(row.upstream): row.bytes for row in self._database.all(query)}

    def days(self, upstream: str | None = None, *, limit: int = 31) -> dict[str, int]:
        """The bytes of one upstream or of all by day (`2026-11-28`), the newest first."""
        query = select(spending.c.day, func.sum(spending.c.bytes)).group_by(spending.c.day)
        if upstream is not None:
            query = query.where(spending.c.upstream == stored_text(upstream))
        rows = self._database.all(query.order_by(spending.c.day.desc()).limit(limit))
        return {day: int(count) for day, count in rows}


def _day(now: int, *, ago: int = 0) -> str:
    return (moment(now).astimezone(UTC) - timedelta(days=ago)).date().isoformat()
