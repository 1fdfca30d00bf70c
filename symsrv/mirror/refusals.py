"""Refusals: which of the connected upstreams are never asked for a name, as lists and patterns say now."""

import threading
import time
from collections.abc import Callable, Iterable

from symsrv.ledger.state import State
from symsrv.mirror.filters import Filter
from symsrv.mirror.roster import filter_of
from symsrv.mirror.settings import UpstreamOptions
from symsrv.model.ask import Ask, Wants

EXPIRY_SECONDS = 60.0
"""How often the lists are read anew though nobody changed them: entries expire."""

_CONVERTER = "convert"


class Refusals:
    """Kept up to date by the revisions of the state; may be used in any thread."""

    def __init__(self, state: State, listed: Callable[[], Iterable[UpstreamOptions]]) -> None:
        self._state = state
        self._listed = listed
        self._lock = threading.Lock()
        self._revision: object = None
        self._filters: list[tuple[UpstreamOptions, Filter]] = []

    def __call__(self, ask: Ask) -> dict[str, tuple[str, str] | None]:
        """For each upstream that is switched on: the word and the sentence why it is not asked, None if it is.

        Raises LedgerError.
        """
        with self._lock:
            revision = self._look()
            if revision != self._revision:
                enabled = [one for one in self._listed() if one.enabled]
                self._filters = [(one, filter_of(self._state, one)) for one in enabled]
                self._revision = revision
            filters = self._filters
        return {
            options.name: one.refuse(ask)
            for options, one in filters
            if options.kind != _CONVERTER or ask.wants is Wants.SYM
        }

    def _look(self) -> object:
        minute = time.monotonic() // EXPIRY_SECONDS
        return self._state.lists.revision(), self._state.upstreams.revision(), minute
