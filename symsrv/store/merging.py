"""Merging folders that differ only in case: what a Windows machine knew as one, and a copy made two."""

import uuid
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from symsrv.backends.base import Backend
from symsrv.formats import identify
from symsrv.layouts import keys
from symsrv.model.errors import Missing, NotIdentified
from symsrv.model.names import base_name, fold
from symsrv.store import microsoft
from symsrv.store.comparing import Hashes
from symsrv.store.damage import folders_of, twins
from symsrv.store.homes import key_of
from symsrv.store.lines import text_of
from symsrv.store.mending import Mend
from symsrv.store.reading import StoredReader

if TYPE_CHECKING:
    from symsrv.ledger.index import Index


def merges(backend: Backend, index: "Index") -> Iterator[Mend]:
    """Every step that brings twins together, one file after the other; other bytes are left where they are."""
    ours = {one.number for one in index.transactions() if not one.foreign}
    folders = list(folders_of(backend))
    empty = {folder.path for folder in folders if not folder.folders and not folder.files}
    for folder in folders:
        for group in twins(folder.folders):
            paths = [folder.place(name) for name in group]
            paths.sort(key=lambda path: _rank(backend, index, path, ours), reverse=True)
            for other in paths[1:]:
                yield from _merged(backend, index, paths[0], other, ours)
                # What a merge left that was broken off, however young: it would hide the twin that has the files.
                for path in sorted(path for path in empty if path == other or path.startswith(f"{other}/")):
                    empty.remove(path)
                    gone = partial(backend.delete, f"{path}/{uuid.uuid4().hex}")  # of a file that never was
                    yield Mend(path, "an empty folder goes, as its twin stays", gone)


def _merged(backend: Backend, index: "Index", keeper: str, other: str, ours: set[int]) -> Iterator[Mend]:
    """Moves what is in one folder to its twin, one id after the other, where nothing stands against it."""
    theirs = _by_folder(backend, other)
    kept = {fold(stat.path): stat.path for stat in backend.walk(keeper)}
    for _, files in sorted(theirs.items()):
        moves = [(path, _target(path, keeper, other, kept)) for path in files]
        data = [(path, target) for path, target in moves if base_name(path) != microsoft.REFS]
        if _held_by(index, [path for path, _ in data]) & ours:
            continue
        if any(fold(target) in kept and not _same_bytes(backend, path, target) for path, target in data):
            continue
        for path, target in data:
            if fold(target) in kept:
                yield Mend(path, f"the same bytes are at {target}: one of them goes", partial(backend.delete, path))
            else:
                yield Mend(path, f"it moves to {target}", partial(_move, backend, path, target))
        for path, target in moves:
            if base_name(path) == microsoft.REFS:
                yield Mend(path, f"its lines move to {target}", partial(_move_lines, backend, path, target))
            kept[fold(target)] = target  # of two that differ in case here, too, the second meets the first


def _by_folder(backend: Backend, path: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for stat in backend.walk(path):
        found.setdefault(stat.path.rpartition("/")[0], []).append(stat.path)
    return {folder: sorted(files) for folder, files in found.items()}


def _target(path: str, keeper: str, other: str, kept: dict[str, str]) -> str:
    """Where a file goes: to its twin, or into its twin's folder under the name as that folder spells it."""
    target = keeper + path[len(other) :]
    if fold(target) in kept:
        return kept[fold(target)]
    folder, _, name = target.rpartition("/")
    beside = (one.rpartition("/")[0] for folded, one in kept.items() if folded.rpartition("/")[0] == fold(folder))
    folder = next(beside, folder)
    own = microsoft.one_tier(folder).split("/")[0]
    return f"{folder}/{own if fold(own) == fold(name) else name}"


def _move(backend: Backend, path: str, target: str) -> None:
    if backend.stat(path) is not None:
        backend.rename(path, target)
        backend.sync()  # before its folders go: of the two, a power cut could keep the second alone
    backend.delete(path)  # it is gone; its folders may be empty


def _move_lines(backend: Backend, path: str, target: str) -> None:
    """Adds the lines that the other file does not have, as they are; then this one goes."""
    text, there = text_of(microsoft.whole(backend, path)), text_of(microsoft.whole(backend, target))
    known = {there.read(line) for line in there.lines}
    new = [text.read(line) for line in text.lines if text.read(line) not in known]
    if new:
        before = there.mark + b"".join(there.lines)
        between = there.bytes_of("\r\n") if there.lines and not there.lines[-1].endswith(there.bytes_of("\n")) else b""
        backend.write(target, before + between + there.bytes_of("\r\n".join(new)))
        backend.sync()
    backend.delete(path)


def _same_bytes(backend: Backend, path: str, other: str) -> bool:
    hashes = Hashes(backend)
    one, two = backend.stat(path), backend.stat(other)
    return one is not None and two is not None and one.size == two.size and hashes.of(path) == hashes.of(other)


def _held_by(index: "Index", homes: list[str]) -> set[int]:
    return {number for numbers in index.holders(homes).values() for number in numbers}


def _rank(backend: Backend, index: "Index", path: str, ours: set[int]) -> tuple[int, ...]:
    """Which of the twins stays: that of our documents, then the one spelled as its files' ids are, then the fuller."""
    files = [stat.path for stat in backend.walk(path) if not stat.path.endswith((".ptr", ".txt"))]
    held = _held_by(index, files)
    return len(held & ours), sum(_canonical(backend, file) for file in files), len(held), len(files)


def _canonical(backend: Backend, home: str) -> bool:
    try:
        identities = identify(StoredReader(backend, home), base_name(home))
    except (NotIdentified, Missing):
        return False
    return any(key_of(home) == key for one in identities for key in keys(one)[:1])
