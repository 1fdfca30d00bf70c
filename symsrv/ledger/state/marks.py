"""Marks: small values by name, as how far somebody has read."""

from typing import Any

from sqlalchemy import Connection, delete, select, update

from symsrv.ledger.state.base import Part, inserting
from symsrv.ledger.state.tables import marks
from symsrv.ledger.texts import original_text, stored_text

Value = int | str


class Marks(Part):
    """Numbers (64 bits) and texts by name."""

    def number(self, name: str, default: int = 0) -> int:
        """The number of that name."""
        found = self.get(name)
        return found if isinstance(found, int) else default

    def text(self, name: str, default: str = "") -> str:
        """The text of that name."""
        found = self.get(name)
        return found if isinstance(found, str) else default

    def get(self, name: str) -> Value | None:
        """The value of that name, None if there is none."""
        rows = self._database.all(select(marks).where(marks.c.name == stored_text(name)))
        return _value(rows[0]) if rows else None

    def all(self, prefix: str = "") -> dict[str, Value]:
        """The values whose names begin so."""
        query = select(marks).where(marks.c.name.startswith(stored_text(prefix), autoescape=True))
        found = {original_text(row.name): _value(row) for row in self._database.all(query.order_by(marks.c.name))}
        return {name: value for name, value in found.items() if name.startswith(prefix)}

    def put(self, name: str, value: Value) -> None:
        """Sets a value."""
        self._database.write(lambda connection: put_mark(connection, name, value=value, now=self._now(connection)))

    def move(self, name: str, value: Value, *, from_value: Value | None) -> bool:
        """Sets a value if it is still as `from_value` (None: there is none); whether it was."""

        def work(connection: Connection) -> bool:
            changed = _columns(value) | {"at": self._now(connection)}
            if from_value is None:
                row = {"name": stored_text(name)} | changed
                new = inserting(connection, marks).values(row).on_conflict_do_nothing().returning(marks.c.name)
                return connection.execute(new).first() is not None
            old = _columns(from_value)
            same = (marks.c[key].is_not_distinct_from(one) for key, one in old.items())
            change = update(marks).where(marks.c.name == stored_text(name), *same).values(changed)
            return bool(connection.execute(change).rowcount)

        return self._database.write(work)

    def drop(self, name: str) -> bool:
        """Forgets a value; whether there was one."""
        return self._change(delete(marks).where(marks.c.name == stored_text(name))) > 0


def put_mark(connection: Connection, name: str, *, value: Value, now: int) -> None:
    """Sets a value in the caller's transaction."""
    row = {"name": stored_text(name), "at": now} | _columns(value)
    new = inserting(connection, marks).values(row)
    connection.execute(new.on_conflict_do_update(index_elements=["name"], set_=row))


def _columns(value: Value) -> dict[str, Any]:
    if isinstance(value, int):
        return {"number": int(value), "text": None}
    return {"number": None, "text": stored_text(value)}


def _value(row: Any) -> Value:
    return int(row.number) if row.number is not None else original_text(row.text or "")
