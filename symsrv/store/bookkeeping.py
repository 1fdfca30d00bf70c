"""Compares `000Admin` and `refs.ptr` with what the documents say: invariant R1 of docs/store.md."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from symsrv.backends.base import Backend
from symsrv.model.errors import Missing
from symsrv.model.records import Transaction, digits
from symsrv.store import microsoft

if TYPE_CHECKING:
    from symsrv.ledger.index import Index


def admin_faults(backend: Backend, index: "Index") -> Iterator[tuple[str, str]]:
    """Yields (path, sentence) for each of our transactions that `000Admin` tells otherwise.

    On a bucket only `lastid.txt` and the lists are kept (docs/decisions/0004-admin-on-buckets.md).
    """
    last = microsoft.lastid(backend)
    history = microsoft.parse_history(_read(backend, microsoft.HISTORY))
    server = microsoft.parse_history(_read(backend, microsoft.SERVER))
    for transaction in index.transactions():
        if transaction.foreign:
            continue
        number = transaction.number
        if number > last:
            yield microsoft.LASTID, f"it says {digits(last)}, but transaction {digits(number)} is committed"
        if not backend.shared_lock:
            if backend.stat(microsoft.file_list(number)) is None:
                yield microsoft.file_list(number), "the transaction is committed, and its list is missing"
            continue
        live = index.live(number)
        yield from _line_faults(transaction, live=live, history=history, server=server)
        if transaction.kind == "add":
            yield from (_ref_faults if live else _struck_faults)(backend, index, transaction)


_ADD_FIELDS = 9


def _line_faults(
    transaction: Transaction, *, live: bool, history: dict[int, list[str]], server: dict[int, list[str]]
) -> Iterator[tuple[str, str]]:
    number = digits(transaction.number)
    if transaction.number not in history:
        yield microsoft.HISTORY, f"transaction {number} is committed, and has no line"
    elif transaction.kind == "add" and len(history[transaction.number]) < _ADD_FIELDS:
        yield microsoft.HISTORY, f"the line of transaction {number} is torn"
    if live and transaction.kind == "add" and transaction.number not in server:
        yield microsoft.SERVER, f"transaction {number} is live, and has no line"
    if not live and transaction.number in server:
        yield microsoft.SERVER, f"transaction {number} is deleted, and has a line"


def _ref_faults(backend: Backend, index: "Index", transaction: Transaction) -> Iterator[tuple[str, str]]:
    listed = {key for key, _ in microsoft.parse_list(_read(backend, microsoft.file_list(transaction.number)))}
    for entry in index.entries(transaction.number):
        if not entry.status.holds:
            continue
        folder = entry.home.rsplit("/", 1)[0]
        if microsoft.one_tier(folder) not in listed:
            yield microsoft.file_list(transaction.number), f"it does not list {folder}"
        refs = microsoft.ref_lines(_read(backend, f"{folder}/{microsoft.REFS}"))
        if microsoft.ref_line(transaction.number, entry) not in refs:
            yield (
                f"{folder}/{microsoft.REFS}",
                f"transaction {digits(transaction.number)} holds the file, and has no line",
            )


def _struck_faults(backend: Backend, index: "Index", transaction: Transaction) -> Iterator[tuple[str, str]]:
    number = digits(transaction.number)
    for folder in sorted({home.rsplit("/", 1)[0] for home in index.homes_of([transaction.number])}):
        path = f"{folder}/{microsoft.REFS}"
        if any(line.startswith(number.encode()) for line in microsoft.ref_lines(_read(backend, path))):
            yield path, f"transaction {number} is deleted, and has a line"


def _read(backend: Backend, path: str) -> bytes:
    try:
        return backend.read(path)
    except Missing:
        return b""
