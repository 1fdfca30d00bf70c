"""Drafting: from one source to an offer, and what is offered is what was identified."""

import contextlib
import hashlib
import os
import stat
import threading
from pathlib import Path

from symsrv.formats import identify_path
from symsrv.ingest.results import FileResult, FileStatus, problem
from symsrv.ingest.sources import Source, read_error, spelled
from symsrv.layouts import home
from symsrv.model.errors import BadName, NotIdentified, SourceError
from symsrv.model.identity import Identity
from symsrv.model.names import checked_name
from symsrv.store import Offer, SymbolStore

ATTEMPTS = 3
BLOCK_BYTES = 1 << 20

# A pipe that took the file's name meanwhile must not make us wait for its writer.
_OPEN = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
_buffers = threading.local()


def draft(store: SymbolStore, source: Source) -> Offer | FileResult:
    """Makes an offer of a source, staged unless the store has the bytes already; or the result, where there is none.

    Raises StoreError when the store refuses: that is no matter of this file.
    """
    try:
        return _insistently(store, _usable(source))
    except (NotIdentified, BadName, SourceError) as error:
        return problem(source.label, error)


def foresee(store: SymbolStore | None, source: Source) -> FileResult:
    """What publishing a source would come to, by the store as it is now (None: an empty one)."""
    try:
        identities = identify_source(_usable(source))
        key = home(identities[0])
        size, sha256 = hash_source(source)
    except (NotIdentified, BadName, SourceError) as error:
        return problem(source.label, error)
    if store is None or store.look(key) is None:
        status = FileStatus.STORED
    else:
        status = FileStatus.PRESENT if store.holds_same(key, size=size, sha256=sha256) else FileStatus.CONFLICT
    return FileResult(source.label, status, key=key, sha256=sha256)


def identify_source(source: Source) -> tuple[Identity, ...]:
    """What a source is by its headers; raises NotIdentified, BadName or SourceError."""
    return _identified(source.path, _file_name(source), source.label)


def hash_source(source: Source) -> tuple[int, str]:
    """How many bytes a source has, and their sha256."""
    digest, size, view = hashlib.sha256(), 0, _buffer()
    try:
        with contextlib.closing(_Open(source.path)) as opened:
            while count := opened.readinto(view):
                digest.update(view[:count])
                size += count
    except OSError as error:
        raise read_error(error, source.label) from error
    return size, digest.hexdigest()


def _usable(source: Source) -> Source:
    if source.problem is not None:
        raise source.problem
    return source


def _insistently(store: SymbolStore, source: Source) -> Offer:
    """Tries again while the source changes under our hands, but not for ever."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _offer(store, source)
        except SourceError as error:
            if error.reason != "changed" or attempt == ATTEMPTS:
                raise
    raise AssertionError("unreachable")  # pragma: no cover


def _offer(store: SymbolStore, source: Source) -> Offer:
    name = _file_name(source)
    identities = _identified(source.path, name, source.label)
    key = home(identities[0])
    recorded = spelled(os.path.abspath(source.path))  # noqa: PTH100 - links stay as the publisher wrote them
    there = store.look(key)
    if there is not None and there.size == _size(source):
        size, sha256 = hash_source(source)
        if store.holds_same(key, size=size, sha256=sha256):
            return Offer(source.path, recorded, key, size, sha256, identities)
    staged = store.stage(source.path)
    try:
        # The source may have been replaced after it was identified: what counts is the copy.
        if _identified(staged.local, name, source.label) != identities:
            raise _changed(source)
    except NotIdentified as error:
        store.discard(staged)
        raise _changed(source) from error
    except BaseException:
        store.discard(staged)
        raise
    return Offer(source.path, recorded, key, staged.size, staged.sha256, identities, staged)


def _file_name(source: Source) -> str:
    return source.path.name


def _identified(path: Path, name: str, label: str) -> tuple[Identity, ...]:
    try:
        try:
            return identify_path(path, checked_name(name))
        except BadName:
            identify_path(path, "a")  # whether it is a debug file comes first: what is none may be called anything
            raise
    except OSError as error:
        raise read_error(error, label) from error


def _size(source: Source) -> int:
    try:
        return source.path.stat().st_size
    except OSError as error:
        raise read_error(error, source.label) from error


def _changed(source: Source) -> SourceError:
    return SourceError("changed", f"{source.label} was replaced while it was read; add it again", transient=True)


def _buffer() -> memoryview:
    if not hasattr(_buffers, "view"):
        _buffers.view = memoryview(bytearray(BLOCK_BYTES))
    view: memoryview = _buffers.view
    return view


class _Open:
    """An open regular file; raises SourceError for anything else that has its name."""

    def __init__(self, path: Path) -> None:
        self.descriptor = os.open(path, _OPEN)
        if not stat.S_ISREG(os.fstat(self.descriptor).st_mode):
            os.close(self.descriptor)
            raise SourceError("not-a-file", f"{spelled(path)} is a device, pipe or folder, not a file")

    def readinto(self, view: memoryview) -> int:
        if hasattr(os, "readv"):
            return os.readv(self.descriptor, [view])
        block = os.read(self.descriptor, len(view))  # Windows has no readv
        view[: len(block)] = block
        return len(block)

    def close(self) -> None:
        os.close(self.descriptor)
