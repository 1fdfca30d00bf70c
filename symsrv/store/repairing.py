"""Repairs a store that was damaged, step by step, without inventing anything; specified in docs/store.md.

Every step is atomic and does no harm twice. No step removes the only copy of any bytes: what is in doubt is put
aside, under `.symsrv/displaced`.
"""

import hashlib
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from symsrv.backends.base import Backend, displaced_path
from symsrv.formats import identify
from symsrv.layouts import keys
from symsrv.model.errors import AlreadyThere, Missing, NotIdentified
from symsrv.model.names import base_name, fold
from symsrv.model.records import Entry, Status, Transaction
from symsrv.store import microsoft
from symsrv.store.adopting import Foreign
from symsrv.store.damage import broken, broken_packed, deserted, folders_of, leftover, whole_line
from symsrv.store.homes import key_of
from symsrv.store.lines import columns, text_of
from symsrv.store.mending import Mend, admin_mends, filled, filling
from symsrv.store.merging import merges
from symsrv.store.pointers import POINTER_FILE
from symsrv.store.reading import StoredReader

if TYPE_CHECKING:
    from symsrv.ledger.index import Index

_NO_SYMBOLS = (microsoft.REFS, POINTER_FILE)


@dataclass(slots=True)
class _References:
    """What the `refs.ptr` files of a store say: for each transaction its (key, source) pairs, in their order."""

    named: dict[int, list[tuple[str, str]]] = field(default_factory=dict)


def repairs(backend: Backend, index: "Index") -> Iterator[Mend]:
    """Every step that mends something; each is thought of after the one before it was taken.

    `index` was read from this store just now; the caller holds the lock and has recovered.
    """
    yield from admin_mends(backend, index)
    references = _references(backend)
    for transaction in index.transactions():
        if transaction.foreign and transaction.kind == "add" and index.live(transaction.number):
            yield from _list_repairs(backend, transaction, references)
            yield from _refs_repairs(backend, transaction, references)
    for path, check in ((microsoft.HISTORY, "history"), (microsoft.SERVER, "server")):
        yield from _torn_tail(backend, path, check)
    for folder in folders_of(backend):
        if microsoft.REFS in folder.files:
            yield from _torn_tail(backend, folder.place(microsoft.REFS), "refs")
    yield from merges(backend, index)  # a twin's references go behind whole lines only: what is torn was mended before
    for folder in folders_of(backend):
        for name in folder.files:
            if leftover(backend, folder.place(name)):
                yield aside(backend, folder.place(name), "what a stopped tool left is put aside")
            elif name not in _NO_SYMBOLS and folder.path.count("/") and not _is_ours(index, folder.place(name)):
                yield from _doubtful(backend, folder.place(name))
        if deserted(folder):
            gone = partial(backend.delete, f"{folder.path}/{uuid.uuid4().hex}")  # of a file that never was
            yield Mend(folder.path, "an empty folder goes", gone)


def aside(backend: Backend, path: str, sentence: str) -> Mend:
    """The step that puts a file aside, and takes the folders that it leaves empty."""

    def do() -> None:
        backend.rename(path, displaced_path(path, uuid.uuid4().hex))
        backend.sync()  # before its folders go: of the two, a power cut could keep the second alone
        backend.delete(path)  # it is gone; its folders may be empty

    return Mend(path, sentence, do)


def _references(backend: Backend) -> _References:
    found = _References()
    for folder in folders_of(backend):
        if microsoft.REFS not in folder.files:
            continue
        text = text_of(microsoft.whole(backend, folder.place(microsoft.REFS)))
        for line in text.lines:
            words = text.read(line)
            if whole_line(words, "refs"):
                row = columns(words)
                pair = (microsoft.one_tier(folder.path), row[2])
                found.named.setdefault(microsoft.number_of(row[0].strip()), []).append(pair)
    return found


