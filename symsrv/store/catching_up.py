"""Catching up: reads into the index what was committed since, by us on any machine and by symstore.exe."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from symsrv.backends.base import Backend
from symsrv.model.errors import DamagedDocument, Missing
from symsrv.model.records import Entry, Status, Transaction
from symsrv.store import documents, microsoft

if TYPE_CHECKING:
    from symsrv.ledger.index import Index

logger = logging.getLogger(__name__)


def _log_damaged(fault: DamagedDocument) -> None:
    logger.warning("left out a transaction: %s", fault)


def catch_up(backend: Backend, index: "Index", damaged: Callable[[DamagedDocument], None] = _log_damaged) -> int:
    """Reads every transaction above the index's last one; returns how many there were.

    A number that has neither document nor history line is a gap, and is only passed when a higher number is
    in use: the highest one may belong to a writer who has reserved it and not yet committed. What a damaged
    document held is taken from `000Admin`, as for another tool's, so that no delete frees it.
    """
    number = index.applied() + 1
    found = 0
    last: int | None = None
    foreign: dict[int, list[str]] | None = None
    while True:
        transaction, fault = _read(backend, number)
        if fault is not None:
            damaged(fault)
        elif transaction is None and last is None:
            # The document may come between our look at it and at lastid.txt: look at it again.
            last = microsoft.last_number(backend)
            continue
        if transaction is None:
            if foreign is None:
                foreign = _history(backend)
            transaction = adopted(backend, number, foreign.get(number))
        if transaction is not None:
            index.record(transaction)
            found += 1
        elif fault is None and last is not None and number >= last:
            return found
        number += 1


def same_past(backend: Backend, index: "Index") -> bool:
    """Whether what the index read last is still in the store: it may have been restored from a backup."""
    newest = next(index.transactions(newest_first=True), None)
    if newest is None or newest.foreign:
        return True
    transaction, fault = _read(backend, newest.number)
    return fault is not None or (transaction is not None and transaction.when == newest.when)


def _read(backend: Backend, number: int) -> tuple[Transaction | None, DamagedDocument | None]:
    try:
        return documents.read(backend, number), None
    except DamagedDocument as fault:
        return None, fault


def adopted(backend: Backend, number: int, row: list[str] | None) -> Transaction | None:
    """The transaction that another tool wrote under a number, known by names only; None without a history line."""
    if row is None:
        return None
    when = _when(row)
    if row[1] == "del":
        deleted = int(row[2]) if row[2].isdigit() else 0
        return Transaction(number, "del", when, "", deletes=(deleted,), foreign=True)
    texts = [*row[5:8], "", "", ""]
    return Transaction(
        number=number,
        kind="add",
        when=when,
        local_stamp=",".join(row[3:5]),
        product=texts[0],
        version=texts[1],
        comment=texts[2],
        entries=tuple(_entries(backend, number, pointers=row[2] == "ptr")),
        foreign=True,
    )


def _entries(backend: Backend, number: int, *, pointers: bool) -> list[Entry]:
    path = microsoft.file_list(number)
    for candidate in (path, path + microsoft.DELETED):
        try:
            pairs = microsoft.parse_list(backend.read(candidate))
        except Missing:
            continue
        return [_entry(backend, key, source, pointer=pointers) for key, source in pairs]
    return []


def _entry(backend: Backend, key: str, source: str, *, pointer: bool) -> Entry:
    """What lies at a key: the file, the file compressed, or the pointer to it."""
    name = key.split("/")[0]
    for file in ("file.ptr",) if pointer else (name, f"{name[:-1]}_"):
        if stat := backend.stat(f"{key}/{file}"):
            return Entry(stat.path, source, Status.STORED, size=stat.size)
    return Entry(f"{key}/{'file.ptr' if pointer else name}", source, Status.STORED, size=0)


def _history(backend: Backend) -> dict[int, list[str]]:
    try:
        return microsoft.parse_history(backend.read(microsoft.HISTORY))
    except Missing:
        return {}


def _when(row: list[str]) -> datetime:
    """The line's own time, which has no zone: read as this machine's. A del line has none."""
    try:
        return datetime.strptime(",".join(row[3:5]), "%m/%d/%Y,%H:%M:%S").astimezone(UTC)
    except ValueError:
        return datetime.fromtimestamp(0, UTC)
