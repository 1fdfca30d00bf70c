"""Reports: crash dumps, and other groups of wants whose owner waits for all of them."""

import builtins
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from symsrv.ledger.state.base import Part, contains, inserting, maybe_moment, moment, words_of
from symsrv.ledger.state.completing import complete_reports
from symsrv.ledger.state.filing import file_wishes
from symsrv.ledger.state.reading import want_of
from symsrv.ledger.state.tables import report_wants, reports, wants
from symsrv.ledger.texts import chunks, original_text, stored_text
from symsrv.model.wants import Want, WantState, Wish, want_key


@dataclass(frozen=True, slots=True)
class Report:
    """Somebody who waits for `wanted` files, of which `answered` have come and `given_up` will not for now."""

    id: int
    name: str
    origin: str
    data: dict[str, Any]
    created: datetime
    completed: datetime | None
    told: datetime | None
    wanted: int
    answered: int
    given_up: int


class Reports(Part):
    """Who waits for several wants."""

    def file(self, name: str, wishes: Iterable[Wish], *, origin: str, data: dict[str, Any]) -> int:
        """Takes in a report with what it wishes; returns its number. The same again changes nothing.

        The same is: name, origin, and the files that are wished.
        """
        wishes = list(wishes)
        keys = sorted({want_key(wish.ask) for wish in wishes})
        digest = sha256(json.dumps([name, origin, keys]).encode()).hexdigest()
        row = {
            "digest": digest,
            "name": stored_text(name),
            "origin": stored_text(origin),
            "words": words_of(name, origin),
            "data": json.dumps(data, separators=(",", ":")),
        }

        def work(connection: Connection) -> int:
            now = self._now(connection)
            new = inserting(connection, reports).values(row | {"created": now}).on_conflict_do_nothing()
            number = connection.execute(new.returning(reports.c.id)).scalar()
            if number is None:
                return int(connection.execute(select(reports.c.id).where(reports.c.digest == digest)).scalar_one())
            numbers = sorted(set(file_wishes(connection, wishes, now=now)))
            for batch in chunks(numbers):
                connection.execute(insert(report_wants), [{"report": number, "want": want} for want in batch])
                waiting = update(wants).where(wants.c.id.in_(batch)).values(waiting=wants.c.waiting + 1)
                connection.execute(waiting)
            complete_reports(connection, reports.c.id == number, now=now)
            return int(number)

        return self._database.write(work)

    def get(self, number: int) -> Report | None:
        """The report of that number."""
        found = self._reports(reports.c.id == number, limit=1)
        return found[0] if found else None

    def list(
        self, *, text: str = "", told: bool | None = None, limit: int = 100, after: int | None = None
    ) -> builtins.list[Report]:
        """Reports, newest first; `after` is the number of the last of the page before."""
        said = [contains(reports.c.words, text)] if text else []
        if told is not None:
            said.append(reports.c.told.is_not(None) if told else reports.c.told.is_(None))
        if after is not None:
            said.append(reports.c.id < after)
        return self._reports(*said, limit=limit)

    def wants(self, number: int) -> builtins.list[Want]:
        """What a report waits for, and what became of it."""
        query = select(wants).join(report_wants, report_wants.c.want == wants.c.id)
        query = query.where(report_wants.c.report == number).order_by(wants.c.id)
        return [want_of(row) for row in self._database.all(query)]

    def complete(self, limit: int = 100) -> builtins.list[Report]:
        """The reports whose wants are all answered or given up, and that were not told yet, oldest first."""
        ready = (reports.c.told.is_(None), reports.c.completed.is_not(None))
        return self._reports(*ready, limit=limit, order=(reports.c.completed, reports.c.id))

    def told(self, number: int) -> bool:
        """Notes that who waited was told, and waits no more; whether that is new."""

        def work(connection: Connection) -> bool:
            now = self._now(connection)
            untold = (reports.c.id == number, reports.c.told.is_(None))
            if not connection.execute(update(reports).where(*untold).values(told=now)).rowcount:
                return False
            _wait_no_more(connection, number)
            return True

        return self._database.write(work)

    def forget(self, number: int) -> bool:
        """Forgets a report, not its wants; whether it was there."""

        def work(connection: Connection) -> bool:
            row = connection.execute(select(reports.c.told).where(reports.c.id == number).with_for_update()).first()
            if row is None:
                return False
            if row.told is None:
                _wait_no_more(connection, number)
            connection.execute(delete(reports).where(reports.c.id == number))
            return True

        return self._database.write(work)

    def _reports(self, *said: Any, limit: int, order: Iterable[Any] = ()) -> builtins.list[Report]:
        query = select(reports).where(*said).order_by(*(tuple(order) or (reports.c.id.desc(),))).limit(limit)
        rows = self._database.all(query)
        counts: dict[int, dict[str, int]] = {}
        for batch in chunks(row.id for row in rows):
            query = (
                select(report_wants.c.report, wants.c.state, func.count())
                .join(wants, wants.c.id == report_wants.c.want)
                .where(report_wants.c.report.in_(batch))
                .group_by(report_wants.c.report, wants.c.state)
            )
            for number, state, count in self._database.all(query):
                counts.setdefault(number, {})[state] = count
        return [_report(row, counts.get(row.id, {})) for row in rows]


def _wait_no_more(connection: Connection, number: int) -> None:
    its = select(report_wants.c.want).where(report_wants.c.report == number)
    less = update(wants).where(wants.c.id.in_(its), wants.c.waiting > 0).values(waiting=wants.c.waiting - 1)
    connection.execute(less)


def _report(row: Any, counts: dict[str, int]) -> Report:
    return Report(
        id=row.id,
        name=original_text(row.name),
        origin=original_text(row.origin),
        data=json.loads(row.data),
        created=moment(row.created),
        completed=maybe_moment(row.completed),
        told=maybe_moment(row.told),
        wanted=sum(counts.values()),
        answered=counts.get(WantState.ANSWERED, 0),
        given_up=counts.get(WantState.GIVEN_UP, 0),
    )
