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
        number = transaction.number
        if number > last:
            yield microsoft.LASTID, f"it says {digits(last)}, but transaction {digits(number)} is committed"
        if transaction.foreign:
            if backend.shared_lock:
                yield from _foreign_faults(backend, index, transaction, history=history, server=server)
            continue
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


def _foreign_faults(
    backend: Backend,
    index: "Index",
    transaction: Transaction,
    *,
    history: dict[int, list[str]],
    server: dict[int, list[str]],
) -> Iterator[tuple[str, str]]:
    """What another tool's own words contradict each other in; there is no document to hold them to."""
    number, live = digits(transaction.number), index.live(transaction.number)
    path = microsoft.file_list(transaction.number)
    if transaction.number not in history:
        yield microsoft.HISTORY, f"transaction {number} has no line"
    if transaction.kind == "del":
        return
    if not live:
        if transaction.number in server:
            yield microsoft.SERVER, f"transaction {number} is deleted, and has a line"
        yield from _struck_faults(backend, index, transaction)
        return
    if backend.stat(path) is None:
        retired = backend.stat(path + microsoft.DELETED) is not None
        yield (
            path,
            f"the list of transaction {number} {'was retired, and no delete names it' if retired else 'is missing'}",
        )
    elif transaction.number not in server:
        yield microsoft.SERVER, f"transaction {number} is live, and has no line"
    yield from _half_referenced(backend, index, transaction.number)


def _half_referenced(backend: Backend, index: "Index", number: int) -> Iterator[tuple[str, str]]:
    """Of a transaction that wrote references, the folders without one; a tool may well have written none at all."""
    without, some = [], False
    for folder in dict.fromkeys(home.rpartition("/")[0] for home in index.homes_of([number])):
        lines = microsoft.ref_lines(_read(backend, f"{folder}/{microsoft.REFS}"))
        if any(line.startswith(digits(number).encode()) for line in lines):
            some = True
        else:
            without.append(folder)
    for folder in without if some else ():
        yield f"{folder}/{microsoft.REFS}", f"transaction {digits(number)} holds the file, and has no line"


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
