"""What the parts of the state stand on: its database, its clock, and how times and texts are kept."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Delete, Table, Update, text
from sqlalchemy.dialects import postgresql, sqlite

from symsrv.ledger.database import Database
from symsrv.ledger.texts import original_text, stored_text
from symsrv.model.names import fold

Clock = Callable[[], float]
"""Seconds since 1970; for tests."""

SEARCHED_LIMIT = 1000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DATABASE_TIME = text("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)")


class Part:
    """One part of the state. On PostgreSQL the time is the server's, so that machines agree on who is late."""

    def __init__(self, database: Database, clock: Clock | None = None) -> None:
        self._database = database
        self._clock = clock

    def _now(self, connection: Connection) -> int:
        if self._clock is not None:
            return int(self._clock() * 1_000_000)
        if self._database.is_sqlite:
            return time.time_ns() // 1000
        return int(connection.execute(_DATABASE_TIME).scalar_one())

    def _time(self) -> int:
        """The same where no connection is at hand."""
        with self._database.reading() as connection:
            return self._now(connection)

    def _change(self, statement: Update | Delete) -> int:
        """Executes one statement in a transaction; returns how many rows it changed."""
        return self._database.write(lambda connection: int(connection.execute(statement).rowcount))


def inserting(connection: Connection, table: Table) -> "postgresql.Insert | sqlite.Insert":
    """An INSERT that can say what is done `on_conflict`."""
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)


def micros(when: datetime) -> int:
    """A time as it is kept; one without a zone is UTC."""
    return (when.replace(tzinfo=when.tzinfo or UTC) - _EPOCH) // timedelta(microseconds=1)


def moment(kept: int) -> datetime:
    """The inverse of `micros`."""
    return _EPOCH + timedelta(microseconds=kept)


def maybe_micros(when: datetime | None) -> int | None:
    """A time that may be missing, as it is kept."""
    return None if when is None else micros(when)


def maybe_moment(kept: int | None) -> datetime | None:
    """The inverse of `maybe_micros`."""
    return None if kept is None else moment(kept)


def maybe_stored(words: str | None) -> str | None:
    """A text that may be missing, as it is kept."""
    return None if words is None else stored_text(words)


def maybe_original(kept: str | None) -> str | None:
    """The inverse of `maybe_stored`."""
    return None if kept is None else original_text(kept)


def words_of(*parts: str | None) -> str:
    """Texts as they are searched: folded, one a line."""
    return "\n".join(stored_text(fold(part)) for part in parts if part)


def contains(column: ColumnElement[str], searched: str) -> ColumnElement[bool]:
    """Whether a column of `words_of` contains a text; of a longer one than any name, what it begins with."""
    # SQLite refuses patterns of many thousand bytes.
    return column.contains(stored_text(fold(searched.strip()[:SEARCHED_LIMIT])), autoescape=True)
