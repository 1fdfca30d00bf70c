"""Whether bytes in the store are the bytes somebody offers, and which of two twins is the better one."""

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock

from symsrv.backends.base import Backend, Stat
from symsrv.model.errors import ArchiveError, Missing
from symsrv.model.identity import Identity
from symsrv.store.unpacking import measured, unpacked

_BLOCK_BYTES = 1 << 20
_REMEMBERED = 65536
_RANK = {"typ": 0, "pub": 1, "pri": 2}


class Hashes:
    """The sha256 of stored files: the one kept beside the bytes, else computed once for a size and time of change.

    Lets a publisher compare outside the lock what the commit then only has to look at again.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._known: OrderedDict[str, tuple[int, int, str]] = OrderedDict()
        self._known_inside: OrderedDict[str, tuple[int, int, str | None]] = OrderedDict()
        self._lock = Lock()

    def of(self, path: str) -> str | None:
        """The hash of what lies at a path now, or None if nothing does."""
        stat = self._backend.stat(path)
        if stat is None:
            return None
        return self.remembered(stat) or self.computed(path)

    def unpacked(self, path: str) -> str | None:
        """The hash of the file that lies compressed at a path; None if there is none, or it cannot be unpacked."""
        stat = self._backend.stat(path)
        if stat is None:
            return None
        size, modified_ns, known = self._known_inside.get(path, (-1, -1, None))
        if (size, modified_ns) != (stat.size, stat.modified_ns):
            try:
                _, known = measured(unpacked(self._backend, path))
            except (ArchiveError, Missing):
                known = None
            with self._lock:
                self._known_inside[path] = (stat.size, stat.modified_ns, known)
                if len(self._known_inside) > _REMEMBERED:
                    self._known_inside.popitem(last=False)
        return known

    def same(self, path: str, *, size: int, sha256: str) -> bool:
        """Whether a path holds exactly these bytes."""
        stat = self._backend.stat(path)
        return stat is not None and stat.size == size and self.of(path) == sha256

    def remembered(self, stat: Stat) -> str | None:
        """The hash, if it is known without reading the file."""
        if stat.sha256:
            return stat.sha256
        size, modified_ns, sha256 = self._known.get(stat.path, (-1, -1, ""))
        return sha256 if (size, modified_ns) == (stat.size, stat.modified_ns) else None

    def forget(self, path: str) -> None:
        """Forgets a hash: bytes of the same size may have come within one tick of the file system's clock."""
        with self._lock:
            self._known.pop(path, None)
            self._known_inside.pop(path, None)

    def computed(self, path: str) -> str | None:
        """The hash of the bytes at a path, read now; None if there are none."""
        try:
            opened = self._backend.open(path)
        except Missing:
            return None
        try:
            digest = hashlib.sha256()
            while block := opened.stream.read(_BLOCK_BYTES):
                digest.update(block)
        finally:
            opened.close()
        with self._lock:
            self._known[path] = (opened.stat.size, opened.stat.modified_ns, digest.hexdigest())
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return digest.hexdigest()


def outranks(offered: Sequence[Identity], kept: Sequence[Identity]) -> bool:
    """Whether offered symbols are better than those at the same home, as far as headers tell: private over stripped."""
    return _rank(offered) > _rank(kept) >= 0


def _rank(identities: Sequence[Identity]) -> int:
    return max((_RANK.get(one.symbol_kind, -1) for one in identities), default=-1)
