"""A database behind an URL: SQLite or PostgreSQL, one held connection for each thread of each process."""

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool, StaticPool

from symsrv.ledger.schema import LedgerError, Schema
from symsrv.model.errors import UsageError

T = TypeVar("T")

_BUSY_SECONDS = 30
_CACHE_KIB = 16 * 1024  # for each thread; SQLite's own 2 MiB make adding to a large index slow
_WAL_RETRY_SECONDS = 0.02
_WRITERS_LOCK = 0x73796D737276  # any number of our own: PostgreSQL's advisory lock of those who write the index
_SETUP_LOCK = _WRITERS_LOCK + 1  # and of those who make tables
_RETRIES = 10
_COLLISIONS = ("40P01", "40001")  # PostgreSQL: a deadlock, two transactions that cannot be told in a row


def open_engine(url: str, *, durable: bool = False) -> Engine:
    """An engine for a SQLAlchemy URL (`sqlite:///path`, `sqlite://`, `postgresql://…`); raises UsageError.

    `durable`: what SQLite committed outlives a power cut, too. Raises OSError if a file's folder cannot be made.
    """
    try:
        parsed = make_url(url)
        if parsed.drivername in ("postgres", "postgresql"):
            parsed = parsed.set(drivername="postgresql+psycopg")
        backend = parsed.get_backend_name()
    except (ArgumentError, NoSuchModuleError, ValueError) as exc:
        raise UsageError(f"{url!r} is no address of a database; sqlite:///PATH and postgresql://HOST/NAME are") from exc
    if backend == "sqlite":
        return _open_sqlite(parsed, durable=durable)
    if backend != "postgresql":
        raise UsageError(f"a database in {backend} is not supported; sqlite:///PATH and postgresql://HOST/NAME are")
    try:
        return create_engine(parsed, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    except ImportError as exc:
        raise UsageError("a database in PostgreSQL needs psycopg: pip install 'symsrv[postgresql]'") from exc


def _open_sqlite(url: URL, *, durable: bool) -> Engine:
    arguments = {"check_same_thread": False, "timeout": _BUSY_SECONDS}
    in_memory = url.database in (None, "", ":memory:")
    if not in_memory:
        Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
    pool = StaticPool if in_memory else NullPool
    engine = create_engine(url, poolclass=pool, isolation_level="AUTOCOMMIT", connect_args=arguments)
    event.listen(engine, "connect", lambda connection, _record: _prepare_sqlite(connection, durable=durable))
    return engine


def _prepare_sqlite(connection: Any, *, durable: bool) -> None:
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
    connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")


class Database:
    """The tables of a schema, made if need be; safe to share between threads, and to take along through a fork.

    Every database error becomes the schema's own. Raises NewerFormat for a kept schema of a later number.
    """

    def __init__(self, url: str, schema: Schema) -> None:
        self._schema = schema
        try:
            self._engine = open_engine(url, durable=schema.kept)
        except OSError as exc:
            raise schema.error(url, f"its folder cannot be made ({exc.strerror})") from exc
        self.url = self._engine.url.render_as_string(hide_password=True)
        self.is_sqlite = self._engine.dialect.name == "sqlite"
        self._mark = "?" if self.is_sqlite else "%s"
        self._in_memory = isinstance(self._engine.pool, StaticPool)
        self._local = threading.local()
        self._guard = threading.RLock()
        self._turn = threading.Lock()
        self._open: dict[threading.Thread, tuple[Connection, Any]] = {}
        self._abandoned: list[Connection] = []
        self._pid = os.getpid()
        with self._translated():
            self._ensure_schema()

    def marks(self, count: int) -> str:
        """So many placeholders, for SQL that goes to the driver as it is."""
        return ", ".join([self._mark] * count)

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> Sequence[Any]:
        """The rows of one SELECT in the driver's own spelling: the fast way. A lost connection is made again once."""
        self._notice_fork()
        # A third of the time that SQLAlchemy's cursor takes, on the server's way to every first answer. What fails is
        # asked again below, where errors are told apart.
        driver: sqlite3.Connection | None = getattr(self._local, "driver", None)
        if driver is not None:
            try:
                with self._local.lock:
                    return driver.execute(sql, parameters).fetchall()
            except sqlite3.Error:
                pass
        return self._twice(lambda: self._rows(sql, parameters))

    def all(self, query: Any) -> Sequence[Any]:
        """The rows of one SELECT. A lost connection is made again once, unless a transaction was lost with it."""

        def ask() -> Sequence[Any]:
            with self._lock():
                return self._connection().execute(query).fetchall()

        return self._twice(ask)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """The thread's connection; each statement sees what is committed by then."""
        with self._translated(), self._lock():
            yield self._connection()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """The thread's connection in a transaction; an exception rolls it back.

        Inside of another one of the same thread it is part of that, and is committed with it.
        """
        with self._translated(), self._lock():
            if self._is_writing:
                yield self._connection()
                return
            # SQLite lets writers wait by asking again and again, and some of them long: ours take turns before that.
            with self._turn if self.is_sqlite and not self._in_memory else nullcontext():
                yield from self._transaction()

    def write(self, work: Callable[[Connection], T]) -> T:
        """Does a piece of work in a transaction, again if it met another one in PostgreSQL."""
        for _ in range(_RETRIES):
            try:
                with self.writing() as connection:
                    return work(connection)
            except LedgerError as exc:
                state = getattr(getattr(exc.__cause__, "orig", None), "sqlstate", None)
                if self._is_writing or state not in _COLLISIONS:
                    raise
        with self.writing() as connection:
            return work(connection)

    def close(self) -> None:
        """Closes every connection that this process opened, each when its thread is not at work with it."""
        self._notice_fork()
        with self._guard:
            opened, self._open = self._open, {}
        for connection, lock in opened.values():
            # SQLite's driver crashes when a connection is closed under a thread that uses it.
            # test_database.py::test_closing_waits_for_threads_at_work
            if lock.acquire(timeout=_BUSY_SECONDS):
                with suppress(SQLAlchemyError):
                    connection.close()
                lock.release()
        self._engine.dispose()

    def _transaction(self) -> Iterator[Connection]:
        connection = self._begin()
        self._local.writing, self._local.failed = connection, False
        try:
            if not self.is_sqlite and self._schema.one_writer:
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITERS_LOCK})")
            yield connection
            self._connection().exec_driver_sql("COMMIT")
        except BaseException:
            with suppress(SQLAlchemyError):
                connection.exec_driver_sql("ROLLBACK")
            raise
        finally:
            self._local.writing = None

    @property
    def _is_writing(self) -> bool:
        self._notice_fork()
        return getattr(self._local, "writing", None) is not None

    def _begin(self) -> Connection:
        begin = "BEGIN IMMEDIATE" if self.is_sqlite else "BEGIN"

        def start() -> Connection:
            connection = self._connection()
            connection.exec_driver_sql(begin)
            return connection

        return self._twice(start)

    def _twice(self, ask: Callable[[], T]) -> T:
        """Does what changes nothing a second time if the connection turns out to be lost."""
        try:
            return ask()
        except DBAPIError as exc:
            if not exc.connection_invalidated or self._is_writing:
                raise self._unavailable(exc) from exc
            self._drop_connection()
        except (SQLAlchemyError, OverflowError) as exc:
            raise self._unavailable(exc) from exc
        with self._translated():
            return ask()

    def _rows(self, sql: str, parameters: Sequence[Any]) -> Sequence[Any]:
        with self._lock():
            return self._connection().exec_driver_sql(sql, tuple(parameters)).fetchall()

    def _lock(self) -> Any:
        """What a thread holds while it uses its connection: all share the one of a database in memory."""
        self._notice_fork()
        if self._in_memory:
            return self._guard
        lock = getattr(self._local, "lock", None)
        if lock is None:
            lock = self._local.lock = threading.RLock()
        return lock

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, OverflowError) as exc:  # the latter for a number that SQLite cannot hold
            raise self._unavailable(exc) from exc

    def _unavailable(self, exc: SQLAlchemyError | OverflowError) -> LedgerError:
        self._local.failed = True
        if isinstance(exc, DBAPIError) and exc.connection_invalidated:
            self._drop_connection()
        cause = getattr(exc, "orig", None) or exc
        why = str(cause).strip().splitlines()[0] if str(cause).strip() else type(cause).__name__
        if "malformed" in why or "not a database" in why:
            why += f"; {self._schema.mend}"
        return self._schema.error(self.url, why)

    def _connection(self) -> Connection:
        if self._is_writing:
            # Whoever goes on after an error would write outside of the transaction, which is over or aborted.
            # test_database.py::test_nothing_is_written_by_who_goes_on_after_an_error
            if self._local.failed:
                raise self._schema.error(self.url, "the transaction failed before")
            begun: Connection = self._local.writing
            return begun
        connection: Connection | None = getattr(self._local, "connection", None)
        if connection is None or connection.closed or connection.invalidated:
            self._drop_connection()
            connection = self._engine.connect()
            with self._guard:
                for thread in [thread for thread in self._open if not thread.is_alive()]:
                    self._open.pop(thread)[0].close()
                self._open[threading.current_thread()] = connection, self._lock()
            self._local.connection = connection
            if self.is_sqlite and not self._in_memory:
                self._local.driver = connection.connection.driver_connection
        return connection

    def _drop_connection(self) -> None:
        self._local.connection = self._local.driver = None
        with self._guard:
            dropped = self._open.pop(threading.current_thread(), None)
        if dropped is not None:
            with suppress(SQLAlchemyError):
                dropped[0].close()

    def _notice_fork(self) -> None:
        # The parent's connections are not ours to close: PostgreSQL would end the parent's session.
        # test_database.py::test_a_child_leaves_its_parents_connections_alone
        if self._pid == os.getpid():
            return
        self._pid = os.getpid()
        self._guard, self._turn = threading.RLock(), threading.Lock()  # the parent's may be held by no thread of ours
        if not self._in_memory:
            self._abandoned += (connection for connection, _ in self._open.values())
            self._open = {}
            self._local = threading.local()

    def _ensure_schema(self) -> None:
        while not self._is_ready():
            with self.writing() as connection:
                if not self.is_sqlite:
                    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_SETUP_LOCK})")
                if not self._schema.is_ready(connection):
                    self._schema.advance(connection, url=self.url)

    def _is_ready(self) -> bool:
        with self._lock():
            return self._schema.is_ready(self._connection())
