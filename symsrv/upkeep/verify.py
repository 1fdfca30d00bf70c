"""Verify: reads every file again and holds it to its id, its record, and the store's invariants.

Believes nothing that is derived: what is held is read from the documents into an index of its own.
"""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from symsrv.layouts import keys
from symsrv.ledger.index import Index
from symsrv.model.names import fold
from symsrv.model.records import StoredFile
from symsrv.store import Stat, SymbolStore, is_packed, key_of


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is not as docs/store.md promises.

    `kind`: `missing` (held, and not there) · `changed` (other bytes than recorded) · `wrong-id` (the content does
    not carry the id of its place) · `damaged` (compressed, and cannot be unpacked) · `freed` (a delete should have
    removed it) · `admin` (000Admin or refs.ptr disagrees with the documents) · `damaged-document`. `mend` says what
    would help.
    """

    kind: str
    path: str
    sentence: str
    mend: str = ""


_REPAIR = "run 'symsrv verify --repair'"
_MEND = {
    "missing": "add it again",
    "empty": _REPAIR,
    "broken": "add it again with --replace, or run 'symsrv verify --repair'",
    "torn": _REPAIR,
    "twins": _REPAIR,
    "unknown-reference": "look where that transaction went; the file stays as long as it is named",
    "orphan": _REPAIR,
    "leftover": _REPAIR,
}
"""What helps against what is damaged: `empty` and `broken` files, `torn` lines, `twins` that differ in case alone,
an `unknown-reference` in refs.ptr to a transaction that nobody knows, an `orphan` folder without a file, a `leftover`
of a tool that was stopped."""


@dataclass(slots=True)
class Tally:
    """What was looked at. `unrecorded` files have no document; they are served all the same."""

    files: int = 0
    bytes: int = 0
    unrecorded: int = 0
    unproven: int = 0
    transactions: int = 0


def verify(
    store: SymbolStore,
    tally: Tally,
    *,
    content: bool = True,
    progress: Callable[[Stat], None] = lambda stat: None,
    scratch: str | None = None,
) -> Iterator[Fault]:
    """Yields the faults of a store; `tally` counts along. Without `content` no file is read beyond its headers.

    `scratch` is a database URL for the index that it reads into; a temporary file by default.
    """
    with tempfile.TemporaryDirectory(prefix="symsrv-verify-", ignore_cleanup_errors=True) as folder:
        index = Index(scratch or f"sqlite:///{Path(folder) / 'index.sqlite'}")
        try:
            for path, why in store.care.read_into(index):
                yield Fault("damaged-document", path, why, "restore it from a backup")
            for stat in store.files():
                tally.files += 1
                tally.bytes += stat.size
                progress(stat)
                unproven = tally.unproven
                yield from _check(store, stat, index, tally, content=content)
                if tally.unproven > unproven and (damage := store.care.broken(stat.path)):
                    yield Fault(damage.kind, damage.path, damage.sentence, _MEND[damage.kind])
            for damage in store.care.damage(index):
                yield Fault(damage.kind, damage.path, damage.sentence, _MEND[damage.kind])
            for path, why in store.care.admin_faults(index):
                yield Fault("admin", path, why, "run 'symsrv reindex --admin'")
            tally.transactions = sum(1 for _ in index.transactions())
        finally:
            index.close()


def _check(store: SymbolStore, stat: Stat, index: Index, tally: Tally, *, content: bool) -> Iterator[Fault]:
    record = index.at(stat.path)
    if record is None:
        tally.unrecorded += 1
    elif not index.holders([stat.path]).get(stat.path) and _is_freed(store, stat, index):
        yield Fault("freed", stat.path, "its last holder was deleted", "the next add or delete removes it")
    yield from _check_bytes(store, stat, record, content=content)
    packed = is_packed(stat.path)
    if packed and not content:
        tally.unproven += 1  # its headers are compressed with the rest
        return
    identities = store.identify(stat.path)
    if not identities:
        tally.unproven += 1
        if packed and (why := store.damage(stat.path)) is not None:
            yield Fault("damaged", stat.path, why, "add the file again with --replace, or remove it")
            return
        if record is not None and record.identities:
            yield Fault("wrong-id", stat.path, "it is no debug file any more", "add it again with --replace")
    elif fold(key_of(stat.path)) not in {fold(key) for identity in identities for key in keys(identity)}:
        yield Fault(
            "wrong-id", stat.path, f"its content belongs at {keys(identities[0])[0]}", "move it there, or remove it"
        )


def _is_freed(store: SymbolStore, stat: Stat, index: Index) -> bool:
    return store.removes_at_once and not store.care.still_named(stat.path, index)


def _check_bytes(store: SymbolStore, stat: Stat, record: StoredFile | None, *, content: bool) -> Iterator[Fault]:
    if record is None or record.sha256 is None:
        return
    if record.size != stat.size or (content and store.sha256(stat.path, afresh=True) != record.sha256):
        yield Fault("changed", stat.path, "its bytes are not those that were published", "add it again with --replace")
