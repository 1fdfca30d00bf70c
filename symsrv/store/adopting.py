"""Adopting: what `000Admin`, `refs.ptr` and the folders tell of transactions that another tool wrote.

Names only, so that it takes seconds: no stored file is opened. Specified in docs/store.md.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from symsrv.backends.base import Backend
from symsrv.model.errors import Missing
from symsrv.model.names import fold
from symsrv.model.records import Entry, Status, Transaction
from symsrv.store import microsoft, places
from symsrv.store.finding import FoldedFolders
from symsrv.store.homes import two_tiers
from symsrv.store.lines import columns, text_of
from symsrv.store.pointers import POINTER_FILE

if TYPE_CHECKING:
    from symsrv.ledger.index import Index

_AT_WORK_SECONDS = 24 * 3600
_STAMPS = ("%m/%d/%Y,%H:%M:%S", "%m/%d/%y,%H:%M:%S", "%m/%d/%Y,%H:%M", "%m/%d/%y,%H:%M")
_AHEAD = 1000  # how far lastid.txt may be ahead of what is known before it is not believed number by number


class Foreign:
    """The transactions of other tools in a store; each file of `000Admin` is read at most once."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        root = backend.local("")
        self._folders = FoldedFolders(root) if root is not None else None

    def transaction(self, number: int) -> Transaction | None:
        """What another tool wrote under a number, or None.

        Known by its line in `history.txt` or else `server.txt`; a list without either belongs to a tool at work, and
        only if it has not changed for a day to one whose lines were lost.
        """
        row = self._history.get(number) or self._server.get(number)
        if row is None:
            stat = self._list_stat(number)
            if stat is None or time.time() - stat / 1e9 < _AT_WORK_SECONDS:
                return None
            row = ["", "add", "file"]
        if row[1] == "del":
            deleted = microsoft.number_of(row[2])
            return Transaction(number, "del", _when(row), "", deletes=(deleted,), foreign=True)
        texts = [*row[5:8], "", "", ""]
        return Transaction(
            number=number,
            kind="add",
            when=_when(row),
            local_stamp=",".join(row[3:5]),
            product=texts[0],
            version=texts[1],
            comment=texts[2],
            entries=tuple(self._entries(number, pointers=row[2] == "ptr")),
            foreign=True,
        )

    def numbers(self) -> set[int]:
        """Every number that a line or a list speaks of."""
        return {*self._history, *self._server, *listed_numbers(self._backend)}

    def keys(self, number: int) -> list[tuple[str, str]]:
        """The (key, source) pairs that a number's list names, deleted or not."""
        for path in _lists(number):
            try:
                return microsoft.parse_list(self._backend.read(path))
            except Missing:
                continue
        return []

    def folders(self, key: str) -> list[str]:
        """The folders that a key of a list may mean, the likeliest first; in two tiers where the store is.

        Of `a.dll` the upper one is `a`, since Windows drops the dot, and `a.` where a tool on Linux made it.
        """
        return list(dict.fromkeys((two_tiers(key), f"{key[:2]}/{key}", key))) if self._two_tier else [key]

    @cached_property
    def _history(self) -> dict[int, list[str]]:
        return microsoft.parse_history(microsoft.whole(self._backend, microsoft.HISTORY))

    @cached_property
    def _server(self) -> dict[int, list[str]]:
        return microsoft.parse_history(microsoft.whole(self._backend, microsoft.SERVER))

    @cached_property
    def _deleted(self) -> set[int]:
        return {microsoft.number_of(row[2]) for row in self._history.values() if row[1] == "del"}

    @cached_property
    def _two_tier(self) -> bool:
        return self._backend.stat(places.TWO_TIER) is not None

    def _list_stat(self, number: int) -> int | None:
        stats = (self._backend.stat(path) for path in _lists(number))
        return next((stat.modified_ns for stat in stats if stat), None)

    def _entries(self, number: int, *, pointers: bool) -> Iterator[Entry]:
        if self._retired_alone(number):
            return
        for key, source in self.keys(number):
            yield from self._lying_at(key, source, pointers=pointers)

    def _retired_alone(self, number: int) -> bool:
        """Whether a list was retired by a delete that has no line: its files went, and it holds nothing."""
        if number in self._server or number in self._deleted:
            return False
        live, retired = map(self._backend.stat, _lists(number))
        return live is None and retired is not None

    def _lying_at(self, key: str, source: str, *, pointers: bool) -> Iterator[Entry]:
        """What lies at a key: the file, the file compressed, both, or the pointer to it; else what should lie there."""
        name = key.split("/")[0]
        folders = self.folders(key)
        files = (POINTER_FILE,) if pointers else (name, f"{name[:-1]}_")
        for candidate in folders:
            stats = [stat for file in files if (stat := self._backend.stat(f"{candidate}/{file}"))]
            if not stats and self._folders:
                real = [found for file in files if (found := self._folders.resolve(f"{candidate}/{file}"))]
                stats = [stat for path in real if (stat := self._backend.stat(path))]
            if stats:
                yield from (Entry(stat.path, source, Status.STORED, size=stat.size) for stat in stats)
                return
        yield Entry(f"{folders[0]}/{files[0]}", source, Status.STORED, size=0)


