"""Recovery: brings what is derived up to the documents, after a crash or another machine's commit."""

import json
from collections.abc import Iterable

from symsrv.backends.base import Backend
from symsrv.model.errors import Missing
from symsrv.store import documents, microsoft, places
from symsrv.store.apply import Freed, apply, remove

_FAR = 1000  # numbers that may be another tool's, before the documents are listed instead


def applied(backend: Backend) -> int:
    """The last number whose derived files are written; a hint that may be too low, never too high."""
    try:
        text = backend.read(places.APPLIED).strip()
    except Missing:
        return 0
    return int(text) if text.isdigit() else 0


def note_applied(backend: Backend, number: int) -> None:
    """Notes that everything up to a number is applied, and tells readers that there is news."""
    backend.write(places.APPLIED, b"%010d" % number)
    backend.write(places.PINGME, b"")


def recover(backend: Backend, freed: Freed) -> int:
    """Applies every document that is not yet; returns the last number that is applied now.

    Numbers without a document are symstore.exe's, or were reserved by a writer that died before its commit.
    """
    first = applied(backend) + 1
    last = max(first - 1, microsoft.last_number(backend)) if backend.shared_lock else first - 1
    news = False
    for number in _between(backend, first, last):
        news |= _apply_again(backend, number, freed)
    number = last
    while _apply_again(backend, number + 1, freed):
        number += 1
        news = True
    if news:
        backend.sync()
        if not backend.shared_lock:
            microsoft.put_lastid(backend, number)
        note_applied(backend, number)
    _retry_doomed(backend, freed)
    return number


def document_numbers(backend: Backend) -> list[int]:
    """The numbers of all documents, ascending."""
    names = (stat.path.rsplit("/", 1)[-1] for stat in backend.walk(places.document(0).rsplit("/", 1)[0]))
    numbers = (microsoft.number_of(name.removesuffix(".jsonl")) for name in names)
    return sorted(number for number in numbers if number)


def _between(backend: Backend, first: int, last: int) -> Iterable[int]:
    """The numbers that may have a document: tried one by one, unless lastid.txt is far ahead of us."""
    if last - first < _FAR:
        return range(first, last + 1)
    return [number for number in document_numbers(backend) if first <= number <= last]


def _apply_again(backend: Backend, number: int, freed: Freed) -> bool:
    transaction = documents.read(backend, number)
    if transaction is not None:
        apply(backend, transaction, freed, again=True)
    return transaction is not None


def _retry_doomed(backend: Backend, freed: Freed) -> None:
    if not backend.shared_lock:
        return
    for note in list(backend.walk(places.DOOMED)):
        number = int(note.path.rsplit("/", 1)[-1].removesuffix(".json"))
        transaction = documents.read(backend, number)
        refused = set(json.loads(backend.read(note.path)))
        still_free = freed(transaction) if transaction else {}
        remove(backend, number, [home for home, free in still_free.items() if free and home in refused])