def _list_repairs(backend: Backend, transaction: Transaction, references: _References) -> Iterator[Mend]:
    """A list that is gone is what `refs.ptr` says; a torn tail is completed if one reference continues it."""
    path = microsoft.file_list(transaction.number)
    pairs = references.named.get(transaction.number, [])
    lines = [microsoft.list_line(_entry(f"{key}/-", source)).decode() for key, source in dict.fromkeys(pairs)]
    data = microsoft.whole(backend, path)
    if not data and backend.stat(path) is None and backend.stat(path + microsoft.DELETED) is None:
        if lines:
            after, _, added = filled(b"", lines, "list")
            write = partial(backend.write, path, after)
            yield Mend(path, f"{added} lines are those of refs.ptr", write, added)
        return
    text = text_of(data)
    tail = text.read(text.lines[-1]) if text.lines and not text.ended else ""
    if tail:
        there = {text.read(line) for line in text.lines}
        rest = [line for line in lines if line.startswith(tail) and line not in there]
        yield from filling(backend, path, rest[:1], "list")
        yield from _torn_tail(backend, path, "list")


def _refs_repairs(backend: Backend, transaction: Transaction, references: _References) -> Iterator[Mend]:
    """References that a transaction's list tells, if it wrote any at all and the file's headers tell its kind."""
    has = {fold(key) for key, _ in references.named.get(transaction.number, [])}
    if not has:
        return
    foreign = Foreign(backend)
    adopted = foreign.transaction(transaction.number)
    for entry in adopted.entries if adopted else ():
        folder, _, name = entry.home.rpartition("/")
        if fold(microsoft.one_tier(folder)) in has or name == POINTER_FILE:
            continue
        has.add(fold(microsoft.one_tier(folder)))
        kind = _symbol_kind(backend, entry.home)
        if kind is not None:
            line = microsoft.ref_line(transaction.number, _entry(entry.home, entry.source, kind)).decode()
            yield from filling(backend, f"{folder}/{microsoft.REFS}", [line], "refs")


def _torn_tail(backend: Backend, path: str, check: str) -> Iterator[Mend]:
    """Takes off a last line that nothing tells the rest of; the file as it was is kept aside.

    Not if it tells a transaction's number: then it may be all that is known of it.
    """
    data = microsoft.whole(backend, path)
    text = text_of(data)
    if not text.lines or text.ended:
        return
    tail = text.read(text.lines[-1])
    number = columns(tail)[:1]
    if whole_line(tail, check) or (check != "list" and number and len(number[0].strip()) == 10):
        return

    def do() -> None:
        with suppress(AlreadyThere):
            backend.create(displaced_path(path, hashlib.sha256(data).hexdigest()[:32]), data)
        kept = text.mark + b"".join(text.lines[:-1]) if len(text.lines) > 1 else b""
        backend.write(path, kept)

    yield Mend(path, f"line {len(text.lines)}, a torn one, is put aside", do)


def _doubtful(backend: Backend, home: str) -> Iterator[Mend]:
    """Bytes that another tool or a person put under an id and that do not carry it are not served any longer."""
    if damage := broken(backend, home) or broken_packed(backend, home):
        yield aside(backend, home, f"{damage.sentence}: it is put aside")
        return
    try:
        identities = identify(StoredReader(backend, home), base_name(home))
    except (NotIdentified, Missing):
        return
    if identities and fold(key_of(home)) not in {fold(key) for one in identities for key in keys(one)}:
        yield aside(backend, home, f"its content belongs at {keys(identities[0])[0]}: it is put aside")


def _symbol_kind(backend: Backend, home: str) -> str | None:
    try:
        return identify(StoredReader(backend, home), base_name(home))[0].symbol_kind
    except (NotIdentified, Missing, IndexError):
        return None


def _is_ours(index: "Index", home: str) -> bool:
    """Whether a document speaks of a home: its hash proves more than its headers, and `add --replace` mends it."""
    known = index.at(home)
    return known is not None and known.sha256 is not None


def _entry(home: str, source: str, kind: str = "bin") -> Entry:
    return Entry(home, source, Status.STORED, size=0, symbol_kind=kind)
