"""Hashes of files that no record describes: computed in the background, so that later answers carry an ETag."""

import asyncio
import logging
from collections import OrderedDict

from symsrv.model.errors import StoreError
from symsrv.serve.pools import Pools
from symsrv.store import Stat, SymbolStore

REMEMBERED = 16384

logger = logging.getLogger(__name__)

Version = tuple[str, int, int]


def version(stat: Stat) -> Version:
    """What must be the same for a remembered hash to hold."""
    return stat.path, stat.size, stat.modified_ns


class Hashes:
    """Remembers hashes by path, size and time of change. Reads one file at a time, and only from local stores."""

    def __init__(self, store: SymbolStore, pools: Pools) -> None:
        self._store = store
        self._pools = pools
        self._known: OrderedDict[Version, str] = OrderedDict()
        self._running: asyncio.Task[None] | None = None

    def known(self, stat: Stat) -> str | None:
        """The hash of what was looked at or opened, if it was computed; in any thread."""
        return self._known.get(version(stat))

    def want(self, stat: Stat) -> None:
        """Begins to compute a hash, unless another file is being read: the next request will ask again."""
        if self._running is None and self._store.local and version(stat) not in self._known:
            self._running = asyncio.ensure_future(self._compute(stat))

    async def settled(self) -> None:
        """Waits until nothing is being computed."""
        while self._running is not None:
            await asyncio.wait([self._running])

    async def _compute(self, stat: Stat) -> None:
        try:
            digest = await self._pools.in_cpu(_read, self._store, stat)
            if digest is not None:
                self._known[version(stat)] = digest
                while len(self._known) > REMEMBERED:
                    self._known.popitem(last=False)
        except (OSError, RuntimeError, StoreError) as exc:
            logger.info("could not hash a file", extra={"path": stat.path, "error": str(exc)})
        finally:
            self._running = None


def _read(store: SymbolStore, stat: Stat) -> str | None:
    """The hash of exactly what was looked at; None if other bytes lay there before or after they were read."""
    if not _is_still(store, stat):
        return None
    digest = store.sha256(stat.path, afresh=True)
    return digest if _is_still(store, stat) else None


def _is_still(store: SymbolStore, stat: Stat) -> bool:
    now = store.look(stat.path)
    return now is not None and version(now) == version(stat)
