"""Tellers: a thread for each receiver, so that one who is slow or gone holds up nobody else, and no download."""

import logging
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from symsrv.mirror.forms import NotTold
from symsrv.mirror.telling import Receiver
from symsrv.model.errors import SymsrvError

if TYPE_CHECKING:
    from symsrv.ledger.state import State

logger = logging.getLogger(__name__)

LONGEST_PAUSE_SECONDS = 600.0
_STOPPING_SECONDS = 2.0
_TURN_SECONDS = 60.0
"""For how long one process has a receiver for itself, beyond what a call may take."""


class Turn:
    """Who tells a receiver when several processes could: one takes the turn, and has it until it ends or is left."""

    def __init__(self, state: "State", name: str, *, seconds: float, now: Callable[[], float] = time.time) -> None:
        self._state = state
        self._mark = f"telling:{name}"
        self._seconds = seconds
        self._now = now
        self._worker = uuid.uuid4().hex

    def take(self) -> bool:
        """Takes it, or keeps it; whether it is ours."""
        text = self._state.marks.text(self._mark)
        worker, _, until = text.partition(" ")
        now = self._now()
        if text and worker != self._worker and float(until) > now:
            return False
        return self._state.marks.move(self._mark, f"{self._worker} {now + self._seconds:.0f}", from_value=text or None)

    def leave(self) -> None:
        """Lets others have it at once."""
        text = self._state.marks.text(self._mark)
        if text.startswith(f"{self._worker} "):
            self._state.marks.move(self._mark, f"{self._worker} 0", from_value=text)


@dataclass(slots=True)
class _Teller:
    """One receiver's thread."""

    receiver: Receiver
    turn: Turn
    stopping: threading.Event
    failures: int = 0

    def run(self) -> None:
        """Tells until it is stopped."""
        pause = 0.0
        while not self.stopping.wait(pause):
            try:
                pause = self._told()
            except Exception:
                pause = LONGEST_PAUSE_SECONDS
                logger.exception("a defect in telling", extra={"receiver": self.receiver.options.name})
        try:
            self.turn.leave()
        except SymsrvError as error:
            logger.debug("a turn could not be left", extra=self._said(error))

    def _told(self) -> float:
        """Tells what there is; how long to wait then."""
        options = self.receiver.options
        try:
            if not self.turn.take():
                return options.every
            while not self.stopping.is_set() and self.receiver.tell():
                self.failures = 0
                self.turn.take()
        except SymsrvError as error:
            self.failures += 1
            pause: float = min(LONGEST_PAUSE_SECONDS, options.pause * 2.0 ** min(self.failures - 1, 20))
            if isinstance(error, NotTold):
                pause = max(pause, error.retry_after or 0.0)
            logger.warning("a receiver was not told", extra={**self._said(error), "again_in_seconds": pause})
            return pause
        return options.every

    def _said(self, error: SymsrvError) -> dict[str, object]:
        return {"receiver": self.receiver.options.name, "reason": error.reason, "error": str(error)}


class Tellers:
    """All receivers of a configuration; those that are switched off are not told."""

    def __init__(self, receivers: Sequence[Receiver], state: "State") -> None:
        self._stopping = threading.Event()
        self._threads = []
        for one in receivers:
            if not one.options.enabled:
                continue
            turn = Turn(state, one.options.name, seconds=one.options.timeout + _TURN_SECONDS)
            teller = _Teller(one, turn, self._stopping)
            self._threads.append(threading.Thread(target=teller.run, name=f"tell-{one.options.name}", daemon=True))

    def start(self) -> None:
        """Begins."""
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Ends them; who is in the middle of a call is not waited for long, and what it tells is told again."""
        self._stopping.set()
        deadline = time.monotonic() + _STOPPING_SECONDS
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(0.0, deadline - time.monotonic()))
