"""Writing the index: rows for files, ids, transactions and entries, many at a time."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, exists, func, insert, select, update
from sqlalchemy.sql.elements import ColumnElement

from symsrv.layouts import parse_any
from symsrv.ledger import tables
from symsrv.ledger.matching import GUESS
from symsrv.ledger.texts import chunks, stored_text
from symsrv.model.ask import Wants
from symsrv.model.identity import BOTH, CODE, DEBUG_INFO, SYM, Identity
from symsrv.model.ids import DEBUG, SymbolId
from symsrv.model.names import base_name, fold
from symsrv.model.records import CAB, Entry, StoredFile, Transaction

_ROLE_OF = {Wants.CODE: CODE, Wants.DEBUG: DEBUG_INFO, Wants.EITHER: GUESS, Wants.SYM: SYM}
_UNKNOWN = "unknown"  # the format of a file that is known by its place, since its content could not be read

files, ids, transactions, entries, deletes, meta = (
    tables.files,
    tables.ids,
    tables.transactions,
    tables.entries,
    tables.deletes,
    tables.meta,
)


def live_hold(home: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether a live transaction holds a home."""
    return exists().where(
        entries.c.home == home,
        entries.c.holds == 1,
        transactions.c.number == entries.c.number,
        transactions.c.deleted_by.is_(None),
    )


def write_transaction(connection: Connection, transaction: Transaction) -> bool:
    """Adds a transaction and what follows from it; False if it is there already."""
    number = transaction.number
    if connection.execute(select(transactions.c.number).where(transactions.c.number == number)).first():
        return False
    deleted_by = connection.scalar(select(func.min(deletes.c.number)).where(deletes.c.deleted == number))
    connection.execute(insert(transactions), [_transaction_row(transaction, deleted_by)])
    for batch in chunks(enumerate(transaction.entries)):
        connection.execute(insert(entries), [_entry_row(number, place, entry) for place, entry in batch])
    if deleted_by is None:
        held = {entry.home: entry for entry in transaction.entries if entry.status.holds}
        write_files(connection, map(_stored_file, held.values()))
    if transaction.deletes:
        _mark_deleted(connection, transaction)
    return True


def write_files(connection: Connection, stored: Iterable[StoredFile]) -> None:
    """Adds files, or puts in order what is known of them; the newer word counts."""
    next_id = connection.scalar(select(func.coalesce(func.max(files.c.id), 0))) or 0
    for batch in chunks({file.home: file for file in stored}.values()):
        by_home = {stored_text(file.home): file for file in batch}
        known = {row.home: row for row in connection.execute(select(files).where(files.c.home.in_(by_home)))}
        new, changed, id_rows = [], [], []
        for home, file in by_home.items():
            row = _file_row(home, file, known.get(home))
            if home in known:
                row["old_id"] = row["id"] = known[home].id
                changed.append(row)
            else:
                next_id += 1
                row["id"] = next_id
                new.append(row)
            if file.identities or home not in known:
                id_rows += _id_rows(row["id"], file)
        if new:
            connection.execute(insert(files), new)
        if changed:
            connection.execute(_UPDATE_FILE, changed)
            renewed = [known[home].id for home, file in by_home.items() if home in known and file.identities]
            connection.execute(delete(ids).where(ids.c.file.in_(renewed)))
        if id_rows:
            connection.execute(insert(ids), id_rows)


def drop_files(connection: Connection, homes: Iterable[str]) -> int:
    """Forgets files; returns how many were known."""
    count = 0
    for batch in chunks(map(stored_text, homes)):
        count += connection.execute(delete(files).where(files.c.home.in_(batch))).rowcount
    return count


def move_on(connection: Connection, *, applied: int | None = None) -> None:
    """Moves the revision, and the number of the last transaction read if it is higher."""
    connection.execute(update(meta).where(meta.c.name == "revision").values(value=meta.c.value + 1))
    if applied is not None:
        row = (meta.c.name == "applied", meta.c.value < applied)
        connection.execute(update(meta).where(*row).values(value=applied))


_FACTS = ("size", "sha256", "modified_ns", "encoding", "plain_size", "plain_sha256")
_UPDATE_FILE = (
    update(files)
    .where(files.c.id == bindparam("old_id"))
    .values({name: bindparam(name) for name in (*_FACTS, "names", "identities", "freed")})
)


def _mark_deleted(connection: Connection, transaction: Transaction) -> None:
    numbers = list(dict.fromkeys(transaction.deletes))
    connection.execute(insert(deletes), [{"deleted": one, "number": transaction.number} for one in numbers])
    for batch in chunks(numbers):
        gone = (transactions.c.number.in_(batch), transactions.c.deleted_by.is_(None))
        connection.execute(update(transactions).where(*gone).values(deleted_by=transaction.number))
        touched = select(entries.c.home).where(entries.c.number.in_(batch), entries.c.holds == 1)
        freed = (files.c.home.in_(touched), ~live_hold(files.c.home))
        connection.execute(update(files).where(*freed).values(freed=1))


