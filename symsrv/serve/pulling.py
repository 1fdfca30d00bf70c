"""How fetching goes, as the state tells it: counters that are small however long the log and the queue are."""

import time
from typing import TYPE_CHECKING

from symsrv.metrics import Pulled, Pulling
from symsrv.model.errors import StoreError

if TYPE_CHECKING:
    from symsrv.ledger.state import State

_OUTCOMES = ("ok", "absent", "failed", "refused", "skipped", "retried")
_COUNTED_SECONDS = 10.0
"""How long the wants are not counted anew: of a million it takes a tenth of a second."""


class PullingNumbers:
    """Reads them when somebody asks; None where the state cannot be reached. Not for the event loop."""

    def __init__(self, state: "State") -> None:
        self._state = state
        self._wants: dict[str, int] = {}
        self._counted = 0.0

    def __call__(self) -> Pulling | None:
        """The numbers as they are now."""
        try:
            upstreams = [
                Pulled(one.upstream, one.bytes, {name: getattr(one, name) for name in _OUTCOMES})
                for one in self._state.attempts.statistics()
            ]
            now = time.monotonic()
            if not self._wants or now - self._counted > _COUNTED_SECONDS:
                self._wants = {state.value: count for state, count in self._state.wants.counts().items()}
                self._counted = now
        except StoreError:
            return None
        return Pulling(upstreams, self._wants)
