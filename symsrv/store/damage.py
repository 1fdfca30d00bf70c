"""Damage: what in the folders and text files of a store cannot be what its writers meant, each with its place."""

import os
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from symsrv.backends.base import OWN_FOLDER, Backend
from symsrv.formats import identify
from symsrv.layouts import parse_any
from symsrv.model.errors import ArchiveError, Missing, NotIdentified
from symsrv.model.names import base_name, fold
from symsrv.model.records import digits
from symsrv.packing import Limits, members
from symsrv.store import microsoft
from symsrv.store.adopting import listed_numbers
from symsrv.store.lines import Text, columns, text_of
from symsrv.store.pointers import POINTER_FILE
from symsrv.store.reading import StoredReader

if TYPE_CHECKING:
    from symsrv.ledger.index import Index

_ADD_COLUMNS, _DEL_COLUMNS, _REF_COLUMNS, _OLD_REF_COLUMNS = 9, 3, 8, 3
_AT_WORK_NS = 24 * 3600 * 10**9
_LIMITS = Limits(members=16, ratio=4000)
_BROKEN = ("truncated", "malformed")
# What tools that were stopped leave beside the file they wrote; symsrv.dll's own is `download.error`.
_LEFTOVER = re.compile(r".*\.(?:tmp|temp|part|partial)|~.*|\.tmp-.*|\.nfs[0-9a-f]+|download\.error", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Damage:
    """Something damaged. `kind` is one of the words of `symsrv verify`."""

    kind: str
    path: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of a store on a disk with the names in it."""

    path: str
    folders: tuple[str, ...]
    files: tuple[str, ...]
    changed_ns: int

    def place(self, name: str) -> str:
        """The path of what has this name in it."""
        return f"{self.path}/{name}" if self.path else name


def find_damage(backend: Backend, index: "Index") -> Iterator[Damage]:
    """Yields what is damaged, as far as names and text files tell; `index` was read from this store just now."""
    for home in index.held():
        if backend.stat(home) is None and not _moot(backend, home):
            yield Damage("missing", home, "a live transaction holds it, and it is not there")
    for path, check in _admin_files(backend):
        yield from torn_lines(path, microsoft.whole(backend, path), check)
    for folder in folders_of(backend):
        yield from _folder_damage(backend, index, folder)


def broken(backend: Backend, home: str) -> Damage | None:
    """What is wrong with the bytes of a file that cannot be identified, or None if it may be whole.

    Of what is kept compressed it is only said if it is empty.
    """
    stat = backend.stat(home)
    if stat is None:
        return None
    if stat.size == 0:
        return Damage("empty", home, "it has no bytes")
    if _is_packed(home):
        return None
    try:
        identify(StoredReader(backend, home), base_name(home))
    except NotIdentified as exc:
        return Damage("broken", home, str(exc)) if exc.reason in _BROKEN else None
    except Missing:
        return None
    return None


def broken_packed(backend: Backend, home: str) -> Damage | None:
    """What is wrong with a file that is kept compressed, on this machine's disk; reads all of it."""
    local = backend.local(home)
    if local is None or not _is_packed(home):
        return None
    try:
        for member in members(local, _LIMITS):
            for _ in member.pieces():
                pass
    except ArchiveError as exc:
        return Damage("broken", home, str(exc))
    return None


def _is_packed(home: str) -> bool:
    return home.endswith("_") and (ask := parse_any(home)) is not None and ask.packed


def folders_of(backend: Backend) -> Iterator[Folder]:
    """Every folder that may have stored files, those below first; none on a bucket, which has no folders."""
    root = backend.local("")
    if root is not None:
        yield from _below(root, "")


def torn_lines(path: str, data: bytes, check: str) -> Iterator[Damage]:
    """The lines of a text file that are no whole ones, by their number."""
    text = text_of(data)
    for number, line in enumerate(text.lines, 1):
        words = text.read(line)
        if words and not whole_line(words, check):
            yield Damage("torn", path, f"line {number} is torn: {words[:60]!r}")
    if check in ("list", "server") and not text.ended and whole_line(text.read(text.lines[-1]), check):
        yield Damage("torn", path, f"line {len(text.lines)}, the last, has no end")


def whole_line(line: str, check: str) -> bool:
    """Whether a line is whole: of a `list`, of `server`, `history`, or `refs`."""
    row = columns(line)
    if not row:
        return False
    if check == "list":
        return len(row) > 1 and microsoft.list_key(row[0]) is not None
    if not microsoft.number_of(row[0].strip()):
        return False
    if check == "refs":
        return len(row) >= _REF_COLUMNS or (len(row) == _OLD_REF_COLUMNS and row[2] != "" and '"' not in line)
    if check == "history" and row[1:2] == ["del"]:
        return len(row) >= _DEL_COLUMNS and len(row[2].strip()) == len(digits(0))
    return row[1:2] == ["add"] and len(row) >= _ADD_COLUMNS


def twins(names: Iterable[str]) -> list[list[str]]:
    """The names that differ only in case, together."""
    found: dict[str, list[str]] = {}
    for name in sorted(names):
        found.setdefault(fold(name), []).append(name)
    return [group for group in found.values() if len(group) > 1]


def leftover(backend: Backend, path: str) -> bool:
    """Whether a file's name and age say that a tool was stopped while it wrote it."""
    stat = backend.stat(path) if _LEFTOVER.fullmatch(base_name(path)) else None
    return stat is not None and _is_old(stat.modified_ns)


def deserted(folder: Folder) -> bool:
    """Whether nothing is in a folder, and has not been for so long that nobody is about to put something there."""
    return bool(folder.path) and not folder.folders and not folder.files and _is_old(folder.changed_ns)


def _is_old(changed_ns: int) -> bool:
    return time.time_ns() - changed_ns > _AT_WORK_NS


def _folder_damage(backend: Backend, index: "Index", folder: Folder) -> Iterator[Damage]:
    for first, *others in [*twins(folder.folders), *twins(folder.files)]:
        for other in others:
            yield Damage("twins", folder.place(other), f"it differs only in case from {folder.place(first)}")
    for name in folder.files:
        if leftover(backend, folder.place(name)):
            yield Damage("leftover", folder.place(name), "a tool was stopped while it wrote it")
    if microsoft.REFS in folder.files:
        path = folder.place(microsoft.REFS)
        data = microsoft.whole(backend, path)
        yield from torn_lines(path, data, "refs")
        text = text_of(data)
        numbers = {microsoft.leading_number(text.read(line)) for line in text.lines} - {0}
        unknown = numbers - index.known(numbers)
        for number in sorted(unknown):
            yield Damage("unknown-reference", path, f"it names transaction {digits(number)}, which nobody knows")
        alone = not folder.folders and len(folder.files) == 1
        if alone and numbers <= unknown | index.dead(numbers):
            yield Damage("orphan", folder.path, "nothing is in it but references to nothing")
    elif deserted(folder):
        yield Damage("orphan", folder.path, "nothing is in it")


def _admin_files(backend: Backend) -> Iterator[tuple[str, str]]:
    yield microsoft.HISTORY, "history"
    yield microsoft.SERVER, "server"
    for number in sorted(listed_numbers(backend)):
        path = microsoft.file_list(number)
        yield (path, "list") if backend.stat(path) else (path + microsoft.DELETED, "list")


def _moot(backend: Backend, home: str) -> bool:
    """Whether a pointer is not there because the last reference is a file's, as symstore.exe's own rule says."""
    folder, _, name = home.rpartition("/")
    if name != POINTER_FILE:
        return False
    text: Text = text_of(microsoft.whole(backend, f"{folder}/{microsoft.REFS}"))
    rows = [row for line in text.lines if len(row := columns(text.read(line))) > 1]
    return bool(rows) and rows[-1][1] == "file"


def _below(root: Path, path: str) -> Iterator[Folder]:
    try:
        with os.scandir(root / path) as entries:
            found = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
        changed_ns = (root / path).stat().st_mtime_ns
    except OSError:  # went while we walked
        return
    hidden = {OWN_FOLDER, microsoft.ADMIN} if not path else set()
    folders = tuple(sorted(name for name, is_folder in found if is_folder and name not in hidden))
    here = Folder(path, folders, tuple(sorted(name for name, is_folder in found if not is_folder)), changed_ns)
    for name in here.folders:
        yield from _below(root, here.place(name))
    yield here
