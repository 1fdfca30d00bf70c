"""Catching up: reads into the index what was committed since, by us on any machine and by symstore.exe."""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from symsrv.backends.base import Backend
from symsrv.model.errors import DamagedDocument
from symsrv.model.records import Transaction
from symsrv.store import documents, microsoft
from symsrv.store.adopting import Foreign, listed_numbers
from symsrv.store.recovery import document_numbers

if TYPE_CHECKING:
    from symsrv.ledger.index import Index

logger = logging.getLogger(__name__)


def _log_damaged(fault: DamagedDocument) -> None:
    logger.warning("left out a transaction: %s", fault)


_FAR = 1000  # numbers in a row that nobody knows, before the next one is looked up instead of tried


def catch_up(backend: Backend, index: "Index", damaged: Callable[[DamagedDocument], None] = _log_damaged) -> int:
    """Reads every transaction above the index's last one, and those that came late below; returns how many.

    A number that has neither document nor line is a gap, and is only passed when a higher number is
    in use: the highest one may belong to a writer who has reserved it and not yet committed. What a damaged
    document held is taken from `000Admin`, as for another tool's, so that no delete frees it.
    """
    foreign = Foreign(backend)
    found = _fill_gaps(backend, index, foreign)
    number = index.applied() + 1
    last: int | None = None
    while True:
        transaction, fault = _read(backend, number)
        if fault is not None:
            damaged(fault)
        elif transaction is None and last is None:
            # The document may come between our look at it and at lastid.txt: look at it again.
            last = _last(backend, fresh=number == 1)
            continue
        if transaction is None:
            transaction = foreign.transaction(number)
        if transaction is not None:
            index.record(transaction)
            found += 1
        elif fault is None and last is not None and number >= last:
            return found
        elif last is not None and last - number > _FAR:
            known = {*foreign.numbers(), *document_numbers(backend)}
            number = min((one for one in known if one > number), default=last) - 1
        number += 1


def _last(backend: Backend, *, fresh: bool) -> int:
    """The last number in use. Where nothing was read yet, lists speak, too: lastid.txt and history may be lost."""
    last = microsoft.last_number(backend)
    return max(last, *listed_numbers(backend)) if fresh and backend.shared_lock and listed_numbers(backend) else last


def _fill_gaps(backend: Backend, index: "Index", foreign: Foreign) -> int:
    """Reads what came late under a number that was passed: symstore.exe may work on one for minutes."""
    found = 0
    for number in index.gaps():
        transaction, _ = _read(backend, number)
        transaction = transaction or foreign.transaction(number)
        if transaction is not None:
            index.record(transaction)
            found += 1
    return found


def same_past(backend: Backend, index: "Index") -> bool:
    """Whether what the index read last is still in the store: it may have been restored from a backup."""
    newest = next(index.transactions(newest_first=True), None)
    if newest is None:
        return True
    transaction, fault = _read(backend, newest.number)
    if newest.foreign and fault is None:
        transaction = Foreign(backend).transaction(newest.number)
    return fault is not None or (transaction is not None and _same(transaction, newest))


def _same(one: Transaction, other: Transaction) -> bool:
    return (one.kind, one.when, one.product, one.version) == (other.kind, other.when, other.product, other.version)


def _read(backend: Backend, number: int) -> tuple[Transaction | None, DamagedDocument | None]:
    try:
        return documents.read(backend, number), None
    except DamagedDocument as fault:
        return None, fault
