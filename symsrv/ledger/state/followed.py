"""Followed: which transaction of an upstream published which file, for who has deletes there followed here."""

from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, Connection, delete, exists, select

from symsrv.ledger.state.base import Part, inserting
from symsrv.ledger.state.tables import followed
from symsrv.ledger.texts import chunks, original_text, stored_text


class Followed(Part):
    """Files by `want_key`, each as often as transactions published it."""

    def put(self, upstream: str, number: int, *, keys: Iterable[str]) -> None:
        """Notes what a transaction published; what is known already changes nothing."""
        rows = [
            {"upstream": stored_text(upstream), "number": number, "key": key}
            for key in sorted(map(stored_text, set(keys)))
        ]

        def work(connection: Connection) -> None:
            for batch in chunks(rows):
                connection.execute(inserting(connection, followed).on_conflict_do_nothing(), batch)

        if rows:
            self._database.write(work)

    def numbers(self, upstream: str) -> list[int]:
        """The transactions that are known and were not dropped, in their order."""
        query = select(followed.c.number).distinct().where(followed.c.upstream == stored_text(upstream))
        return [row[0] for row in self._database.all(query.order_by(followed.c.number))]

    def only_in(self, upstream: str, number: int) -> list[str]:
        """The files that this transaction published and no other one that is known."""
        other = followed.alias()
        elsewhere = exists().where(
            other.c.upstream == followed.c.upstream, other.c.key == followed.c.key, other.c.number != number
        )
        query = select(followed.c.key).where(*_one(upstream, number), ~elsewhere).order_by(followed.c.key)
        return [original_text(row[0]) for row in self._database.all(query)]

    def others(self, upstream: str, number: int, *, keys: Sequence[str]) -> set[str]:
        """Those of some files that another transaction than this one published, too."""
        found: set[str] = set()
        for batch in chunks(map(stored_text, keys)):
            query = select(followed.c.key).where(
                followed.c.upstream == stored_text(upstream), followed.c.number != number, followed.c.key.in_(batch)
            )
            found.update(original_text(row[0]) for row in self._database.all(query))
        return found

    def drop(self, upstream: str, number: int | None = None) -> int:
        """Forgets what a transaction published, or all that an upstream did; returns how many files that were."""
        gone = delete(followed).where(*_one(upstream, number))
        return self._database.write(lambda connection: connection.execute(gone).rowcount)


def _one(upstream: str, number: int | None) -> tuple[ColumnElement[bool], ...]:
    said: tuple[ColumnElement[bool], ...] = (followed.c.upstream == stored_text(upstream),)
    return said if number is None else (*said, followed.c.number == number)
