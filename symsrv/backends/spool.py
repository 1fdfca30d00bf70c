"""Copying a file that others may be writing: whole and unchanged, or a SourceError that says why not.

What the system does not stamp cannot be seen: a single write that began before the copy and is still under way, and
writing through a memory map into pages that are dirty already. That is why builds are waited for until they are quiet.
"""

# Paths as text: this runs for every file of a store, and a Path costs more than the call it makes.
# ruff: noqa: PTH116

import hashlib
import os
import stat
import threading
import time
from pathlib import Path

from symsrv.backends.files import BLOCK_BYTES, Files, SourceReadError
from symsrv.model.errors import SourceError

TICK_SECONDS = 0.02
"""Longer than a step of any kernel's coarse clock, by which files are stamped (10 ms at HZ=100)."""

_OPEN = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)  # a FIFO must not hang us
_buffers = threading.local()


def copy_whole(files: Files, path: str, source: Path) -> int:
    """Copies `source` to the new file `path`; returns its size.

    Raises SourceError, or the OSError that writing met; either may leave a part of the copy behind.
    """
    descriptor = _opened(source)
    try:
        before = _settled(source, descriptor)
        size = files.copy_new(path, descriptor)
        after = os.fstat(descriptor)
    except SourceReadError as exc:
        raise _unreadable(source, exc) from exc
    finally:
        os.close(descriptor)
    if size != before.st_size or _mark(after) != _mark(before) or _mark(_looked_up(source)) != _mark(before):
        raise SourceError("changed", f"{source} was changed while it was read; try again", transient=True)
    return size


def sha256_of(path: str | Path) -> str:
    """Hashes a file, a megabyte at a time into one buffer per thread."""
    buffer = _buffer()
    digest = hashlib.sha256()
    with open(path, "rb", buffering=0) as stream:
        while count := stream.readinto(buffer):
            digest.update(buffer[:count])
    return digest.hexdigest()


def _buffer() -> memoryview:
    if not hasattr(_buffers, "view"):
        _buffers.view = memoryview(bytearray(BLOCK_BYTES))
    view: memoryview = _buffers.view
    return view


def _opened(source: Path) -> int:
    try:
        return os.open(source, _OPEN)
    except FileNotFoundError as exc:
        raise SourceError("vanished", f"{source} is not there any more") from exc
    except (OSError, ValueError) as exc:
        raise _unreadable(source, exc) from exc


def _settled(source: Path, descriptor: int) -> os.stat_result:
    """The source's stat, taken when a later write must show in its time of change.

    Files are stamped by a clock of some milliseconds' step: a write in the same step as the one before leaves the
    stamp as it is. So a file of this very moment is looked at again a step later, before its bytes are read.
    """
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        raise SourceError("unreadable", f"{source} is not a regular file")
    if abs(time.time() - found.st_mtime) < TICK_SECONDS:
        time.sleep(TICK_SECONDS)
        found = os.fstat(descriptor)
    return found


def _looked_up(source: Path) -> os.stat_result:
    try:
        return os.stat(source)
    except FileNotFoundError as exc:
        raise SourceError("vanished", f"{source} was removed while it was read") from exc
    except OSError as exc:
        raise _unreadable(source, exc) from exc


def _mark(found: os.stat_result) -> tuple[int, int, int, int]:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _unreadable(source: Path, exc: Exception) -> SourceError:
    # On Windows a linker that still writes keeps others out: trying again helps.
    return SourceError("unreadable", f"{source} cannot be read: {exc}", transient=os.name == "nt")
