"""Finding: from an ask to stored files, by the index, and by looking where the file would lie."""

import itertools
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from symsrv.backends.base import Backend, Stat
from symsrv.layouts import LAYOUTS
from symsrv.model.ask import Ask
from symsrv.model.ids import MSFZ
from symsrv.model.names import base_name, fold
from symsrv.model.records import CAB, StoredFile
from symsrv.store.microsoft import one_tier
from symsrv.store.pointers import POINTER_FILE

if TYPE_CHECKING:
    from symsrv.ledger.index import Index

_SETTLED_NS = 2_000_000_000  # two changes within one tick of the file system's clock look like one
_NAMELESS = {"native", "lldb", "unified"}  # dialects of trees that know files by their ids alone
_LISTED_NAMES = 20_000  # above it, a folder is too dear to list and to remember: the index must know the case


class Finder:
    """Asks the index first; what it does not know may have been copied in by hand, or by symstore.exe just now."""

    def __init__(self, backend: Backend, index: "Index") -> None:
        self._backend = backend
        self._index = index
        root = backend.local("")
        self._folders = FoldedFolders(root) if root is not None else None

    def find(self, ask: Ask) -> Sequence[StoredFile]:
        """The files that answer an ask, best first."""
        if not ask.packed and (found := self._index.find(ask)):
            return found
        if self._folders is not None and (ask.name is not None or ask.ids):
            for one in (ask,) if ask.packed else (ask, replace(ask, packed=True)):
                if found := list(itertools.islice(self._lying_there(one), 1)):
                    return found
        return self._packed_twins(ask) if ask.packed else ()

    def pointer(self, ask: Ask) -> "Lead | None":
        """The pointer in the folder where a file that was not found would lie; None if there is none.

        Only in stores on a disk: in a bucket each miss would cost requests.
        """
        if self._folders is None or ask.name is None or ask.packed or not self._folders.may_have(ask.name):
            return None
        seen: set[str] = set()
        for path in _tried(ask):
            folder, _, name = path.rpartition("/")
            home = f"{folder}/{POINTER_FILE}"
            if home in seen or fold(one_tier(folder).partition("/")[0]) != fold(name):
                continue
            seen.add(home)
            for real in (home, self._folders.resolve(home)):
                if real is not None and self._backend.stat(real) is not None:
                    return Lead(real, path)
        return None

    def absence(self, asks: Sequence[Ask]) -> "Absence | None":
        """Vouches for a miss of these asks as long as no file could have appeared for them; None if nothing can."""
        if self._folders is None:
            return None
        where = {folder for ask in asks for path in _tried(ask) for folder in self._folders.on_the_way(path)}
        return Absence.of([self._folders.place(folder) for folder in where])

    def _packed_twins(self, ask: Ask) -> Sequence[StoredFile]:
        """What the index knows of files that are kept compressed under the name that is asked for."""
        found = self._index.find(replace(ask, packed=False))
        wanted = ask.name and fold(f"{ask.name[:-1]}_")
        return [one for one in found if one.encoding and (wanted is None or fold(base_name(one.home)) == wanted)]

    def _lying_there(self, ask: Ask) -> Iterator[StoredFile]:
        tried = _tried(ask)
        for path in tried:
            if (stat := self._backend.stat(path)) is not None and self._may_lie_there(path, ask):
                yield self._packed(stat) if ask.packed else StoredFile(path, stat.size)
        for path in tried:
            if not self._folders or not (real := self._folders.resolve(path)):
                continue
            if (stat := self._backend.stat(real)) is not None and self._may_lie_there(real, ask):
                yield self._packed(stat) if ask.packed else StoredFile(real, stat.size)

    def _packed(self, stat: Stat) -> StoredFile:
        known = self._index.at(stat.path)
        return known if known and known.encoding else StoredFile(stat.path, stat.size, encoding=CAB)

    def _may_lie_there(self, path: str, ask: Ask) -> bool:
        """Whether a place may speak for its file: not for a compressed container where a plain PDB is asked for."""
        known = self._index.at(path)
        if known is None or not known.identities or any(one.kind == MSFZ for one in ask.ids):
            return True
        return not all(one.ids[0].kind == MSFZ for one in known.identities)


