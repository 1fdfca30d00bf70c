"""Backends: where a store's bytes lie. A new kind of place is one file and one line in `BACKENDS`."""

import os
import re
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from symsrv.backends.base import Backend
from symsrv.backends.disk import Disk, make_root
from symsrv.backends.memory import open_memory
from symsrv.model.errors import UsageError


def open_backend(url: str, *, create: bool = False, read_only: bool = False, semaphore: bool = False) -> Backend:
    """Opens the place that a `--store` names: a folder, `file:///…`, `s3://bucket/prefix`, `gs://bucket/prefix`,
    `memory://name`.

    A folder that is not there raises NoStore, unless `create`. `semaphore`: hold `_lockfile.sem`, too, where there
    is a lock.
    """
    scheme = _scheme(url)
    if scheme not in BACKENDS:
        known = ", ".join(f"{name}://" for name in BACKENDS)
        raise UsageError(f"{url}: no such kind of store; it can be a folder, or one of {known}")
    return BACKENDS[scheme](url, create=create, read_only=read_only, semaphore=semaphore)


class Opener(Protocol):
    """Opens a URL of one scheme."""

    def __call__(self, url: str, *, create: bool, read_only: bool, semaphore: bool) -> Backend:
        """See open_backend."""


def _scheme(url: str) -> str:
    """The scheme; a folder's is `file`. One letter is a Windows drive."""
    match = re.match(r"([A-Za-z][A-Za-z0-9+.-]+)://", url)
    return match[1].lower() if match else "file"


def _folder(url: str) -> Path:
    if "://" not in url:
        return Path(url).expanduser()
    parts = urlsplit(url)
    if parts.netloc not in ("", "localhost") and os.name != "nt":
        raise UsageError(f"{url}: a file URL has three slashes, as in file:///{parts.netloc}{parts.path}")
    path = unquote(parts.path)
    if os.name == "nt":
        share = f"//{parts.netloc}" if parts.netloc not in ("", "localhost") else ""
        return Path(share + path) if share else Path(re.sub(r"^/([A-Za-z]:)", r"\1", path))
    return Path(path)


def _open_disk(url: str, *, create: bool, read_only: bool, semaphore: bool) -> Backend:
    if not url:
        raise UsageError("no store was named: give --store a folder or a URL")
    folder = _folder(url)
    if create and not read_only:
        make_root(folder)
    return Disk(folder, read_only=read_only, semaphore=semaphore)


def _open_memory(url: str, *, create: bool, read_only: bool, semaphore: bool) -> Backend:
    return open_memory(url, read_only=read_only)


def _open_s3(url: str, *, create: bool, read_only: bool, semaphore: bool) -> Backend:
    from symsrv.backends.s3 import open_s3  # boto3 is an extra, and takes its time to load

    return open_s3(url, read_only=read_only)


def _open_gcs(url: str, *, create: bool, read_only: bool, semaphore: bool) -> Backend:
    from symsrv.backends.gcs import open_gcs  # google-cloud-storage likewise

    return open_gcs(url, read_only=read_only)


BACKENDS: dict[str, Opener] = {
    "file": _open_disk,
    "memory": _open_memory,
    "s3": _open_s3,
    "gs": _open_gcs,
}
"""How each scheme is opened."""
