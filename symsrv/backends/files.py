"""The few operations that change a file system; every change the disk backend makes is one of these.

Paths are relative to the root, with `/`; `""` is the root itself. A test may pass a `Files` that writes down what
was asked, fails at the n-th call, or lacks hard links, and may replay a prefix of its log as a power loss:

* the *bytes* of a file (`write_new`, `copy_new`, `append`) last from `sync_file` of any of its names on;
* a *name* given or taken (`write_new`, `copy_new`, `append` to a new file, `make_folder`, `link`, `move`, `replace`,
  `unlink`, `remove_folder`) lasts from `sync_folder` of the folder it stands in on. `move` and `replace` change one
  name in each of two folders, but are one deed: either both names changed or none;
* all of it lasts from `sync_all` on.

Every method raises OSError as the system gave it.
"""

# Paths as text: this runs for every file of a store, and a Path costs more than the call it makes.
# ruff: noqa: PTH102, PTH104, PTH105, PTH106, PTH108, PTH118

import contextlib
import ctypes
import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

BLOCK_BYTES = 1 << 20
_SPAN_BYTES = 1 << 30  # copy_file_range takes no more than 2 GiB at once
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_UNSYNCABLE = (errno.EINVAL, errno.ENOTSUP, errno.EBADF)  # file systems that cannot sync a folder (CIFS, FUSE)
_BINARY = getattr(os, "O_BINARY", 0)
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY
_APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND | _BINARY


def _linux(name: str, *arguments: Any) -> Callable[..., int] | None:
    """A call of Linux's C library that Python does not offer, or None elsewhere."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        call: Any = getattr(ctypes.CDLL(None, use_errno=True), name)
    except (OSError, AttributeError):
        return None
    call.argtypes = arguments
    return cast("Callable[..., int]", call)


_SYNCFS = _linux("syncfs", ctypes.c_int)
_WRITE_OUT = _linux("sync_file_range", ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint)
_WRITE_OUT_ALL = 2  # SYNC_FILE_RANGE_WRITE: begins, and does not wait


class SourceReadError(Exception):
    """Reading the source of a copy failed, not writing the copy; the cause is the OSError."""


class Files:
    """Changes files below one root, for real."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._base = os.path.join(root, "")

    def make_folder(self, path: str, *, mode: int = 0o777) -> None:
        """Makes one folder; its parent is there."""
        os.mkdir(self._at(path), mode)

    def write_new(self, path: str, data: bytes) -> None:
        """Creates a file with these bytes; refuses to replace."""
        descriptor = os.open(self._at(path), _NEW, 0o666)
        try:
            _write(descriptor, data)
        finally:
            os.close(descriptor)

    def copy_new(self, path: str, source: int) -> int:
        """Creates a file with the bytes of an open file, refusing to replace; returns how many there were."""
        descriptor = os.open(self._at(path), _NEW, 0o666)
        try:
            return _copy_by_kernel(source, descriptor)
        finally:
            os.close(descriptor)

    def append(self, path: str, data: bytes) -> None:
        """Adds to the end of a file, creating it; if the disk is full, what did fit is taken back."""
        descriptor = os.open(self._at(path), _APPEND, 0o666)
        try:
            end = os.fstat(descriptor).st_size
            try:
                _write(descriptor, data)
            except OSError:
                with contextlib.suppress(OSError):
                    os.ftruncate(descriptor, end)
                raise
        finally:
            os.close(descriptor)

    def sync_file(self, path: str) -> None:
        """Makes the bytes of a file durable, also those that others wrote."""
        # Windows flushes only through a descriptor that may write.
        descriptor = os.open(self._at(path), (os.O_RDWR if os.name == "nt" else os.O_RDONLY) | _BINARY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def start_writing(self, path: str) -> None:
        """Lets the system begin to write a file's bytes out, so that the sync to come has less to wait for."""
        if _WRITE_OUT is not None:
            descriptor = os.open(self._at(path), os.O_RDONLY)
            try:
                _WRITE_OUT(descriptor, 0, 0, _WRITE_OUT_ALL)
            finally:
                os.close(descriptor)

    def sync_folder(self, path: str) -> None:
        """Makes the names in a folder durable, where the system can (Windows does so by itself)."""
        if os.name == "nt":
            return
        descriptor = os.open(self._at(path), os.O_RDONLY)
        try:
            os.fsync(descriptor)
        except OSError as exc:
            if exc.errno not in _UNSYNCABLE:
                raise
        finally:
            os.close(descriptor)

    def sync_all(self) -> bool:
        """Makes everything below the root durable in one call, and the rest of its file system with it; False if the
        system has no such call.
        """
        if _SYNCFS is None:
            return False
        descriptor = os.open(self.root, os.O_RDONLY)
        try:
            if _SYNCFS(descriptor) != 0:
                code = ctypes.get_errno()
                raise OSError(code, os.strerror(code), str(self.root))
        finally:
            os.close(descriptor)
        return True

    def link(self, path: str, target: str) -> None:
        """Gives a file a second name; refuses to replace. Not every file system can."""
        os.link(self._at(path), self._at(target), follow_symlinks=os.name == "nt")

    def move(self, path: str, target: str) -> None:
        """Gives a file another name, where the caller saw to it that nothing is there; Windows refuses by itself."""
        os.rename(self._at(path), self._at(target))

    def replace(self, path: str, target: str) -> None:
        """Gives a file another name, in place of what is there, in one moment."""
        os.replace(self._at(path), self._at(target))

    def unlink(self, path: str) -> None:
        """Takes a file's name away."""
        os.unlink(self._at(path))

    def remove_folder(self, path: str) -> None:
        """Removes a folder, which must be empty."""
        os.rmdir(self._at(path))

    def _at(self, path: str) -> str:
        return self._base + path


def _write(descriptor: int, data: bytes | memoryview) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _copy_by_kernel(source: int, target: int) -> int:
    """Lets the kernel copy, by reference on btrfs and XFS; goes on by reading where it cannot.

    A short count is no proof of the end: FUSE and /proc answer 0 for files that have bytes. So the reading always
    has the last word.
    """
    copied = 0
    while hasattr(os, "copy_file_range"):
        try:
            count = os.copy_file_range(source, target, _SPAN_BYTES)
        except OSError as exc:
            if exc.errno in _FULL:
                raise
            break  # EXDEV, EINVAL, ENOSYS, …; a bad source shows itself in the reading
        copied += count
        if count == 0:
            break
    return copied + _copy_by_reading(source, target)


def _copy_by_reading(source: int, target: int) -> int:
    copied = 0
    while block := _read(source):
        _write(target, block)
        copied += len(block)
    return copied


def _read(source: int) -> bytes:
    try:
        return os.read(source, BLOCK_BYTES)
    except OSError as exc:
        raise SourceReadError(str(exc)) from exc
