"""Sweeping a watched folder: what `discover` finds, in a tenth of its time, for it is done again and again.

The rules are those of `discover`; test_watch_tree.py holds the two together. What is known already costs a `stat` and
a look into a set, whatever it is called: of a file's name nothing is made until there is news of it.
"""

# ruff: noqa: PTH116, PTH118, PTH119, PTH120, PTH206

import os
import stat
from collections.abc import Callable
from collections.abc import Set as AbstractSet

from symsrv.ingest.memory import Mark
from symsrv.ingest.sources import Filter, is_store, read_error, spelled
from symsrv.model.errors import SourceError

See = Callable[[str, Mark], object]
Complain = Callable[[str, SourceError], object]

_KIND = 0o170000
_REGULAR = stat.S_IFREG
_STALE = os.name == "nt"  # there a folder's listing tells the size that a file had when it was last closed


def mark_of(status: os.stat_result, *, inodes: bool = True) -> Mark:
    """The mark of a file; some network file systems make up another inode number every time."""
    return Mark(status.st_size, status.st_mtime_ns, status.st_ino if inodes else 0)


class Sweep:
    """One walk over a folder: `see` gets every file whose mark is not among the `known`, `complain` what is wrong.

    What is known is given as the hashes of marks.
    """

    def __init__(
        self, wanted: Filter, *, known: AbstractSet[int], see: See, complain: Complain, inodes: bool = True
    ) -> None:
        self._met: list[int] = []
        self._wanted = wanted
        self._picky = bool(wanted.include or wanted.exclude)
        self._known = known
        self._see = see
        self._complain = complain
        self._inodes = inodes
        self._root = ""
        self._folders: set[tuple[int, int]] = set()
        self._linked: set[str] = set()

    def run(self, root: str) -> None:
        """Goes over the folder, then over what its links lead to."""
        self._root = os.path.join(root, "")
        links: list[str] = []
        self._walk(root, links)
        while links:
            # In the order of `discover`: of two links to one file the first counts.
            waiting, links = sorted(links, key=_place), []
            for path in waiting:
                self._link(path, links)

    def still(self) -> AbstractSet[int]:
        """Those of the known marks that were met."""
        return self._known if len(self._met) == len(self._known) else set(self._met)

    def _walk(self, start: str, links: list[str]) -> None:
        pending = [start]
        while pending:
            folder = pending.pop()
            try:
                status = os.stat(folder)
                if (status.st_dev, status.st_ino) in self._folders:
                    continue
                with os.scandir(folder) as listing:
                    entries = list(listing)
            except OSError as error:
                if not isinstance(error, FileNotFoundError):
                    self._complain(folder, read_error(error, spelled(folder)))
                continue
            if folder != start and is_store(folder):
                continue
            self._folders.add((status.st_dev, status.st_ino))
            self._entries(entries, links, pending)

    def _entries(self, entries: "list[os.DirEntry[str]]", links: list[str], pending: list[str]) -> None:
        """What is in a folder; this loop is where the time of a sweep goes."""
        known, met = self._known, self._met.append
        plain = self._inodes and not self._picky and not self._linked and not _STALE
        for entry in entries:
            try:
                status = entry.stat(follow_symlinks=False)
            except OSError:
                continue  # it went away just now
            if plain and status.st_mode & _KIND == _REGULAR:
                number = hash((status.st_size, status.st_mtime_ns, status.st_ino))
                if number in known:
                    met(number)
                    continue
            if not entry.is_dir(follow_symlinks=False):
                self._file(entry, status, links)
            elif _is_junction(entry):
                links.append(entry.path)
            elif self._wanted.enters(self._below(entry.path)):
                pending.append(entry.path)

    def _file(self, entry: "os.DirEntry[str]", status: os.stat_result, links: list[str]) -> None:
        if stat.S_ISREG(status.st_mode):
            if self._picky and not self._wanted.takes(self._below(entry.path)):
                return
            if self._linked and os.path.realpath(entry.path) in self._linked:
                return
            try:
                self._meet(entry.path, os.stat(entry.path, follow_symlinks=False) if _STALE else status)
            except OSError:
                return
        elif stat.S_ISLNK(status.st_mode):
            links.append(entry.path)
        elif self._wanted.takes(self._below(entry.path)):
            self._not_a_file(entry.path)

    def _meet(self, path: str, status: os.stat_result) -> None:
        mark = mark_of(status, inodes=self._inodes)
        if (number := hash(mark)) in self._known:
            self._met.append(number)
        else:
            self._see(path, mark)

    def _link(self, path: str, links: list[str]) -> None:
        below = self._below(path)
        try:
            status = os.stat(path)
        except OSError:
            if self._wanted.takes(below):
                where = spelled(path)
                self._complain(path, SourceError("dangling-link", f"{where} is a link that leads nowhere"))
            return
        if stat.S_ISDIR(status.st_mode):
            if self._wanted.enters(below) and not is_store(path):
                self._walk(path, links)
        elif self._wanted.takes(below):
            target = os.path.realpath(path)
            if target in self._linked or self._walked(target):
                return
            if not stat.S_ISREG(status.st_mode):
                self._not_a_file(path)
                return
            self._linked.add(target)
            self._meet(path, status)

    def _walked(self, target: str) -> bool:
        """Whether a file was met already in its own folder."""
        try:
            status = os.stat(os.path.dirname(target))
        except OSError:
            return False
        inside = (status.st_dev, status.st_ino) in self._folders
        return inside and self._wanted.takes(os.path.basename(target))

    def _below(self, path: str) -> str:
        return path[len(self._root) :].replace(os.sep, "/")

    def _not_a_file(self, path: str) -> None:
        self._complain(path, SourceError("not-a-file", f"{spelled(path)} is a device, pipe or socket, not a file"))


def _place(path: str) -> tuple[list[str], str]:
    folder, name = os.path.split(path)
    return folder.split(os.sep), name


def _is_junction(entry: "os.DirEntry[str]") -> bool:
    return bool(getattr(entry, "is_junction", bool)())