def _stored_file(entry: Entry) -> StoredFile:
    return StoredFile(entry.home, identities=entry.identities, **{name: getattr(entry, name) for name in _FACTS})


def _file_row(home: str, file: StoredFile, known: Any | None) -> dict[str, Any]:
    row = {name: getattr(file, name) for name in _FACTS} | {
        "home": home,
        "names": "\n".join(_names(file)),
        "identities": json.dumps([one.to_record() for one in file.identities], separators=(",", ":")),
        "freed": 0,
        "encoding": file.encoding or (CAB if _is_packed(file.home) else None),
    }
    if known is not None and not file.identities:
        # Known by name only: what its content is was found out before.
        row |= {"names": known.names, "identities": known.identities}
    return row


def _is_packed(home: str) -> bool:
    """Whether a place says that its file is a packed twin: another tool's, of which nothing else is known."""
    return home.endswith("_") and (ask := parse_any(home)) is not None and ask.packed


def _names(file: StoredFile) -> list[str]:
    own = [name for one in file.identities for name in (one.name, one.asked_name)]
    found = dict.fromkeys([base_name(file.home), *own])
    return [stored_text(fold(name)) for name in found]


def _id_rows(file_id: int, file: StoredFile) -> list[dict[str, Any]]:
    return [
        {"value": value, "kind": kind, "file": file_id, "name": name, "role": role, "also": int(also)}
        for (value, kind, name), (role, also) in found_under(file).items()
    ]


def found_under(file: StoredFile) -> dict[tuple[str, str, str], tuple[str, bool]]:
    """Value, kind and name (folded, as stored) that a file is found under: its role then, and whether only `also`."""
    known = [one for one in file.identities if one.format != _UNKNOWN]
    found: dict[tuple[str, str, str], tuple[str, bool]] = {}
    for identity in known or _by_place(file):
        for one, name, also in _found_by(identity):
            key = (one.value, one.kind, stored_text(fold(name)))
            role, before = found.get(key, (identity.role, also))
            found[key] = (role if role == identity.role else BOTH, also and before)
    return found or _guessed(file)


def _by_place(file: StoredFile) -> tuple[Identity, ...]:
    """What is said of a file whose content nobody can read, unless its place says that it is Breakpad's text."""
    ask = parse_any(file.home) if file.identities else None
    return () if ask is not None and ask.wants is Wants.SYM else file.identities


def _found_by(identity: Identity) -> Iterator[tuple[SymbolId, str, bool]]:
    """Every id with the name that goes with it, and whether it is only one that the file can be found by, too."""
    for one in identity.ids:
        yield one, identity.asked_name, False
    for one in identity.also:
        by_program = identity.role == SYM and one.kind != DEBUG and identity.code_file
        yield one, identity.code_file if by_program and identity.code_file else identity.asked_name, True


def _guessed(file: StoredFile) -> dict[tuple[str, str, str], tuple[str, bool]]:
    ask = parse_any(file.home)
    if ask is None or ask.wants not in _ROLE_OF:
        return {}
    return {(one.value, one.kind, fold(ask.name or "")): (_ROLE_OF[ask.wants], False) for one in ask.ids}


def _transaction_row(transaction: Transaction, deleted_by: int | None) -> dict[str, Any]:
    texts = {
        name: None if text is None else stored_text(text)
        for name in ("product", "version", "comment", "tag", "who", "host", "local_stamp", "kind")
        for text in [getattr(transaction, name)]
    }
    words: Sequence[str] = (transaction.product, transaction.version, transaction.comment, transaction.tag or "")
    return texts | {
        "number": transaction.number,
        "at": transaction.when.isoformat(),
        "foreign_tool": int(transaction.foreign),
        "files": len(transaction.entries),
        "deleted_by": deleted_by,
        "words": "\n".join(stored_text(fold(word)) for word in words if word),
    }


def _entry_row(number: int, position: int, entry: Entry) -> dict[str, Any]:
    return {
        "number": number,
        "position": position,
        "home": stored_text(entry.home),
        "holds": int(entry.status.holds),
        "source": stored_text(entry.source),
        "status": entry.status.value,
        **{name: getattr(entry, name) for name in _FACTS},
        "kept_sha256": entry.kept_sha256,
        "symbol_kind": entry.symbol_kind,
        "evidence": entry.evidence.value,
        "handle": entry.handle,
    }
