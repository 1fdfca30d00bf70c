"""The roster: the upstreams that are connected now, with the lists that hold for each, kept up to date."""

import logging
import time
from collections.abc import Callable, Collection, Iterable, Sequence

from symsrv.ledger.state import State, Which
from symsrv.mirror.base import Upstream
from symsrv.mirror.chances import Connected
from symsrv.mirror.filters import Filter
from symsrv.mirror.settings import UpstreamOptions
from symsrv.model.errors import SymsrvError

logger = logging.getLogger(__name__)

_EXPIRY_SECONDS = 60.0
"""How often the lists are read anew though nobody changed them: entries expire."""

Opener = Callable[[UpstreamOptions], Upstream]


class Roster:
    """Opens upstreams when they are first listed and closes them when they are gone. Used by one thread."""

    def __init__(
        self,
        state: State | None,
        listed: Callable[[], Iterable[UpstreamOptions]],
        opener: Opener,
        *,
        only: Collection[str] = (),
    ) -> None:
        self._state = state
        self._listed = listed
        self._opener = opener
        self._only = frozenset(only)
        self._open: dict[str, Upstream] = {}
        self._failed: dict[str, UpstreamOptions] = {}
        self._connected: list[Connected] = []
        self._revision: object = None

    @property
    def connected(self) -> Sequence[Connected]:
        """Those that are switched on, in their order, as of the last `refresh`."""
        return self._connected

    def refresh(self) -> bool:
        """Looks whether anything changed; whether it did. An upstream that cannot be opened is logged and left out."""
        revision = self._look()
        if revision == self._revision:
            return False
        wanted = [one for one in self._listed() if one.enabled and (not self._only or one.name in self._only)]
        wanted.sort(key=lambda one: one.order)
        opened = [found for one in wanted if (found := self._opened(one)) is not None]
        for name in set(self._open) - {one.options.name for one in opened}:
            self._open.pop(name).close()
        self._connected = [Connected(one, filter_of(self._state, one.options)) for one in opened]
        self._revision = revision
        return True

    def close(self) -> None:
        """Closes all of them."""
        self._connected = []
        while self._open:
            self._open.popitem()[1].close()

    def _look(self) -> object:
        if self._state is None:
            return 0
        minute = time.monotonic() // _EXPIRY_SECONDS
        return self._state.lists.revision(), self._state.upstreams.revision(), minute

    def changed(self) -> None:
        """Reads everything anew at the next `refresh`: what the YAML says is other now."""
        self._revision = None

    def _opened(self, options: UpstreamOptions) -> Upstream | None:
        there = self._open.get(options.name)
        if there is not None and there.options == options:
            return there
        if self._failed.get(options.name) == options:
            return None
        try:
            fresh = self._opener(options)
        except SymsrvError as error:
            logger.error("an upstream cannot be used", extra={"upstream": options.name, "error": str(error)})
            self._failed[options.name] = options
            return None
        if there is not None:
            there.close()
        self._failed.pop(options.name, None)
        self._open[options.name] = fresh
        return fresh


def filter_of(state: State | None, options: UpstreamOptions) -> Filter:
    """What an upstream is asked for, by its own patterns and by the lists that people keep."""
    said: dict[Which, list[tuple[str, str]]] = {which: [] for which in Which}
    if state is not None:
        for entry in state.lists.entries(upstream=options.name, limit=None):
            said[entry.which].append((entry.pattern, entry.reason))
    return Filter(options, block=said[Which.BLOCK], skip=said[Which.SKIP], allow=said[Which.ALLOW])
