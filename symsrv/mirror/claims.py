"""Claims: which wants a worker has for itself, and which it takes next.

A claim lasts a while and is renewed, so that what a dead process had comes back; on the same machine it does at once.
"""

import threading
import time
from collections.abc import Iterable

from symsrv.ledger.state import State
from symsrv.mirror.parts import Parts
from symsrv.model.wants import Want, WantState

LEASE_SECONDS = 90.0
_RENEW_SECONDS = LEASE_SECONDS / 3
_PAGE = 1000


class Claims:
    """One worker's. `only` are the numbers among which it chooses, None for all. Safe to share between threads."""

    def __init__(self, state: State, parts: Parts, *, only: Iterable[int] | None = None) -> None:
        self._state = state
        self._parts = parts
        self._only = None if only is None else set(only)
        self._held: dict[int, Want] = {}
        self._seen: set[int] = set()
        self._taken_over: list[Want] = []
        self._empty_until = 0.0
        self._renewed = time.monotonic()
        self._lock = threading.Lock()

    @property
    def held(self) -> int:
        """How many it has now."""
        return len(self._held)

    def of(self, number: int) -> Want | None:
        """A want, if it has it now."""
        return self._held.get(number)

    def take(self, room: int, *, once: bool, every: float) -> list[Want]:
        """Takes the most wanted, up to so many. When the queue was empty, it is looked at again after `every` seconds.

        `once`: none is taken a second time. Raises LedgerError.
        """
        if self._taken_over:
            found, self._taken_over = self._taken_over, []
            return found
        now = time.monotonic()
        if now < self._empty_until and not self._is_urgent():
            return []
        only = None if self._only is None else sorted(self._only - self._seen)[:_PAGE]
        found = self._state.wants.claim(self._parts.worker, room, lease_seconds=LEASE_SECONDS, only=only)
        if len(found) < room:
            self._empty_until = now + every
        fresh = [want for want in found if not once or want.id not in self._seen]
        for want in found:
            if want not in fresh:
                self._state.wants.release(want.id, self._parts.worker)
        with self._lock:
            self._held.update((want.id, want) for want in fresh)
            if once:
                self._seen.update(want.id for want in fresh)
        return fresh

    def more(self, numbers: Iterable[int]) -> None:
        """Takes up wants that came of what it did: those that are open now, whether they were seen or not."""
        numbers = set(numbers)
        with self._lock:
            if self._only is not None:
                self._only |= numbers
            self._seen -= numbers
        if numbers:
            self.look()

    def look(self) -> None:
        """Looks at the queue at the next turn, whether it was empty or not."""
        self._empty_until = 0.0

    def done(self, want: Want) -> None:
        """Forgets one that was answered, or that rests."""
        with self._lock:
            self._held.pop(want.id, None)

    def release(self, want: Want) -> None:
        """Gives one back into the queue as it was."""
        self._state.wants.release(want.id, self._parts.worker)
        self.done(want)

    def release_all(self) -> None:
        """Gives back all."""
        for want in list(self._held.values()):
            self.release(want)

    def renew(self) -> bool:
        """Lengthens the claims, if it is time; whether it was."""
        now = time.monotonic()
        if now - self._renewed < _RENEW_SECONDS:
            return False
        self._renewed = now
        self._state.wants.renew(self._parts.worker, list(self._held), lease_seconds=LEASE_SECONDS)
        return True

    def adopt(self) -> None:
        """Goes on with what workers of this machine left that are dead.

        Their claims are open again; what they had in part, or whole, is ours, and the claims for it with it.
        """
        dead = set(self._parts.adopt())
        if not dead:
            return
        self._parts.prune(self._state.wants.get)
        self._parts.sweep()
        theirs: list[Want] = []
        last: Want | None = None
        while page := self._state.wants.list(states=(WantState.CLAIMED,), limit=_PAGE, after=last):
            last = page[-1]
            theirs += [want for want in page if want.worker in dead]
        begun = [want.id for want in theirs if self._parts.has(want) and (self._only is None or want.id in self._only)]

        def take_over() -> list[Want]:
            for want in theirs:
                self._state.wants.release(want.id, want.worker or "")
            worker, found = self._parts.worker, list[Want]()
            for at in range(0, len(begun), _PAGE):
                some = begun[at : at + _PAGE]
                found += self._state.wants.claim(worker, len(some), lease_seconds=LEASE_SECONDS, only=some)
            return found

        taken = self._state.transaction(take_over)
        with self._lock:
            self._held.update((want.id, want) for want in taken)
            self._seen.update(want.id for want in taken)
            self._taken_over += taken
        self.look()

    def _is_urgent(self) -> bool:
        """Whether a client waits for the most wanted one."""
        if self._only is not None:
            return False
        first = self._state.wants.list(states=(WantState.OPEN,), limit=1)
        return bool(first) and first[0].urgent
