"""A database behind an URL: SQLite or PostgreSQL, one held connection for each thread of each process."""

import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, MetaData, create_engine, event, inspect
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool, StaticPool

from symsrv.ledger.tables import PREFIX, SCHEMA, meta, metadata
from symsrv.model.errors import StoreError, UsageError

_BUSY_SECONDS = 30
_CACHE_KIB = 16 * 1024  # for each thread; SQLite's own 2 MiB make adding to a large index slow
_WAL_RETRY_SECONDS = 0.02
_WRITERS_LOCK = 0x73796D737276  # any number of our own: PostgreSQL's advisory lock of those who write the index


class LedgerError(StoreError):
    """The index's database refused, or cannot be reached. Nothing is lost with it: `symsrv reindex` makes it again."""

    reason = "index"
    transient = True

    def __init__(self, url: str, why: str) -> None:
        super().__init__(f"the index at {url} cannot be used: {why}")


def open_engine(url: str) -> Engine:
    """An engine for a SQLAlchemy URL (`sqlite:///path`, `sqlite://`, `postgresql://…`); raises UsageError."""
    try:
        parsed = make_url(url)
        if parsed.drivername in ("postgres", "postgresql"):
            parsed = parsed.set(drivername="postgresql+psycopg")
        backend = parsed.get_backend_name()
    except (ArgumentError, NoSuchModuleError, ValueError) as exc:
        raise UsageError(f"{url!r} is no address of a database; sqlite:///PATH and postgresql://HOST/NAME are") from exc
    if backend == "sqlite":
        return _open_sqlite(parsed)
    if backend != "postgresql":
        raise UsageError(f"an index in {backend} is not supported; sqlite:///PATH and postgresql://HOST/NAME are")
    try:
        return create_engine(parsed, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    except ImportError as exc:
        raise UsageError("an index in PostgreSQL needs psycopg: pip install 'symsrv[postgresql]'") from exc


def _open_sqlite(url: URL) -> Engine:
    arguments = {"check_same_thread": False, "timeout": _BUSY_SECONDS}
    in_memory = url.database in (None, "", ":memory:")
    if not in_memory:
        try:
            Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise LedgerError(str(url), f"its folder cannot be made ({exc.strerror})") from exc
    pool = StaticPool if in_memory else NullPool
    engine = create_engine(url, poolclass=pool, isolation_level="AUTOCOMMIT", connect_args=arguments)
    event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # Another process that opens a new file at this moment makes the change to WAL fail at once, whatever the busy
    # timeout says. test_database.py::test_many_processes_open_a_new_index_at_once
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            break
        except Exception as exc:
            if "locked" not in str(exc) or time.monotonic() > deadline:
                raise
            time.sleep(_WAL_RETRY_SECONDS)
    # The index is derived: what a power cut takes from its end is read from the documents again.
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")


class Database:
    """The index's tables, made if need be; safe to share between threads, and to take along through a fork.

    Every database error becomes a LedgerError.
    """

    def __init__(self, url: str) -> None:
        self._engine = open_engine(url)
        self.url = self._engine.url.render_as_string(hide_password=True)
        self.is_sqlite = self._engine.dialect.name == "sqlite"
        self._mark = "?" if self.is_sqlite else "%s"
        self._in_memory = isinstance(self._engine.pool, StaticPool)
        self._local = threading.local()
        self._guard = threading.RLock()
        self._open: dict[threading.Thread, Connection] = {}
        self._abandoned: list[Connection] = []
        self._pid = os.getpid()
        with self._translated():
            self._ensure_schema()

    def marks(self, count: int) -> str:
        """So many placeholders, for SQL that goes to the driver as it is."""
        return ", ".join([self._mark] * count)

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> Sequence[Any]:
        """The rows of one SELECT in the driver's own spelling: the fast way. A lost connection is made again once."""
        try:
            return self._rows(sql, parameters)
        except DBAPIError as exc:
            if not exc.connection_invalidated:
                raise self._unavailable(exc) from exc
        with self._translated():
            return self._rows(sql, parameters)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """The thread's connection; each statement sees what is committed by then."""
        with self._translated(), self._guarded():
            yield self._connection()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """The thread's connection in a transaction of its own, one writer at a time; an exception rolls it back."""
        with self._translated(), self._guarded():
            connection = self._connection()
            connection.exec_driver_sql("BEGIN IMMEDIATE" if self.is_sqlite else "BEGIN")
            try:
                if not self.is_sqlite:
                    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITERS_LOCK})")
                yield connection
                connection.exec_driver_sql("COMMIT")
            except BaseException:
                with suppress(SQLAlchemyError):
                    connection.exec_driver_sql("ROLLBACK")
                raise

    def close(self) -> None:
        """Closes every connection that this process opened."""
        self._notice_fork()
        with self._guard:
            for connection in self._open.values():
                with suppress(SQLAlchemyError):
                    connection.close()
            self._open.clear()
            self._local = threading.local()
            self._engine.dispose()

    def _rows(self, sql: str, parameters: Sequence[Any]) -> Sequence[Any]:
        if self.is_sqlite and not self._in_memory:
            # A third of the time that SQLAlchemy's cursor takes, on the server's way to every first answer. What
            # fails is asked again below, where errors are told apart.
            with suppress(sqlite3.Error):
                driver: sqlite3.Connection | None = self._connection().connection.driver_connection
                if driver is not None:
                    return driver.execute(sql, parameters).fetchall()
        if self._in_memory:
            with self._guard:
                return self._connection().exec_driver_sql(sql, tuple(parameters)).fetchall()
        return self._connection().exec_driver_sql(sql, tuple(parameters)).fetchall()

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        # All threads share the one connection of a database in memory.
        if self._in_memory:
            with self._guard:
                yield
        else:
            yield

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as exc:
            raise self._unavailable(exc) from exc

    def _unavailable(self, exc: SQLAlchemyError) -> LedgerError:
        if isinstance(exc, DBAPIError) and exc.connection_invalidated:
            self._drop_connection()
        cause = getattr(exc, "orig", None) or exc
        why = str(cause).strip().splitlines()[0] if str(cause).strip() else type(cause).__name__
        if "malformed" in why or "not a database" in why:
            why += "; remove the file, it is made again from the store"
        return LedgerError(self.url, why)

    def _connection(self) -> Connection:
        self._notice_fork()
        connection: Connection | None = getattr(self._local, "connection", None)
        if connection is None or connection.invalidated:
            self._drop_connection()
            connection = self._engine.connect()
            with self._guard:
                for thread in [thread for thread in self._open if not thread.is_alive()]:
                    self._open.pop(thread).close()
                self._open[threading.current_thread()] = connection
            self._local.connection = connection
        return connection

    def _drop_connection(self) -> None:
        self._local.connection = None
        with self._guard:
            dropped = self._open.pop(threading.current_thread(), None)
        if dropped is not None:
            with suppress(SQLAlchemyError):
                dropped.close()

    def _notice_fork(self) -> None:
        # The parent's connections are not ours to close: PostgreSQL would end the parent's session.
        # test_database.py::test_a_child_leaves_its_parents_connections_alone
        if self._pid == os.getpid():
            return
        self._pid = os.getpid()
        self._guard = threading.RLock()  # the parent's may be held by a thread that is not here
        if not self._in_memory:
            self._abandoned += self._open.values()
            self._open = {}
            self._local = threading.local()

    def _ensure_schema(self) -> None:
        if self._schema() == SCHEMA:
            return
        with self.writing() as connection:
            if self._schema() == SCHEMA:
                return
            old = MetaData()
            old.reflect(connection, only=lambda name, _: name.startswith(PREFIX))
            old.drop_all(connection)
            metadata.create_all(connection)
            rows = [
                {"name": "schema", "value": SCHEMA},
                {"name": "applied", "value": 0},
                {"name": "revision", "value": 0},
            ]
            connection.execute(meta.insert(), rows)

    def _schema(self) -> int | None:
        with self._guarded():
            connection = self._connection()
            if not inspect(connection).has_table(meta.name):
                return None
            found = connection.execute(meta.select().where(meta.c.name == "schema")).first()
            return found.value if found and set(metadata.tables) <= set(inspect(connection).get_table_names()) else None
