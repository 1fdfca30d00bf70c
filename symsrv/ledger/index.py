"""The index: finds stored files by what is asked for, and knows which transactions hold them.

Everything in it comes from the store and can be made again; it lies outside the store, in a database of this
machine or of several.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, delete, func, select, union, update
from sqlalchemy.sql.elements import ColumnElement

from symsrv.layouts import parse_any
from symsrv.ledger import recording
from symsrv.ledger.database import Database
from symsrv.ledger.matching import ANSWERS, may_differ
from symsrv.ledger.tables import INDEX, deletes, entries, files, ids, meta, transactions
from symsrv.ledger.texts import chunks, original_text, stored_text
from symsrv.model.ask import Ask
from symsrv.model.identity import Identity
from symsrv.model.ids import perfmap_readings, readings
from symsrv.model.names import fold
from symsrv.model.records import Entry, Evidence, Status, StoredFile, Transaction

_PAGE = 1000
_GAPS = 1000
_STORED = ("home", "size", "sha256", "modified_ns", "identities", "encoding", "plain_size", "plain_sha256")
_FILE_COLUMNS = ", ".join(f"f.{name}" for name in _STORED)
_ENCODING = 5 + _STORED.index("encoding")
_ID_DIGITS = re.compile(r"[0-9a-f]{6,}")
_ID_NOISE = re.compile(r"(?:elf-buildid|mach-uuid)-(?:sym-|coreclr-)?|r2rmap-v(?=[0-9]+-)|[-{}\s]")
_SIGNATURE = re.compile(r"(?:r2rmap-v)?([0-9]{1,10})-([0-9a-f]{32})")


@dataclass(frozen=True, slots=True)
class Counts:
    """How much the index knows of: files that are held or were found, their bytes, and transactions."""

    files: int
    bytes: int
    transactions: int


class Index:
    """The index at a database URL; safe to share between threads. Raises LedgerError, nothing else."""

    def __init__(self, url: str) -> None:
        self._database = Database(url, INDEX)
        self._find_sql: dict[int, str] = {}

    @property
    def database(self) -> Database:
        """Where it is kept, for what else this room asks of it."""
        return self._database

    def applied(self) -> int:
        """The highest transaction that was recorded; 0 in a new index."""
        return self._number("applied")

    def revision(self) -> int:
        """A number that moves with every change."""
        return self._number("revision")

    def record(self, transaction: Transaction) -> None:
        """Takes in a committed transaction, whole or not at all. A second time changes nothing."""
        with self._database.writing() as connection:
            if recording.write_transaction(connection, transaction):
                recording.move_on(connection, applied=transaction.number)

    def put_files(self, stored: Iterable[StoredFile]) -> None:
        """Takes in files that no document describes; of a known home the newer word counts."""
        stored = list(stored)
        if stored:
            with self._database.writing() as connection:
                recording.write_files(connection, stored)
                recording.move_on(connection)

    def drop_files(self, homes: Iterable[str]) -> None:
        """Forgets files that are gone."""
        with self._database.writing() as connection:
            if recording.drop_files(connection, homes):
                recording.move_on(connection)

    def find(self, ask: Ask) -> list[StoredFile]:
        """The files that answer an ask, best first: by its readings in their order, then those of its name.

        Of those, files whose own id it is come before those that can be found by it, too, and plain before packed. A
        PE image is weakly identified, and a .NET runtime's id is that of several files, so the name must match. Other
        ids are proof enough: a file of another name will do if its extension is the same. A file known only by its
        place must be asked for by its name.
        """
        answers = ANSWERS[ask.wants]
        if not ask.ids:
            return []
        order = {(one.kind, one.value): place for place, one in reversed([*enumerate(ask.ids)])}
        values = list(dict.fromkeys(one.value for one in ask.ids))
        name = None if ask.name is None else fold(ask.name)
        ranked: dict[str, tuple[tuple[int, bool, int, int, bool, str], Any]] = {}
        for row in self._database.rows(self._finding(len(values)), values):
            kind, value, row_name, role, also, home = row[:6]
            place, preference = order.get((kind, value)), answers.get(role)
            if place is None or preference is None:
                continue
            other_name = row_name != name
            if other_name and not may_differ(ask.wants, kind, role, row_name, name):
                continue
            rank = (place, other_name, also, preference, row[_ENCODING] is not None, home)
            if home not in ranked or rank < ranked[home][0]:
                ranked[home] = (rank, row)
        return [_file(row[5:]) for _rank, row in sorted(ranked.values(), key=lambda one: one[0])]

    def at(self, home: str) -> StoredFile | None:
        """What is known of the file at a home, even if its last holder was deleted."""
        sql = f"SELECT {_FILE_COLUMNS} FROM {files.name} f WHERE f.home = {self._database.marks(1)}"
        rows = self._database.rows(sql, [stored_text(home)])
        return _file(rows[0]) if rows else None

    def holders(self, homes: Sequence[str]) -> dict[str, list[int]]:
        """The live transactions that hold each of some homes; a home that nothing holds is left out."""
        found: dict[str, list[int]] = {}
        with self._database.reading() as connection:
            for batch in chunks(map(stored_text, homes)):
                query = (
                    select(entries.c.home, entries.c.number)
                    .distinct()
                    .where(entries.c.home.in_(batch), entries.c.holds == 1, _is_live(entries.c.number))
                    .order_by(entries.c.home, entries.c.number)
                )
                for home, number in connection.execute(query).fetchall():
                    found.setdefault(original_text(home), []).append(number)
        return found

    def held(self) -> Iterator[str]:
        """Every home that a live transaction holds."""
        last = ""
        while True:
            query = (
                select(entries.c.home)
                .distinct()
                .where(entries.c.home > last, entries.c.holds == 1, _is_live(entries.c.number))
                .order_by(entries.c.home)
            )
            page = [row[0] for row in self._all(query.limit(_PAGE))]
            yield from map(original_text, page)
            if len(page) < _PAGE:
                return
            last = page[-1]

    def homes_of(self, numbers: Sequence[int]) -> list[str]:
        """The homes that some transactions hold, or held before they were deleted."""
        found: dict[str, None] = {}
        for batch in chunks(numbers):
            query = select(entries.c.home).distinct().where(entries.c.number.in_(batch), entries.c.holds == 1)
            found.update(dict.fromkeys(original_text(row[0]) for row in self._all(query)))
        return sorted(found)

    def entries(self, number: int) -> Iterator[Entry]:
        """A transaction's entries in their order, without identities: those of the stored file are at its home."""
        last = -1
        while True:
            query = select(entries).where(entries.c.number == number, entries.c.position > last)
            page = self._all(query.order_by(entries.c.position).limit(_PAGE))
            yield from map(_entry, page)
            if len(page) < _PAGE:
                return
            last = page[-1].position

    def transactions(self, newest_first: bool = False) -> Iterator[Transaction]:
        """Every transaction without its entries; `files` counts them and `deleted_by` names the delete."""
        column = transactions.c.number
        query = select(transactions).order_by(column.desc() if newest_first else column).limit(_PAGE)
        page = self._all(query)
        while page:
            deleted = self._deleted_by_each(page)
            for row in page:
                yield _transaction(row, deleted.get(row.number, ()))
            last = page[-1].number
            page = self._all(query.where(column < last if newest_first else column > last))

    def live(self, number: int) -> bool:
        """Whether a number is an add that no delete names."""
        add = (transactions.c.number == number, transactions.c.kind == "add", transactions.c.deleted_by.is_(None))
        return bool(self._all(select(transactions.c.number).where(*add)))

    def dead(self, numbers: Iterable[int]) -> set[int]:
        """Those of some numbers that are known and not live: deletes, and adds that a delete names."""
        found: set[int] = set()
        over = (transactions.c.kind != "add") | transactions.c.deleted_by.is_not(None)
        for batch in chunks(numbers):
            found.update(
                row[0] for row in self._all(select(transactions.c.number).where(transactions.c.number.in_(batch), over))
            )
        return found

    def own(self, numbers: Iterable[int]) -> set[int]:
        """Those of some numbers that are transactions of symsrv's: their entries name each file that they hold."""
        found: set[int] = set()
        for batch in chunks(numbers):
            ours = (transactions.c.number.in_(batch), transactions.c.foreign_tool == 0)
            found.update(row[0] for row in self._all(select(transactions.c.number).where(*ours)))
        return found

    def known(self, numbers: Iterable[int]) -> set[int]:
        """Those of some numbers that are transactions."""
        found: set[int] = set()
        for batch in chunks(numbers):
            rows = self._all(select(transactions.c.number).where(transactions.c.number.in_(batch)))
            found.update(row[0] for row in rows)
        return found

    def gaps(self, last: int = _GAPS) -> list[int]:
        """The numbers that no transaction has, among the `last` ones below the highest that was read."""
        applied = self.applied()
        first = max(1, applied - last)
        known = {row[0] for row in self._all(select(transactions.c.number).where(transactions.c.number >= first))}
        return [number for number in range(first, applied) if number not in known]

    def search(self, text: str, limit: int) -> list[StoredFile]:
        """Files whose name, product, version, tag or comment contains a text, or whose id it is or begins."""
        found: dict[str, StoredFile] = {}
        for query in self._searches(text):
            for row in self._all(query.where(files.c.freed == 0).limit(limit)):
                found.setdefault(row.home, _file(row))
            if len(found) >= limit:
                break
        return list(found.values())[:limit]

    def counts(self) -> Counts:
        """How much there is."""
        query = select(func.count(), func.coalesce(func.sum(files.c.size), 0)).where(files.c.freed == 0)
        row = self._all(query)[0]
        return Counts(row[0], int(row[1]), self._all(select(func.count()).select_from(transactions))[0][0])

    def clear(self) -> None:
        """Forgets everything; the next reader begins with the first transaction."""
        with self._database.writing() as connection:
            for table in (ids, files, entries, deletes, transactions):
                connection.execute(delete(table))
            connection.execute(update(meta).where(meta.c.name == "applied").values(value=0))
            recording.move_on(connection)

    def close(self) -> None:
        """Closes every connection."""
        self._database.close()

    def _number(self, name: str) -> int:
        sql = f"SELECT value FROM {meta.name} WHERE name = '{name}'"
        return int(self._database.rows(sql)[0][0])

    def _finding(self, count: int) -> str:
        sql = self._find_sql.get(count)
        if sql is None:
            sql = self._find_sql[count] = (
                f"SELECT i.kind, i.value, i.name, i.role, i.also, {_FILE_COLUMNS} FROM {ids.name} i"
                f" JOIN {files.name} f ON f.id = i.file"
                f" WHERE i.value IN ({self._database.marks(count)}) AND f.freed = 0"
            )
        return sql

    def _all(self, query: Any) -> Sequence[Any]:
        with self._database.reading() as connection:
            return connection.execute(query).fetchall()

    def _deleted_by_each(self, page: Sequence[Any]) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for batch in chunks(row.number for row in page):
            query = select(deletes).where(deletes.c.number.in_(batch)).order_by(deletes.c.deleted)
            for row in self._all(query):
                found.setdefault(row.number, []).append(row.deleted)
        return found

    def _searches(self, text: str) -> Iterator[Select[Any]]:
        digits = _ID_NOISE.sub("", text.lower())
        columns = select(*(files.c[name] for name in _STORED))
        whole = columns.order_by(files.c.home)
        if (ask := parse_any(text.replace("\\", "/").strip("/"))) is not None:
            yield whole.where(files.c.home.in_([stored_text(file.home) for file in self.find(ask)]))
        if _ID_DIGITS.fullmatch(digits):
            signature = _SIGNATURE.fullmatch(text.strip().lower())
            maps = perfmap_readings(f"{signature[1]}-{signature[2]}" if signature else f"1-{digits}")
            exact = select(ids.c.file).where(ids.c.value.in_([one.value for one in (*readings(digits), *maps)]))
            # Every id that begins so: no hexadecimal digit sorts behind `g`.
            longer = select(ids.c.file).where(ids.c.value >= digits, ids.c.value < f"{digits}g")
            yield whole.where(files.c.id.in_(union(exact, longer)))
        if words := stored_text(fold(text.strip())):
            yield whole.where(files.c.names.contains(words, autoescape=True))
            said = (transactions.c.words.contains(words, autoescape=True), transactions.c.deleted_by.is_(None))
            matching = self._all(select(transactions.c.number).where(*said).order_by(transactions.c.number.desc()))
            for row in matching:
                # One after the other, in the order of the entries' own key: a limit ends it soon, however many there
                # are, and builds that hold the same files do not use it up.
                held = (entries.c.number == row.number, entries.c.holds == 1)
                yield columns.join(entries, entries.c.home == files.c.home).where(*held).order_by(entries.c.position)


