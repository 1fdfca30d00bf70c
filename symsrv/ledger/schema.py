"""A set of tables with a number: made where there is none, brought up to date, or refused."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from sqlalchemy import Connection, MetaData, Table, inspect, update

from symsrv.model.errors import NewerFormat, StoreError

Step = Callable[[Connection], None]


class LedgerError(StoreError):
    """The index's database refused, or cannot be reached. Nothing is lost with it: `symsrv reindex` makes it again."""

    reason = "index"
    transient = True
    what = "index"

    def __init__(self, url: str, why: str) -> None:
        super().__init__(f"the {self.what} at {url} cannot be used: {why}")


class StateError(LedgerError):
    """The state's database refused, or cannot be reached. What is in it cannot be made again."""

    reason = "state"
    what = "state"


@dataclass(frozen=True, slots=True)
class Schema:
    """The tables of one kind of database, which may lie beside others: their names begin with `prefix`.

    `meta` is the table of names and numbers, `first` what it says in a new database besides the `schema`. A derived
    schema of another number is dropped and made again. One that is `kept` never is: `steps[n]` brings one of number
    n-1 to n, in a transaction of its own, and a higher number than ours is refused. `one_writer`: writers take turns
    on PostgreSQL, too, as they do on SQLite. `error` says whose trouble it is, `mend` what to do about a damaged file.
    """

    prefix: str
    number: int
    metadata: MetaData
    meta: Table
    error: type[LedgerError]
    mend: str
    first: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    kept: bool = False
    one_writer: bool = False
    steps: Mapping[int, Step] = field(default_factory=lambda: MappingProxyType({}))

    def is_ready(self, connection: Connection) -> bool:
        """Whether a database has all tables of this number."""
        return self._found(connection) == self.number and not self._lacking(connection)

    def advance(self, connection: Connection, *, url: str) -> None:
        """Goes one step towards `is_ready`, in the caller's transaction; nothing kept is ever dropped.

        Raises NewerFormat, or the schema's error for tables that are not whole.
        """
        found = self._found(connection)
        if not self.kept:
            old = MetaData()
            old.reflect(connection, only=lambda name, _: name.startswith(self.prefix))
            old.drop_all(connection)
            self._make(connection)
        elif found is None:
            if there := self._tables(connection):
                raise self.error(url, f"it has {', '.join(sorted(there))} and no number; {self.mend}")
            self._make(connection)
        elif found > self.number:
            raise NewerFormat(f"the {self.error.what} at {url}", found, self.number)
        elif found == self.number:
            raise self.error(url, f"it lacks {', '.join(sorted(self._lacking(connection)))}; {self.mend}")
        else:
            self.steps[found + 1](connection)
            connection.execute(update(self.meta).where(self.meta.c.name == "schema").values(value=found + 1))

    def _make(self, connection: Connection) -> None:
        self.metadata.create_all(connection)
        rows = {"schema": self.number} | dict(self.first)
        connection.execute(self.meta.insert(), [{"name": name, "value": value} for name, value in rows.items()])

    def _found(self, connection: Connection) -> int | None:
        if not inspect(connection).has_table(self.meta.name):
            return None
        row = connection.execute(self.meta.select().where(self.meta.c.name == "schema")).first()
        return row.value if row else None

    def _tables(self, connection: Connection) -> set[str]:
        return {name for name in inspect(connection).get_table_names() if name.startswith(self.prefix)}

    def _lacking(self, connection: Connection) -> set[str]:
        return set(self.metadata.tables) - self._tables(connection)
