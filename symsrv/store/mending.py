"""Mends `000Admin` and `refs.ptr` line by line: adds what is missing, takes out what was deleted.

Other lines keep their bytes and place.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from symsrv.backends.base import Backend
from symsrv.model.errors import Missing
from symsrv.store import microsoft

if TYPE_CHECKING:
    from symsrv.ledger.index import Index


def mend_admin(backend: Backend, index: "Index") -> int:
    """Brings `000Admin` and `refs.ptr` to what the documents say; returns how many lines that were.

    The caller holds the lock and has recovered. On a bucket this is how `server.txt`, `history.txt` and `refs.ptr`
    come to be.
    """
    history: list[bytes] = []
    server: list[bytes] = []
    deleted: set[int] = set()
    count = 0
    for transaction in index.transactions():
        if transaction.foreign:
            continue
        if transaction.kind == "del":
            history += [microsoft.delete_line(transaction.number, number) for number in transaction.deletes]
            continue
        history.append(microsoft.add_line(transaction))
        if index.live(transaction.number):
            server.append(microsoft.add_line(transaction))
            count += _mend_files(backend, index, transaction.number)
        else:
            deleted.add(transaction.number)
    if deleted:
        count += microsoft.strike_server_lines(backend, deleted)
        for folder in {home.rsplit("/", 1)[0] for home in index.homes_of(sorted(deleted))}:
            count += microsoft.strike_refs(backend, folder, deleted)
    count += _add_missing(backend, microsoft.HISTORY, history, terminated=False)
    count += _add_missing(backend, microsoft.SERVER, server, terminated=True)
    last = max((transaction.number for transaction in index.transactions()), default=0)
    if microsoft.lastid(backend) < last:
        microsoft.put_lastid(backend, last)
        count += 1
    return count


def _mend_files(backend: Backend, index: "Index", number: int) -> int:
    lines: list[bytes] = []
    refs: Mapping[str, list[bytes]] = defaultdict(list)
    for entry in index.entries(number):
        if entry.status.holds:
            lines.append(microsoft.list_line(entry))
            refs[entry.home.rsplit("/", 1)[0]].append(microsoft.ref_line(number, entry))
    count = _add_missing(backend, microsoft.file_list(number), lines, terminated=True)
    for folder, wanted in refs.items():
        count += _add_missing(backend, f"{folder}/{microsoft.REFS}", wanted, terminated=False)
    return count


def _add_missing(backend: Backend, path: str, wanted: Iterable[bytes], *, terminated: bool) -> int:
    """Adds lines that are not there yet: in the order of their numbers where lines have one, else at the end."""
    try:
        data = backend.read(path)
    except Missing:
        data = b""
    lines = [line for line in data.replace(b"\r\n", b"\n").split(b"\n") if line]
    by_number = path in (microsoft.HISTORY, microsoft.SERVER)
    there = {line[:10] if by_number else line for line in lines}
    missing = [line for line in dict.fromkeys(wanted) if (line[:10] if by_number else line) not in there]
    if not missing:
        return 0
    merged = sorted([*lines, *missing], key=lambda line: line[:10]) if by_number else [*lines, *missing]
    backend.write(path, b"\r\n".join(merged) + (b"\r\n" if terminated else b""))
    return len(missing)
