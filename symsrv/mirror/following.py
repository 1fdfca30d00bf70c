"""Following: every upstream that is followed, each when its time has come, in a thread beside the puller's."""

import logging
import threading
from collections.abc import Callable, Iterable
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from symsrv.mirror.budget import Window
from symsrv.mirror.roster import Opener, filter_of
from symsrv.mirror.settings import MirrorOptions, UpstreamOptions
from symsrv.mirror.tail import Pass, follow, is_due, reading
from symsrv.model.errors import StoreError, UsageError

if TYPE_CHECKING:
    from symsrv.ledger.state import State
    from symsrv.store import SymbolStore

logger = logging.getLogger(__name__)

_LOOK_SECONDS = 5.0


class Following:
    """Makes passes until it is stopped. `listed` tells the upstreams anew each time.

    `filed` hears of each pass that filed wishes, so that the puller looks at once.
    """

    def __init__(
        self,
        store: "SymbolStore",
        state: "State",
        listed: Callable[[], Iterable[UpstreamOptions]],
        *,
        opener: Opener,
        options: Callable[[], MirrorOptions],
        filed: Callable[[Pass], object] = lambda _done: None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._state = state
        self._listed = listed
        self._opener = opener
        self._options = options
        self._filed = filed
        self._now = now

    def run(self, stop: threading.Event) -> None:
        """Looks every few seconds which passes are due, and makes them; what fails is logged, and made again later."""
        while not stop.is_set():
            try:
                self.make_due(stop)
            except StoreError as error:
                logger.error("could not follow upstreams", extra={"error": str(error)})
            stop.wait(_LOOK_SECONDS)

    def make_due(self, stop: threading.Event) -> list[Pass]:
        """Makes the passes that are due and that no other process makes."""
        done = []
        for options in self._listed():
            if stop.is_set() or options.tail is None or not self._is_open(options) or not is_due(self._state, options):
                continue
            try:
                done.append(self.make(options, stop))
            except UsageError as error:
                logger.error("an upstream cannot be used", extra={"upstream": options.name, "error": str(error)})
        return done

    def make(self, options: UpstreamOptions, stop: threading.Event) -> Pass:
        """Makes one pass over one upstream, due or not. Raises UsageError if it cannot be opened."""
        with closing(self._opener(reading(options))) as upstream:
            asked = filter_of(self._state, options)
            one = follow(upstream, self._state, store=self._store, asked=asked, stop=stop.is_set)
        if one.wished or one.deleted:
            logger.info("followed an upstream", extra={"upstream": one.upstream, "wished": one.wished})
            self._filed(one)
        return one

    def _is_open(self, options: UpstreamOptions) -> bool:
        windows = (Window.of(self._options().window), Window.of(options.window))
        return all(window is None or window.is_open(self._now()) for window in windows)
