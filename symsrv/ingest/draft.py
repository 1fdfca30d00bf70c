"""Drafting: from one source to an offer, and what is offered is what was identified."""

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from symsrv.formats import identify_path
from symsrv.ingest.results import FileResult, FileStatus, problem
from symsrv.ingest.sources import Source, read_error
from symsrv.layouts import home
from symsrv.model.errors import ArchiveError, BadName, NotIdentified, SourceError
from symsrv.model.identity import Identity
from symsrv.model.names import checked_name
from symsrv.packing import HEAD_BYTES, kind_of
from symsrv.store import Offer, SymbolStore

ATTEMPTS = 3
DEPTH = 2
"""In how many archives a file may lie: in one, or in one of those that lie in another, as in a package of packages."""

# A pipe that took the file's name meanwhile must not make us wait for its writer.
_OPEN = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)


@dataclass(frozen=True, slots=True)
class Packed:
    """What a source turned out to be that stands for others: an archive."""

    source: Source


def draft(store: SymbolStore, source: Source) -> Offer | FileResult | Packed:
    """Makes an offer of a source, staged unless the store has the bytes already; or the result, where there is none.

    Raises StoreError when the store refuses: that is no matter of this file.
    """
    try:
        return _insistently(store, _usable(source))
    except (NotIdentified, BadName, SourceError) as error:
        return _otherwise(source, error)


def foresee(store: SymbolStore | None, source: Source) -> FileResult | Packed:
    """What publishing a source would come to, by the store as it is now (None: an empty one)."""
    try:
        identities = identify_source(_usable(source))
        key = home(identities[0])
        size, sha256 = hash_source(source)
    except (NotIdentified, BadName, SourceError) as error:
        return _otherwise(source, error)
    kept = None if store is None else store.kept(key, size=size)
    if store is None or kept is None:
        status = FileStatus.STORED
    else:
        key = kept.path
        status = FileStatus.PRESENT if store.holds_same(key, size=size, sha256=sha256) else FileStatus.CONFLICT
    return FileResult(source.label, status, key=key, sha256=sha256, identities=identities)


def identify_source(source: Source) -> tuple[Identity, ...]:
    """What a source is by its headers; raises NotIdentified, BadName or SourceError."""
    return _identified(source.path, source)


def hash_source(source: Source) -> tuple[int, str]:
    """How many bytes a source has, and their sha256."""
    try:
        with _opened(source.path, source.label) as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
            return stream.tell(), digest
    except OSError as error:
        raise read_error(error, source.label) from error


def too_deep(label: str) -> ArchiveError:
    """Why an archive of archives of archives is not unpacked."""
    return ArchiveError("archive-depth", f"{label} is an archive in an archive in an archive; unpack the outer one")


def _usable(source: Source) -> Source:
    if source.problem is not None:
        raise source.problem
    return source


def _otherwise(source: Source, error: NotIdentified | BadName | SourceError) -> FileResult | Packed:
    """The result of what cannot be offered. Only now it is asked whether it is an archive: most files are not."""
    if error.reason == "unknown-format":
        try:
            with _opened(source.path, source.label) as stream:
                packed = kind_of(stream.read(HEAD_BYTES)) is not None
        except (OSError, SourceError):
            packed = False
        if packed:
            return Packed(source) if source.depth < DEPTH else problem(source.label, too_deep(source.label))
    return problem(source.label, error)


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
    identities = identify_source(source)
    key = home(identities[0])
    if source.sha256 is not None:
        staged = store.stage(source.path, sha256=source.sha256)
        return Offer(source.path, source.recorded, key, staged.size, staged.sha256, identities, staged)
    # The commit stages what has gone from the store meanwhile, and a spooled file will not be there for it.
    there = None if source.spooled else store.look(key)
    if there is not None and there.size == _size(source):
        size, sha256 = hash_source(source)
        if store.holds_same(key, size=size, sha256=sha256):
            return Offer(source.path, source.recorded, key, size, sha256, identities)
    staged = store.stage(source.path)
    try:
        # The source may have been replaced after it was identified: what counts is the copy.
        if _identified(staged.local, source) != identities:
            raise _changed(source)
    except NotIdentified as error:
        store.discard(staged)
        raise _changed(source) from error
    except BaseException:
        store.discard(staged)
        raise
    return Offer(source.path, source.recorded, key, staged.size, staged.sha256, identities, staged)


def _identified(path: Path, source: Source) -> tuple[Identity, ...]:
    name = source.file_name
    try:
        try:
            identities = identify_path(path, checked_name(name))
        except BadName:
            identify_path(path, "a")  # whether it is a debug file comes first: what is none may be called anything
            raise
    except OSError as error:
        raise read_error(error, source.label) from error
    if identities[0].unfit:
        raise NotIdentified(identities[0].unfit, identities[0].notes[0])
    return identities


def _size(source: Source) -> int:
    try:
        return source.path.stat().st_size
    except OSError as error:
        raise read_error(error, source.label) from error


def _changed(source: Source) -> SourceError:
    return SourceError("changed", f"{source.label} was replaced while it was read; add it again", transient=True)


@contextmanager
def _opened(path: Path, label: str) -> Iterator[FileIO]:
    """An open regular file; raises SourceError for anything else that has its name."""
    with open(path, "rb", buffering=0, opener=lambda name, _flags: os.open(name, _OPEN)) as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise SourceError("not-a-file", f"{label} is a device, pipe or folder, not a file")
        yield stream
