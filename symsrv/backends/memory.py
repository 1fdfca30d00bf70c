"""A bucket in memory, for tests and for trying things out: gone with the process."""

import io
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from symsrv.backends.base import Backend, Opened, Stat
from symsrv.backends.objects import ObjectBackend
from symsrv.model.errors import AlreadyThere, Missing, UsageError


class _Object(NamedTuple):
    data: bytes
    modified_ns: int
    sha256: str | None


@dataclass
class _Buckets:
    """The buckets of this process, by name, so that two openings of one URL see the same."""

    by_name: "dict[str, MemoryObjects]"
    lock: threading.Lock


_BUCKETS = _Buckets({}, threading.Lock())


class MemoryObjects:
    """Objects in a dictionary; every request holds one mutex and is atomic thereby."""

    def __init__(self, name: str = "") -> None:
        self.url = f"memory://{name}"
        self._objects: dict[str, _Object] = {}
        self._lock = threading.Lock()

    def head(self, key: str) -> Stat | None:
        """See Objects."""
        found = self._objects.get(key)
        return _stat(key, found) if found else None

    def get(self, key: str, start: int = 0, length: int | None = None) -> Opened:
        """See Objects."""
        found = self._found(key)
        end = None if length is None else start + length
        return Opened(_stat(key, found), io.BytesIO(found.data[start:end]))

    def tail(self, key: str, length: int) -> bytes:
        """See Objects."""
        data = self._found(key).data
        return data[max(0, len(data) - length) :]

    def put(self, key: str, data: bytes | Path, *, sha256: str | None = None, create_only: bool = False) -> None:
        """See Objects."""
        content = data if isinstance(data, bytes) else data.read_bytes()
        with self._lock:
            if create_only and key in self._objects:
                raise AlreadyThere(key)
            self._objects[key] = _Object(content, time.time_ns(), sha256)

    def put_large(self, key: str, path: Path, *, sha256: str) -> None:
        """See Objects."""
        self.put(key, path, sha256=sha256)

    def copy(self, key: str, target: str, *, sha256: str | None = None) -> None:
        """See Objects."""
        with self._lock:
            self._objects[target] = _Object(self._found(key).data, time.time_ns(), sha256)

    def delete(self, key: str) -> None:
        """See Objects."""
        with self._lock:
            self._objects.pop(key, None)

    def list(self, prefix: str, *, after: str = "") -> Iterator[Stat]:
        """See Objects."""
        with self._lock:
            objects = sorted(self._objects.items())
        for key, found in objects:
            if key.startswith(prefix) and key > after:
                yield Stat(key, len(found.data), found.modified_ns)

    def close(self) -> None:
        """Nothing to do: the bucket stays for the next who opens it."""

    def _found(self, key: str) -> _Object:
        found = self._objects.get(key)
        if found is None:
            raise Missing(key)
        return found


def open_memory(url: str, *, read_only: bool = False) -> Backend:
    """Opens `memory://name`; every name is there already, empty."""
    name = urlsplit(url).netloc
    if not name:
        raise UsageError(f"{url}: a bucket in memory needs a name, as in memory://test")
    with _BUCKETS.lock:
        objects = _BUCKETS.by_name.setdefault(name, MemoryObjects(name))
    return ObjectBackend(objects, read_only=read_only)


def _stat(key: str, found: _Object) -> Stat:
    return Stat(key, len(found.data), found.modified_ns, found.sha256)