def _tried(ask: Ask) -> list[str]:
    """Where a file might lie. Trees without names are looked into only for who gives no name: it costs two stats."""
    found: dict[str, None] = {}
    for layout in LAYOUTS:
        if layout.name != "debuginfod" and (ask.name is None or layout.name not in _NAMELESS):
            found.update(dict.fromkeys(layout.paths(ask)))
    return list(found)


@dataclass(frozen=True, slots=True)
class Lead:
    """A `file.ptr` at `home`, in place of the file that would lie at `path`."""

    home: str
    path: str


@dataclass(frozen=True, slots=True)
class Absence:
    """The folders in which a name would have to appear before a file that is missing could be found."""

    folders: tuple[tuple[str, int], ...]

    @classmethod
    def of(cls, places: Sequence[str]) -> "Absence | None":
        """The absence as of now; None while one of the folders changed so lately that its next change may not show."""
        try:
            folders = tuple((place, os.stat(place).st_mtime_ns) for place in places)  # noqa: PTH116
        except OSError:
            return None
        settled = time.time_ns() - _SETTLED_NS
        return cls(folders) if all(changed < settled for _, changed in folders) else None

    def holds(self) -> bool:
        """Whether nothing has appeared since."""
        try:
            for place, changed_ns in self.folders:
                if os.stat(place).st_mtime_ns != changed_ns:  # noqa: PTH116 - 1 µs, on the hot path
                    return False
        except OSError:
            return False
        return True


class FoldedFolders:
    """Resolves a path in any case by listing the root and the name's folder, kept until their time of change moves."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._listed: dict[str, tuple[int, dict[str, str]]] = {}

    def resolve(self, path: str) -> str | None:
        """The spelling on disk of a path whose case may be wrong, or None."""
        real: list[str] = []
        for segment in path.split("/"):
            name = self._names("/".join(real)).get(fold(segment))
            if name is None:
                return None
            real.append(name)
        return "/".join(real)

    def may_have(self, name: str) -> bool:
        """Whether the root has a folder for a name, in one tier or in two; also where that is too dear to know."""
        folded, top = fold(name), self._names("")
        return not top or any(one in top for one in (folded, folded[:2], folded[:1]))

    def on_the_way(self, path: str) -> Iterator[str]:
        """The folders that are there on the way to a path, as it is spelled and as it is on disk."""
        exact, real = "", ""
        exact_goes_on = real_goes_on = True
        for segment in path.split("/"):
            if exact_goes_on and (exact_goes_on := os.path.isdir(self.place(exact))):  # noqa: PTH112
                yield exact
            if real_goes_on:
                yield real
                name = self._names(real).get(fold(segment))
                real_goes_on = name is not None
                real = f"{real}/{name}" if real else f"{name}"
            exact = f"{exact}/{segment}" if exact else segment

    def place(self, folder: str) -> str:
        """Where a folder of the store is on this machine."""
        return os.path.join(self._root, folder) if folder else str(self._root)  # noqa: PTH118 - on the hot path

    def _names(self, folder: str) -> dict[str, str]:
        place = self.place(folder)
        try:
            changed_ns = os.stat(place).st_mtime_ns  # noqa: PTH116
            known = self._listed.get(folder)
            if known is not None and known[0] == changed_ns:
                return known[1]
            names = _listing(place)
        except OSError:
            return {}
        if len(self._listed) > _LISTED_NAMES:
            self._listed.clear()
        if "/" not in folder:  # the root and the names; ids' folders are small and many
            self._listed[folder] = (changed_ns, names)
        return names


def _listing(place: str) -> dict[str, str]:
    names: dict[str, str] = {}
    with os.scandir(place) as entries:
        for entry in entries:
            if len(names) >= _LISTED_NAMES:
                return {}
            if not entry.name.startswith("."):
                names[fold(entry.name)] = entry.name
    return names
