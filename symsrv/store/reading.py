"""Reading a stored file in pieces, so that headers can be looked at wherever the bytes lie, and what they tell."""

import tempfile
from pathlib import Path

from symsrv.backends.base import Backend
from symsrv.formats import identify, identify_path
from symsrv.formats.base import READ_BUDGET_BYTES, Reader
from symsrv.layouts import parse_any
from symsrv.model.errors import ArchiveError, Missing, NotIdentified
from symsrv.model.identity import Identity
from symsrv.model.names import base_name
from symsrv.store.homes import is_packed, plain_name
from symsrv.store.unpacking import unpacked


def identities_at(backend: Backend, path: str) -> tuple[Identity, ...]:
    """What lies at a path by its headers, unpacked if need be; empty if no debug file, damaged, or gone."""
    try:
        if is_packed(path):
            return identify_packed(backend, path)
        return identify(StoredReader(backend, path), base_name(path))
    except (NotIdentified, Missing, ArchiveError):
        return ()


def identities_told(backend: Backend, path: str) -> tuple[Identity, ...]:
    """What lies at a path by its headers, or else what its place says it is, as for formats we cannot read.

    What is compressed is not unpacked for it: that would take days in a large store.
    """
    if not is_packed(path) and (found := identities_at(backend, path)):
        return found
    ask = parse_any(path)
    if ask is None or not ask.ids:
        return ()
    return (Identity("unknown", "both", plain_name(path), ask.ids[:1]),)


def identify_packed(backend: Backend, path: str) -> tuple[Identity, ...]:
    """What the file that lies compressed at a path is; raises NotIdentified, Missing or ArchiveError."""
    with tempfile.TemporaryDirectory(prefix="symsrv-", ignore_cleanup_errors=True) as folder:
        plain = Path(folder, "plain")
        with plain.open("wb") as stream:
            for piece in unpacked(backend, path):
                stream.write(piece)
        return identify_path(plain, plain_name(path))


class StoredReader(Reader):
    """Reads ranges of a stored file through its backend; a bucket is asked for 64 KiB at a time."""

    _WINDOW_BYTES = 64 << 10

    def __init__(self, backend: Backend, path: str, budget: int = READ_BUDGET_BYTES) -> None:
        stat = backend.stat(path)
        if stat is None:
            raise Missing(path)
        super().__init__(stat.size, budget)
        self._backend = backend
        self._path = path
        self._window_start = 0
        self._window = b""

    def _fetch(self, offset: int, size: int) -> bytes:
        start = offset - self._window_start
        if start < 0 or start + size > len(self._window):
            length = min(max(size, self._WINDOW_BYTES), self.size - offset)
            opened = self._backend.open(self._path, offset, length)
            try:
                self._window = opened.stream.read(length)
            finally:
                opened.close()
            self._window_start, start = offset, 0
        return self._window[start : start + size]
