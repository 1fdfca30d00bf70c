"""Unpacking: an archive stands for its members, each of which is a file on the disk for as long as it is drafted.

Members come one after the other and are copied piece by piece into a folder of their own below the system's place for
temporary files (TMPDIR names another one): `symsrv-unpack-…`. It goes away with the publish, whatever ends that; after
a kill -9 or a power cut it stays for the system to clear, like everything there.
"""

import errno
import os
import shutil
import tempfile
import threading
import time
import uuid
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import replace
from itertools import chain, count
from pathlib import Path

from symsrv.formats import recognised
from symsrv.ingest.draft import DEPTH, too_deep
from symsrv.ingest.results import FileResult, FileStatus, problem
from symsrv.ingest.sources import Source, excluded, read_error
from symsrv.model.errors import ArchiveError, SourceError
from symsrv.model.names import base_name
from symsrv.packing import HEAD_BYTES, Limits, Member, kind_of, members

TICK_SECONDS = 0.02
"""Longer than a step of any kernel's coarse clock: what was written in this very moment may be written again unseen."""

_FULL = (errno.ENOSPC, errno.EDQUOT)
_OLD = (
    0,
    0,
)  # nobody writes to a spooled file: without this, each would be waited for until its time of change is past


class Spool:
    """A temporary folder for what was unpacked, made when the first file needs it. Any thread may use it."""

    def __init__(self) -> None:
        # The name comes before the folder, so that no interrupt can fall between making it and knowing it.
        self.folder = Path(tempfile.gettempdir()) / f"symsrv-unpack-{uuid.uuid4().hex}"
        self._numbers = count(1)
        self._sizes: dict[Path, int] = {}
        self._lock = threading.Lock()

    @property
    def held_bytes(self) -> int:
        """How many bytes lie here now."""
        with self._lock:
            return sum(self._sizes.values())

    def put(self, pieces: Iterable[bytes], label: str) -> Path:
        """Writes pieces to a new file; raises SourceError if there is no room, and what the pieces raise.

        On any error the file is gone.
        """
        with self._lock:
            path = self.folder / str(next(self._numbers))
        try:
            self.folder.mkdir(mode=0o700, exist_ok=True)
            with open(path, "xb", buffering=0) as stream:
                for piece in pieces:
                    _write(stream.fileno(), piece)
                with self._lock:
                    self._sizes[path] = stream.tell()
            os.utime(path, _OLD)
        except OSError as error:
            self.drop(path)
            raise _no_room(error, label, self.folder.parent) from error
        except BaseException:
            self.drop(path)
            raise
        return path

    def drop(self, path: Path) -> None:
        """Removes a file of this folder; what is gone already is no error."""
        with suppress(OSError):
            path.unlink()
        with self._lock:
            self._sizes.pop(path, None)

    def close(self) -> None:
        """Removes the folder and what is left in it."""
        shutil.rmtree(self.folder, ignore_errors=True)


def unpack(source: Source, spool: Spool, *, limits: Limits | None = None) -> Iterator[Source | FileResult]:
    """The members of an archive: sources for those that may be debug files or archives, results for all others.

    A spooled source is the caller's to drop. What ends the archive early becomes a last result, for the archive itself.
    Raises SourceError(`changed`) at the end if somebody wrote to the archive meanwhile: then nothing of it counts.
    """
    ending: FileResult | None = FileResult(
        source.label, FileStatus.IGNORED, reason="empty", sentence="an archive without any file"
    )
    before = _mark(source)
    try:
        with closing(_members(source, limits)) as found:
            for member in found:
                ending = None
                if not excluded(member.name, source.exclude):
                    yield _member(source, member, spool)
    except ArchiveError as error:
        ending = problem(source.label, error)
    except OSError as error:
        ending = problem(source.label, read_error(error, source.label))
    if _mark(source) != before:
        raise SourceError("changed", f"{source.label} was changed while it was read; add it again", transient=True)
    if ending is not None:
        yield ending


def spooled(source: Source, name: str, pieces: Iterable[bytes], spool: Spool) -> Source:
    """A file that lies inside of another one, as a source; raises what `Spool.put` raises."""
    text = _shown(name)
    label = f"{source.label}!{text}"
    return replace(
        source,
        path=spool.put(pieces, label),
        label=label,
        name=base_name(name),
        origin=f"{source.recorded}!{text}",
        depth=source.depth + 1,
    )


def _members(source: Source, limits: Limits | None) -> Generator[Member]:
    yield from members(source.path, limits)


def _member(source: Source, member: Member, spool: Spool) -> Source | FileResult:
    label = f"{source.label}!{_shown(member.name)}"
    try:
        if member.problem is not None:
            raise member.problem
        pieces = iter(member.pieces())
        head = b""
        for piece in pieces:
            head += piece
            if len(head) >= HEAD_BYTES:
                break
        if not recognised(head):
            if kind_of(head[:HEAD_BYTES]) is None:
                return _nothing(label, head)
            if source.depth + 1 >= DEPTH:
                raise too_deep(label)
        return spooled(source, member.name, chain((head,), pieces), spool)
    except (ArchiveError, SourceError) as error:
        return problem(label, error)


def _nothing(label: str, head: bytes) -> FileResult:
    if not head:
        return FileResult(label, FileStatus.IGNORED, reason="empty", sentence="the file is empty")
    sentence = "it is not a debug file of any format that symsrv knows"
    return FileResult(label, FileStatus.IGNORED, reason="unknown-format", sentence=sentence)


def _mark(source: Source) -> tuple[int, int, int, int] | None:
    """By what an archive that somebody writes to is known; taken when a later write must show in it."""
    try:
        found = source.path.stat()
        if abs(time.time() - found.st_mtime) < TICK_SECONDS:
            time.sleep(TICK_SECONDS)
            found = source.path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _write(descriptor: int, piece: bytes) -> None:
    view = memoryview(piece)
    while view:
        view = view[os.write(descriptor, view) :]


def _shown(name: str) -> str:
    """A member's name as text that every file can keep."""
    return name.encode("utf-8", "backslashreplace").decode()


def _no_room(error: OSError, label: str, folder: Path) -> SourceError:
    reason = "disk-full" if error.errno in _FULL else "unreadable"
    why = error.strerror or str(error)
    return SourceError(
        reason, f"{label} cannot be unpacked into {folder}: {why}; TMPDIR can name another folder", transient=True
    )
