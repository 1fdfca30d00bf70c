"""Upstreams that people add and edit at run time; those that the configuration names are not in here."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, select, update

from symsrv.ledger.state.base import Part, inserting, moment
from symsrv.ledger.state.statistics import forget_counts
from symsrv.ledger.state.tables import followed, lists, meta, rests, upstreams
from symsrv.ledger.texts import stored_text
from symsrv.model.errors import AlreadyThere, Missing, UsageError
from symsrv.options import masked

_SECRETS = frozenset({"password", "token", "secret", "secret_key"})


@dataclass(frozen=True, slots=True)
class Edited:
    """An upstream's options as JSON has them, and when they came and were last changed."""

    options: dict[str, Any]
    created: datetime
    changed: datetime


class Upstreams(Part):
    """The options of upstreams by name. Secrets are not in them, only where those lie."""

    def all(self) -> list[dict[str, Any]]:
        """The options of each, in the order in which they are asked."""
        return [one.options for one in self.edited()]

    def edited(self) -> list[Edited]:
        """The same with their times."""
        found = [
            Edited(json.loads(row.options), moment(row.created), moment(row.changed))
            for row in self._database.all(select(upstreams).order_by(upstreams.c.name))
        ]
        return sorted(found, key=lambda one: one.options.get("order", 100))

    def put(self, options: dict[str, Any], *, create: bool) -> None:
        """Adds an upstream, or changes the options of one, as its `name` says; a new one begins with no statistics.

        Raises AlreadyThere, or Missing without `create`, and UsageError for a secret that is written down.
        """
        name = str(options["name"])
        refuse_secrets(options)
        kept = json.dumps(options, separators=(",", ":"))

        def work(connection: Connection) -> None:
            now = self._now(connection)
            if create:
                row = {"name": stored_text(name), "options": kept, "created": now, "changed": now}
                new = inserting(connection, upstreams).values(row).on_conflict_do_nothing()
                if connection.execute(new.returning(upstreams.c.name)).first() is None:
                    raise AlreadyThere(f"an upstream called {name}")
                forget_counts(connection, name)
            else:
                known = update(upstreams).where(upstreams.c.name == stored_text(name))
                if not connection.execute(known.values(options=kept, changed=now)).rowcount:
                    raise Missing(f"an upstream called {name}")
            _move_on(connection)

        self._database.write(work)

    def remove(self, name: str) -> bool:
        """Forgets an upstream, its lists, and what is known of what it has and has not; whether it was there.

        What it gave stays in the store, the log of attempts until it is pruned, and its statistics until another
        upstream of that name is added.
        """

        def work(connection: Connection) -> bool:
            kept = stored_text(name)
            if not connection.execute(delete(upstreams).where(upstreams.c.name == kept)).rowcount:
                return False
            for table in (rests, lists, followed):
                connection.execute(delete(table).where(table.c.upstream == kept))
            connection.execute(update(meta).where(meta.c.name == "lists").values(value=meta.c.value + 1))
            _move_on(connection)
            return True

        return self._database.write(work)

    def revision(self) -> int:
        """A number that moves with every change."""
        return int(self._database.all(select(meta.c.value).where(meta.c.name == "upstreams"))[0][0])


def refuse_secrets(options: Any, name: str = "") -> None:
    """Raises UsageError for a secret that is written down instead of named by where it lies."""
    if isinstance(options, dict):
        for key, value in options.items():
            refuse_secrets(value, str(key))
    elif isinstance(options, list | tuple):
        for value in options:
            refuse_secrets(value, name)
    elif isinstance(options, str) and (name in _SECRETS or masked(options) != options):
        raise UsageError(f"{name}: a secret is not kept; name where it lies, as {{env: NAME}} or {{file: PATH}}")


def _move_on(connection: Connection) -> None:
    connection.execute(update(meta).where(meta.c.name == "upstreams").values(value=meta.c.value + 1))
