"""Publishing what came: many files in one transaction, and none of them that was not checked."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from symsrv.ingest import FileResult, FileStatus, Source, publish
from symsrv.mirror.rounds import Arrival
from symsrv.model.errors import StoreError
from symsrv.store import SymbolStore

logger = logging.getLogger(__name__)

LINGER_SECONDS = 1.0
"""How long a file waits for others to be published with it."""
MANY = 200
_THREADS = 2


@dataclass(frozen=True, slots=True)
class Published:
    """What became of a file that came; `result` is None if the store took nothing, and `error` why."""

    arrival: Arrival
    result: FileResult | None
    error: StoreError | None = None

    @property
    def here(self) -> bool:
        """Whether the store has it now."""
        return self.result is not None and self.result.status in (FileStatus.STORED, FileStatus.PRESENT)


class Publisher:
    """A thread that publishes. `done` hears of each batch, in it, after the commit."""

    def __init__(
        self,
        store: SymbolStore,
        done: Callable[[Sequence[Published]], object],
        *,
        hurry: Callable[[], bool],
        linger_seconds: float = LINGER_SECONDS,
    ) -> None:
        self._store = store
        self._done = done
        self._hurry = hurry
        self._linger = linger_seconds
        self._waiting: list[Arrival] = []
        self._since = 0.0
        self._change = threading.Condition()
        self._over = False
        self._thread = threading.Thread(target=self._run, name="pull-publish", daemon=True)
        self._thread.start()

    def put(self, arrival: Arrival) -> None:
        """Takes a file."""
        with self._change:
            if not self._waiting:
                self._since = time.monotonic()
            self._waiting.append(arrival)
            self._change.notify()

    def nudge(self) -> None:
        """Lets it ask again whether there is a hurry."""
        with self._change:
            self._change.notify()

    def close(self) -> None:
        """Publishes what there is, and ends."""
        with self._change:
            self._over = True
            self._change.notify()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._change:
                self._change.wait_for(lambda: self._waiting or self._over)
                if not self._waiting:
                    return
                left = self._since + self._linger - time.monotonic()
                self._change.wait_for(self._is_time, timeout=max(0.0, left))
                batch, self._waiting = self._waiting[:MANY], self._waiting[MANY:]
            self._done(self._publish(batch))

    def _is_time(self) -> bool:
        """Whether waiting longer brings nothing: enough there, a client waits, or nothing else is under way."""
        urgent = any(one.want.urgent for one in self._waiting)
        return self._over or urgent or len(self._waiting) >= MANY or self._hurry()

    def _publish(self, batch: Sequence[Arrival]) -> list[Published]:
        by_origin: dict[tuple[object, ...], list[Arrival]] = {}
        for one in batch:
            alone = one.want.id if one.apart else None
            by_origin.setdefault((one.whole.upstream, one.tag, one.whole.tool, alone), []).append(one)
        return [done for some in by_origin.values() for done in self._published(some)]

    def _published(self, arrivals: Sequence[Arrival]) -> list[Published]:
        """One transaction for what came from one upstream, or was made by one tool."""
        first = arrivals[0]
        name = first.whole.upstream
        comment = first.whole.address if len(arrivals) == 1 else first.url
        if first.whole.tool:
            comment = f"made by {first.whole.tool}"
        try:
            sources = [_source(one) for one in arrivals]
            receipt = publish(self._store, sources, product=name, comment=comment, tag=first.tag, threads=_THREADS)
        except StoreError as error:
            logger.error("could not publish what came", extra={"upstream": name, "error": str(error)})
            return [Published(one, None, error) for one in arrivals]
        except Exception:
            logger.exception("a defect in publishing", extra={"upstream": name})
            return [Published(one, None) for one in arrivals]
        logger.info("published", extra={"upstream": name, "files": len(arrivals), "transaction": receipt.transaction})
        pairs = zip(arrivals, receipt.of_sources(), strict=True)
        return [Published(one, results[0] if results else None) for one, results in pairs]


def _source(arrival: Arrival) -> Source:
    whole = arrival.whole
    return Source(arrival.path, whole.address, name=whole.name, origin=whole.address, sha256=whole.sha256)
