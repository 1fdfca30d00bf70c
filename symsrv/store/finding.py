"""Finding: from an ask to stored files, by the index, and by looking where the file would lie."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from symsrv.backends.base import Backend
from symsrv.layouts import LAYOUTS
from symsrv.model.ask import Ask
from symsrv.model.names import fold
from symsrv.model.records import StoredFile

if TYPE_CHECKING:
    from symsrv.ledger.index import Index

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
        if found := self._index.find(ask):
            return found
        if self._folders is None or (ask.name is None and not ask.ids):
            return ()
        return tuple(self._lying_there(ask))[:1]

    def _lying_there(self, ask: Ask) -> Iterator[StoredFile]:
        tried = dict.fromkeys(
            path for layout in LAYOUTS for path in layout.paths(ask) if not path.startswith("buildid/")
        )
        for path in tried:
            if (stat := self._backend.stat(path)) is not None:
                yield StoredFile(path, stat.size)
        for path in tried:
            if self._folders and (real := self._folders.resolve(path)) and (stat := self._backend.stat(real)):
                yield StoredFile(real, stat.size)


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

    def _names(self, folder: str) -> dict[str, str]:
        place = os.path.join(self._root, folder) if folder else str(self._root)  # noqa: PTH118 - on the hot path
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
