"""Completing reports: those that wait for nothing any more, in the transaction that took away the last of it."""

from collections.abc import Iterable

from sqlalchemy import ColumnElement, Connection, exists, select, update

from symsrv.ledger.state.tables import report_wants, reports, wants
from symsrv.ledger.texts import chunks
from symsrv.model.wants import WantState

OVER = (WantState.ANSWERED.value, WantState.GIVEN_UP.value)
"""The states of a want that nobody waits for any more."""


def complete_reports(connection: Connection, *said: ColumnElement[bool], now: int) -> None:
    """Marks those of some reports that wait for nothing any more."""
    lacking = exists().where(
        report_wants.c.report == reports.c.id, wants.c.id == report_wants.c.want, wants.c.state.not_in(OVER)
    )
    connection.execute(update(reports).where(*said, reports.c.completed.is_(None), ~lacking).values(completed=now))


def complete_reports_of(connection: Connection, numbers: Iterable[int], *, now: int) -> None:
    """The same of the reports that wait for some wants."""
    for batch in chunks(sorted(numbers)):
        waiting = select(report_wants.c.report).where(report_wants.c.want.in_(batch))
        complete_reports(connection, reports.c.id.in_(waiting), now=now)


def waiting_for(connection: Connection, *said: ColumnElement[bool]) -> list[int]:
    """The numbers of the reports that wait for some wants, not told yet."""
    query = select(report_wants.c.report).distinct().join(wants, wants.c.id == report_wants.c.want)
    query = query.join(reports, reports.c.id == report_wants.c.report).where(*said, reports.c.completed.is_(None))
    return list(connection.execute(query).scalars())
