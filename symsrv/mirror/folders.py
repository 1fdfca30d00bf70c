"""Folders of other people as places: read from, links and all, and in any case of letters where the system has one."""

import errno
import os
import stat as modes
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from symsrv.model.errors import BackendError, Missing, UsageError
from symsrv.model.names import fold
from symsrv.store import Opened, Stat

_ABSENT = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.EISDIR, errno.EINVAL)
_REMEMBERED_FOLDERS = 64
_SETTLED_SECONDS = 5.0
"""A listing is remembered only of a folder that had not changed for so long: shares tell times of two seconds."""


class FolderPlace:
    """A folder, also one that comes and goes: a share that is not mounted is unavailable, and not empty."""

    def __init__(self, folder: Path) -> None:
        self.url = str(folder)
        self._root = folder
        self._listings: OrderedDict[str, tuple[int, dict[str, list[str]]]] = OrderedDict()
        self._lock = threading.Lock()

    def head(self, key: str) -> Stat | None:
        """See store.Place."""
        try:
            opened = self.get(key)
        except Missing:
            return None
        opened.close()
        return opened.stat

    def get(self, key: str, start: int = 0, length: int | None = None) -> Opened:
        """See store.Place; `length` is the caller's to mind."""
        if not self._root.is_dir():
            raise BackendError("unavailable", f"{self.url} is no folder, or not there now", transient=True)
        for path in self._candidates(str(self._root), key.split("/")):
            opened = self._opened(path, key, start)
            if opened is not None:
                return opened
        raise Missing(key)

    def close(self) -> None:
        """See store.Place."""

    def _opened(self, path: str, key: str, start: int) -> Opened | None:
        """The file at a path; None if there is none, or a pipe, which must not be waited for."""
        try:
            descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0))
        except OSError as error:
            if error.errno in _ABSENT:
                return None
            raise _refusal(error, path) from error
        found = os.fstat(descriptor)
        if not modes.S_ISREG(found.st_mode):
            os.close(descriptor)
            return None
        stream: BinaryIO = open(descriptor, "rb")  # noqa: SIM115 - the caller closes it
        stream.seek(start)
        return Opened(Stat(key, found.st_size, found.st_mtime_ns), stream)

    def _candidates(self, folder: str, segments: list[str]) -> Iterator[str]:
        """Where a path may be: as it is spelled, then in other cases; folders are listed only after that failed."""
        exact = "/".join([folder, *segments])
        yield exact
        yield from self._in_any_case(folder, segments, exact)

    def _in_any_case(self, folder: str, segments: list[str], exact: str) -> Iterator[str]:
        for name in self._names(folder).get(fold(segments[0]), ()):
            path = f"{folder}/{name}"
            if len(segments) > 1:
                yield from self._in_any_case(path, segments[1:], exact)
            elif path != exact:
                yield path

    def _names(self, folder: str) -> dict[str, list[str]]:
        """What is in a folder, by folded names."""
        try:
            changed = Path(folder).stat().st_mtime_ns
            with self._lock:
                known = self._listings.get(folder)
            if known and known[0] == changed:
                return known[1]
            names: dict[str, list[str]] = {}
            with os.scandir(folder) as entries:
                for entry in entries:
                    names.setdefault(fold(entry.name), []).append(entry.name)
        except OSError as error:
            if error.errno in _ABSENT:
                return {}
            raise _refusal(error, folder) from error
        if time.time() - changed / 1e9 > _SETTLED_SECONDS:
            with self._lock:
                self._listings[folder] = (changed, names)
                while len(self._listings) > _REMEMBERED_FOLDERS:
                    self._listings.popitem(last=False)
        return names


def folder_of(url: str) -> Path:
    """The folder that an upstream's URL names: a path, or `file:///path`. Raises UsageError."""
    if "://" not in url:
        if not url:
            raise UsageError("an upstream that is a folder needs its path as url")
        return Path(url).expanduser()
    parts = urlsplit(url)
    if parts.scheme != "file" or (parts.netloc not in ("", "localhost") and os.name != "nt"):
        raise UsageError(f"{url}: a folder is a path, or file:///path")
    share = f"//{parts.netloc}" if parts.netloc not in ("", "localhost") else ""
    path = unquote(parts.path)
    return Path(share + path if share or os.name != "nt" else path.lstrip("/"))


def _refusal(error: OSError, path: str) -> BackendError:
    if error.errno in (errno.EACCES, errno.EPERM):
        return BackendError("no-access", f"{path}: {error.strerror}")
    return BackendError("unavailable", f"{path}: {error.strerror}", transient=True)