def _is_live(number: ColumnElement[int]) -> ColumnElement[bool]:
    one = transactions.alias()
    return number.in_(select(one.c.number).where(one.c.kind == "add", one.c.deleted_by.is_(None)))


def _file(row: Any) -> StoredFile:
    home, size, sha256, modified_ns, identities, *packed = row
    return StoredFile(original_text(home), size, sha256, modified_ns, _identities(identities), *packed)


@lru_cache(maxsize=4096)
def _identities(text: str) -> tuple[Identity, ...]:
    return tuple(Identity.from_record(one) for one in json.loads(text))


def _entry(row: Any) -> Entry:
    return Entry(
        home=original_text(row.home),
        source=original_text(row.source),
        status=Status(row.status),
        size=row.size,
        sha256=row.sha256,
        modified_ns=row.modified_ns,
        symbol_kind=row.symbol_kind,
        evidence=Evidence(row.evidence),
        kept_sha256=row.kept_sha256,
        handle=row.handle,
        encoding=row.encoding,
        plain_size=row.plain_size,
        plain_sha256=row.plain_sha256,
    )


def _transaction(row: Any, deleted: Sequence[int]) -> Transaction:
    optional = {name: None if (text := getattr(row, name)) is None else original_text(text) for name in _OPTIONAL}
    return Transaction(
        number=row.number,
        kind=original_text(row.kind),
        when=datetime.fromisoformat(row.at),
        local_stamp=original_text(row.local_stamp),
        product=original_text(row.product),
        version=original_text(row.version),
        comment=original_text(row.comment),
        tag=optional["tag"],
        who=optional["who"],
        host=optional["host"],
        deletes=tuple(deleted),
        foreign=bool(row.foreign_tool),
        files=row.files,
        deleted_by=row.deleted_by,
    )


_OPTIONAL = ("tag", "who", "host")
