"""The invariants of docs/store.md, checked on what a crash left: I1 to I3 as it lies, R1 to R4 after recovery."""

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path

from symsrv.model.records import Status
from symsrv.store import SymbolStore, is_packed
from symsrv.upkeep.repair import repair
from symsrv.upkeep.verify import Tally, verify
from tests.crash.publishing import draft, image


def check_as_it_lies(store: SymbolStore, whole: set[str], done: Iterable[int]) -> set[int]:
    """I1, I2 and I3, before anything is repaired; returns the numbers in use.

    `whole` are the hashes of every file that was ever offered.
    """
    for stat in store.files():
        lies = store._hashes.unpacked if is_packed(stat.path) else store._hashes.computed
        assert lies(stat.path) in whole, f"I1: {stat.path} is torn or mixed"
    transactions = list(store.documents())
    numbers = [transaction.number for transaction in transactions]
    assert len(numbers) == len(set(numbers)), "I3: a number was used twice"
    assert set(done) <= set(numbers), "a transaction that was reported as done is lost"
    deleted = {number for transaction in transactions for number in transaction.deletes}
    for transaction in transactions:
        for entry in transaction.entries:
            if transaction.number not in deleted and entry.status.holds:
                assert store.look(entry.home) is not None, f"I2: {entry.home} is held and not there"
    return set(numbers)


def check_after_recovery(store: SymbolStore, work: Path, used: set[int]) -> None:
    """A next writer comes, and then everything holds."""
    after = store.commit(draft(store, image(work, "after.dll")))
    assert after.number not in used, "a number was used twice"
    tally = Tally()
    faults = list(verify(store, tally, scratch="sqlite://"))
    assert not faults, faults
    displaced = {
        entry.kept_sha256 for one in store.documents() for entry in one.entries if entry.status is Status.REPLACED
    }
    kept = {store.sha256(stat.path) for stat in store.displaced()}
    assert displaced <= kept, "R3: what a replacement put aside is lost"


def check_repair(store: SymbolStore, before: set[str], lying: Callable[[], Iterable[Path]]) -> None:
    """What a repair was broken off at goes on, once, and no bytes of files that were there before are gone."""
    assert before <= sha256_of(lying()), "bytes were lost"
    list(repair(store, scratch="sqlite://"))
    again = list(repair(store, scratch="sqlite://"))
    assert not again, again
    assert before <= sha256_of(lying()), "bytes were lost afterwards"
    assert {1, 2, 3, 4, 5} <= {transaction.number for transaction in store.history()}, "a transaction was lost"


def sha256_of(paths: Iterable[Path]) -> set[str]:
    return {hashlib.sha256(path.read_bytes()).hexdigest() for path in paths if path.is_file()}
