"""What can be read below a folder: the half of the disk backend that changes nothing, and works on read-only media."""

# Paths as text: this runs for every file of a store, and a Path costs more than the call it makes.
# ruff: noqa: PTH113, PTH114, PTH118

import contextlib
import io
import os
import stat as modes
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from symsrv.backends.base import OWN_FOLDER, Opened, Stat
from symsrv.backends.failures import ABSENT, backend_error, refusals
from symsrv.backends.streams import Span
from symsrv.model.errors import Missing

_READ = (
    os.O_RDONLY
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)  # a FIFO in an adopted store must not hang us
)


class Tree:
    """Reads files below a root.

    Symbolic links below the root are never followed, neither as a file nor as a folder on the way: one could lead
    out of the store, and symsrv makes none. The root itself may be one. On the way to a file that costs one lstat
    per folder, a microsecond each.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self._base = os.path.join(self.root, "")

    def stat(self, path: str) -> Stat | None:
        """See Backend."""
        try:
            full = self._full(path)
            found = os.lstat(full) if full else None
        except (OSError, ValueError) as exc:
            _raise_unless_absent(exc, f"looking at {path}")
            return None
        return _stat(path, found) if found and modes.S_ISREG(found.st_mode) else None

    def open(self, path: str, start: int = 0, length: int | None = None) -> Opened:
        """See Backend; `descriptor` is there always."""
        descriptor, found = self._opened(path)
        stream: BinaryIO = os.fdopen(descriptor, "rb")
        if start:
            stream.seek(start)
        if length is not None:
            stream = cast(BinaryIO, io.BufferedReader(Span(stream, length)))
        return Opened(_stat(path, found), stream, descriptor)

    def read(self, path: str, *, last: int | None = None) -> bytes:
        """See Backend."""
        descriptor, found = self._opened(path)
        with os.fdopen(descriptor, "rb") as stream, refusals(f"reading {path}"):
            if last is not None:
                stream.seek(max(0, found.st_size - last))
            return stream.read()

    def walk(self, prefix: str = "") -> Iterator[Stat]:
        """See Backend."""
        start = prefix.rstrip("/")
        try:
            full = self._full(start) if start else self._base
        except (OSError, ValueError) as exc:
            _raise_unless_absent(exc, f"walking {prefix}")
            return
        if full is not None and not (start and os.path.islink(full)):
            yield from self._below(start)

    def local(self, path: str) -> Path | None:
        """See Backend."""
        return self.root / path

    def _below(self, folder: str) -> Iterator[Stat]:
        try:
            entries = os.scandir(self._base + folder)
        except OSError as exc:
            _raise_unless_absent(exc, f"walking {folder}")  # went while we walked
            return
        with entries, refusals(f"walking {folder}"):
            for entry in entries:
                path = f"{folder}/{entry.name}" if folder else entry.name
                if entry.is_dir(follow_symlinks=False):
                    if path != OWN_FOLDER:
                        yield from self._below(path)
                elif entry.is_file(follow_symlinks=False):
                    with contextlib.suppress(FileNotFoundError):
                        yield _stat(path, entry.stat(follow_symlinks=False))

    def _full(self, path: str) -> str | None:
        """The path in the system's terms, or None where a symbolic link or a dot segment is on the way."""
        segments = path.split("/")
        if "" in segments or "." in segments or ".." in segments:
            return None
        folder = self._base
        for segment in segments[:-1]:
            folder += segment
            if modes.S_ISLNK(os.lstat(folder).st_mode):
                return None
            folder += "/"
        return self._base + path

    def _opened(self, path: str) -> tuple[int, os.stat_result]:
        try:
            full = self._full(path)
            if full is None or (os.name == "nt" and not os.path.isfile(full)):  # there a folder is "access denied"
                raise Missing(path)
            descriptor = os.open(full, _READ)
        except (OSError, ValueError) as exc:
            _raise_unless_absent(exc, f"opening {path}")
            raise Missing(path) from exc
        found = os.fstat(descriptor)
        if not modes.S_ISREG(found.st_mode):
            os.close(descriptor)
            raise Missing(path)
        return descriptor, found


def _stat(path: str, found: os.stat_result) -> Stat:
    return Stat(path, found.st_size, found.st_mtime_ns)


def _raise_unless_absent(exc: OSError | ValueError, doing: str) -> None:
    """Raises what the system refused, unless it said that there is no such file (ValueError: a NUL in the path)."""
    if isinstance(exc, OSError) and exc.errno not in ABSENT:
        raise backend_error(exc, doing) from exc