def listed_numbers(backend: Backend) -> set[int]:
    """The numbers of the lists in `000Admin`, retired or not."""
    names = (stat.path.rsplit("/", 1)[-1].removesuffix(microsoft.DELETED) for stat in backend.walk(microsoft.ADMIN))
    return {number for name in names if len(name) == 10 and (number := microsoft.number_of(name))}


def let_go(backend: Backend, index: "Index", deleting: Sequence[int], *, after: Sequence[int] = ()) -> dict[str, bool]:
    """For each home that some transactions hold or held: whether nothing holds it once they, and `after`, are gone.

    Another tool's word counts beside the index, so that no file goes which may still be somebody's.
    """
    gone = {*deleting, *after}
    homes = index.homes_of(deleting)
    held = index.holders(homes)
    free = [home for home in homes if set(held.get(home, ())) <= gone]
    named = still_named(backend, index, free, gone) if backend.shared_lock else set()
    return dict.fromkeys(homes, False) | {home: home not in named for home in free}


def still_named(backend: Backend, index: "Index", homes: Iterable[str], gone: Iterable[int] = ()) -> set[str]:
    """The homes that another tool still names: in `refs.ptr` by a transaction that is live or that nobody knows, or
    in a list that has no line yet.

    What symsrv wrote into a `refs.ptr` may be about another file of that folder: text symbols lie beside their PDB.
    """
    homes = list(homes)
    at_work = _keys_at_work(backend, index)
    kept = set()
    named: dict[str, set[int]] = {}
    for home in homes:
        folder, _, file = home.rpartition("/")
        if at_work and fold(microsoft.one_tier(folder)) in at_work:
            kept.add(home)
        refs = microsoft.whole(backend, f"{folder}/{microsoft.REFS}")
        named[home] = reference_numbers(refs, pointers=file == POINTER_FILE) - set(gone)
    every = {number for numbers in named.values() for number in numbers}
    dead, own = index.dead(every), index.own(every)
    held = index.holders(homes)
    others = {home: own - {*held.get(home, ())} for home in homes}
    return kept | {home for home, numbers in named.items() if numbers - dead - others[home]}


def reference_numbers(refs: bytes, *, pointers: bool) -> set[int]:
    """The transactions that a `refs.ptr` names as holders of the pointer, or else of the file; 0 if unreadable."""
    text = text_of(refs)
    found = set()
    for line in text.lines:
        row = columns(text.read(line))
        if row and (row[1:2] == ["ptr"]) == pointers:
            found.add(microsoft.number_of(row[0].strip()))
    return found


def _keys_at_work(backend: Backend, index: "Index") -> set[str]:
    """The keys in lists that the index has not read, as their lines are not written yet."""
    applied = index.applied()
    last = min(microsoft.last_number(backend), applied + _AHEAD)
    found: set[str] = set()
    for number in (*index.gaps(), *range(applied + 1, last + 1)):
        data = microsoft.whole(backend, microsoft.file_list(number))
        found.update(fold(key) for key, _ in microsoft.parse_list(data))
    return found


def _lists(number: int) -> tuple[str, str]:
    path = microsoft.file_list(number)
    return path, path + microsoft.DELETED


def _when(row: list[str]) -> datetime:
    """The line's own time, which has no zone: read as this machine's. A del line has none."""
    stamp = ",".join(part.strip() for part in row[3:5])
    for form in _STAMPS:
        try:
            return datetime.strptime(stamp, form).astimezone(UTC)
        except (ValueError, OverflowError, OSError):
            continue
    return datetime.fromtimestamp(0, UTC)
