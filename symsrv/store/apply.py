"""Makes true what a document says: replacements, `refs.ptr`, `000Admin`, and files that a delete frees.

Everything here may run twice, and may run in another process than the one that committed.
"""

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from symsrv.backends.base import Backend, Staged
from symsrv.model.errors import BackendError, Missing
from symsrv.model.records import Entry, Status, Transaction
from symsrv.store import microsoft, places
from symsrv.store.comparing import Hashes

Freed = Callable[[Transaction], Mapping[str, bool]]
"""For a delete: every home that it let go of, and whether nothing live holds it any longer."""

logger = logging.getLogger(__name__)


def apply(backend: Backend, transaction: Transaction, freed: Freed, *, again: bool = False) -> None:
    """Applies one committed transaction; `again` if it may have been applied before, in whole or in part."""
    if transaction.kind == "del":
        _apply_delete(backend, transaction, freed(transaction))
    else:
        _apply_add(backend, transaction, again=again)


def _apply_add(backend: Backend, transaction: Transaction, *, again: bool) -> None:
    for entry in transaction.entries:
        if entry.status is Status.REPLACED:
            _replace(backend, entry, again=again)
    if not backend.shared_lock:
        _list_once(backend, transaction)
        return
    for entry in transaction.entries:
        if entry.status.holds:
            microsoft.put_ref(backend, transaction.number, entry)
    microsoft.put_list(backend, transaction)
    microsoft.put_server_line(backend, transaction)
    microsoft.put_history_line(backend, microsoft.add_line(transaction))


def _replace(backend: Backend, entry: Entry, *, again: bool) -> None:
    sha256 = entry.sha256 or ""
    staged = Staged(handle=entry.handle or "", size=entry.size, sha256=sha256, local=Path())
    if Hashes(backend).same(entry.home, size=entry.size, sha256=sha256):
        backend.discard(staged)
        return
    try:
        backend.place(staged, entry.home, replace=True)
    except Missing:
        if not again:
            raise
        # Used up by an earlier run, and the home has changed since: a later transaction replaced or freed it.
        logger.warning("a replacement was made before", extra={"home": entry.home, "handle": entry.handle})


def _apply_delete(backend: Backend, transaction: Transaction, freed: Mapping[str, bool]) -> None:
    numbers = set(transaction.deletes)
    if backend.shared_lock:
        remove(backend, transaction.number, [home for home, free in freed.items() if free])
        for folder in {home.rsplit("/", 1)[0] for home in freed}:
            microsoft.strike_refs(backend, folder, numbers)
            _drop_lonely_refs(backend, folder)
    for number in transaction.deletes:
        if backend.shared_lock:
            microsoft.retire_list(backend, number)
            microsoft.put_history_line(backend, microsoft.delete_line(transaction.number, number))
        else:
            _blank(backend, number)
    if backend.shared_lock:
        microsoft.strike_server_lines(backend, numbers)
    else:
        backend.write(microsoft.file_list(transaction.number), b"")


def _drop_lonely_refs(backend: Backend, folder: str) -> None:
    """Where no file is left, references are to nothing: of transactions that a tool without `refs.ptr` deleted."""
    refs = f"{folder}/{microsoft.REFS}"
    if [stat.path for stat in backend.walk(folder)] == [refs]:
        backend.delete(refs)


def remove(backend: Backend, number: int, homes: Iterable[str]) -> None:
    """Removes files that nothing holds; notes those that the system refuses to remove now."""
    refused = []
    for home in homes:
        try:
            backend.delete(home)
        except BackendError as exc:
            if not exc.transient:
                raise
            refused.append(home)
    note = places.doomed(number)
    if refused:
        backend.write(note, json.dumps(refused).encode())
    else:
        backend.delete(note)


def _list_once(backend: Backend, transaction: Transaction) -> None:
    """On a bucket another machine may have deleted this add already and left its list empty: never written twice."""
    path = microsoft.file_list(transaction.number)
    if backend.stat(path) is None:
        microsoft.put_list(backend, transaction)


def _blank(backend: Backend, number: int) -> None:
    """Keeps the list of a deleted add at `N.deleted` and leaves `N` empty: Sentry's reader wants every number."""
    path = microsoft.file_list(number)
    try:
        data = backend.read(path)
    except Missing:
        data = b""
    if data:
        backend.write(path + microsoft.DELETED, data)
    backend.write(path, b"")
