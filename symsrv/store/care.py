"""What care of a store needs beside its daily work: damage named, and mended under the lock."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from symsrv.backends.base import Backend
from symsrv.model.errors import DamagedDocument
from symsrv.store.adopting import still_named
from symsrv.store.bookkeeping import admin_faults
from symsrv.store.catching_up import catch_up
from symsrv.store.damage import Damage, broken, find_damage
from symsrv.store.mending import Mend
from symsrv.store.repairing import repairs

if TYPE_CHECKING:
    from symsrv.ledger.index import Index

_PASSES = 4  # what a step brought back may tell the next one: a list that of a line that was lost with it


class Care:
    """Looks at a store as it lies there; believes an index only that was read from it just now."""

    def __init__(
        self, backend: Backend, *, recover: Callable[[], int], reread: Callable[[], None], lock_seconds: float
    ) -> None:
        self._backend = backend
        self._recover = recover
        self._reread = reread
        self._lock_seconds = lock_seconds

    def read_into(self, index: "Index") -> Iterator[tuple[str, str]]:
        """Reads every transaction into an index, from the beginning; yields (path, why) for damaged documents."""
        damaged: list[DamagedDocument] = []
        catch_up(self._backend, index, damaged.append)
        for fault in damaged:
            yield fault.path, fault.why

    def admin_faults(self, index: "Index") -> Iterator[tuple[str, str]]:
        """Where `000Admin` and `refs.ptr` do not say what the transactions in an index say: (path, sentence)."""
        return admin_faults(self._backend, index)

    def damage(self, index: "Index") -> Iterator[Damage]:
        """What names and text files tell of damage."""
        return find_damage(self._backend, index)

    def broken(self, home: str) -> Damage | None:
        """What is wrong with the bytes of a file that cannot be identified."""
        return broken(self._backend, home)

    def still_named(self, home: str, index: "Index") -> bool:
        """Whether another tool still names a home that nothing in the index holds."""
        return bool(still_named(self._backend, index, [home]))

    def repair(self, index: "Index", *, dry_run: bool) -> Iterator[Mend]:
        """Yields each step that mends something, taken already; with `dry_run` only what would be done.

        `index` is empty, and read here. Without the lock of a dry run another writer may change what is said.
        """
        if dry_run:
            catch_up(self._backend, index, lambda fault: None)
            yield from repairs(self._backend, index)
            return
        with self._backend.lock(timeout_seconds=self._lock_seconds):
            self._recover()
            mended = False
            for _ in range(_PASSES):
                catch_up(self._backend, index, lambda fault: None)
                done = 0
                for mend in repairs(self._backend, index):
                    mend.do()
                    done += 1
                    yield mend
                self._backend.sync()
                mended = mended or done > 0
                if not done:
                    break
                index.clear()
            if mended:
                self._reread()
