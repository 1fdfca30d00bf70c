"""Tellers: a thread for each receiver, so that one who is slow or gone holds up nobody else, and no download."""

import logging
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from symsrv.mirror.forms import NotTold
from symsrv.mirror.settings import MirrorOptions
from symsrv.mirror.telling import Over, Receiver, describing
from symsrv.model.errors import SymsrvError

if TYPE_CHECKING:
    from symsrv.ledger.state import State
    from symsrv.store import SymbolStore

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


class _Teller:
    """One receiver's thread."""

    def __init__(self, receiver: Receiver, turn: Turn, stopping: threading.Event) -> None:
        self.guard = receiver.guard
        self.idle = threading.Event()
        """Set when there is nothing to tell, or nobody who hears it."""
        self.woken = threading.Event()
        self.thread = threading.Thread(target=self.run, name=f"tell-{receiver.options.name}", daemon=True)
        self._receiver = receiver
        self._turn = turn
        self._stopping = stopping
        self._failures = 0

    def run(self) -> None:
        """Tells until it is stopped."""
        while not self._stopping.is_set():
            self.woken.clear()
            try:
                pause = self._told()
            except Over:
                return
            except Exception:
                pause = LONGEST_PAUSE_SECONDS
                logger.exception("a defect in telling", extra={"receiver": self._receiver.options.name})
            if not self.woken.is_set():  # else somebody waits for what came while we told
                self.idle.set()
            if not self._stopping.is_set():
                self.woken.wait(pause)

    def _told(self) -> float:
        """Tells what there is; how long to wait then."""
        options = self._receiver.options
        try:
            if not self._take():
                return options.every
            while not self._stopping.is_set() and self._receiver.tell():
                self._failures = 0
                self._take()
        except SymsrvError as error:
            self._failures += 1
            pause: float = min(LONGEST_PAUSE_SECONDS, options.pause * 2.0 ** min(self._failures - 1, 20))
            if isinstance(error, NotTold):
                pause = max(pause, error.retry_after or 0.0)
            logger.warning("a receiver was not told", extra={**self._said(error), "again_in_seconds": pause})
            return pause
        return options.every

    def close(self, seconds: float) -> None:
        """Waits for its end, no longer than so; then it does nothing any more, and another process may tell."""
        if self.thread.ident is not None:
            self.thread.join(seconds)
        self.guard.close()
        try:
            self._turn.leave()
        except SymsrvError as error:
            logger.debug("a turn could not be left", extra=self._said(error))

    def _take(self) -> bool:
        with self.guard:
            return self._turn.take()

    def _said(self, error: SymsrvError) -> dict[str, object]:
        return {"receiver": self._receiver.options.name, "reason": error.reason, "error": str(error)}


class Tellers:
    """All receivers of a configuration; those that are switched off are not told. Between `start` and `close`."""

    def __init__(self, receivers: Sequence[Receiver], state: "State") -> None:
        self._stopping = threading.Event()
        self._tellers = [
            _Teller(one, Turn(state, one.options.name, seconds=one.options.timeout + _TURN_SECONDS), self._stopping)
            for one in receivers
            if one.options.enabled
        ]

    def start(self) -> None:
        """Begins."""
        for one in self._tellers:
            one.thread.start()

    def drain(self, seconds: float) -> None:
        """Lets them tell what there is by now, without waiting for their time; no longer than so."""
        deadline = time.monotonic() + seconds
        for one in self._tellers:
            one.idle.clear()
            one.woken.set()
        for one in self._tellers:
            one.idle.wait(max(0.0, deadline - time.monotonic()))

    def close(self) -> None:
        """Ends them; who is in the middle of a call is not waited for long, and what it tells is told again.

        The state and the store are not used any more when it returns.
        """
        self._stopping.set()
        deadline = time.monotonic() + _STOPPING_SECONDS
        for one in self._tellers:
            one.woken.set()
        for one in self._tellers:
            one.close(max(0.0, deadline - time.monotonic()))


def open_tellers(options: MirrorOptions, store: "SymbolStore", state: "State") -> Tellers:
    """The tellers of all receivers of a configuration, started. Raises UsageError for an unknown form."""
    receivers = [Receiver(one, state, describing(store), origin=store.id) for one in options.tell if one.enabled]
    for one in receivers:
        one.begin()
    tellers = Tellers(receivers, state)
    tellers.start()
    return tellers
