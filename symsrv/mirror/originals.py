"""Originals: debug files that were fetched only to be converted, and are let go of when that is done."""

import logging
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from symsrv.mirror import material
from symsrv.mirror.convert import WHO
from symsrv.mirror.converters import ConversionError
from symsrv.mirror.settings import UpstreamOptions
from symsrv.model.ask import Wants
from symsrv.model.errors import StoreError
from symsrv.model.identity import SYM, Identity
from symsrv.model.records import StoredFile, Transaction

if TYPE_CHECKING:
    from symsrv.ledger.state import State
    from symsrv.store import SymbolStore

logger = logging.getLogger(__name__)


def let_go(
    store: "SymbolStore", state: "State", arrived: Iterable[Identity], upstreams: Iterable[UpstreamOptions]
) -> list[str]:
    """Deletes the originals of text symbols that arrived, if their upstream's are not to be kept; returns their homes.

    An original goes if nobody but the converter ever wanted it, and if nothing holds it but what was fetched from such
    upstreams, in a transaction of its own each.
    """
    names = {one.name for one in upstreams if not one.keep_original}
    gone = []
    for identity in arrived if names else ():
        if identity.role != SYM:
            continue
        try:
            found = material.find(store, identity.asks()[0], lambda _: True)
        except ConversionError:
            continue
        numbers = _holders(store, found.debug, names)
        if numbers and _wanted_by_nobody_else(state, found.identity):
            try:
                store.delete(numbers, comment=f"{found.debug.home} was fetched only to be converted")
            except StoreError as error:  # somebody else was faster, or has the store for himself: then it stays
                logger.warning("kept an original", extra={"key": found.debug.home, "error": str(error)})
                continue
            logger.info("let go of an original", extra={"key": found.debug.home, "transactions": len(numbers)})
            gone.append(found.debug.home)
    return gone


def fetched_to_convert(who: Sequence[str]) -> bool:
    """Whether a file was wanted only to be converted, by who wanted it."""
    return set(who) == {WHO}


def _holders(store: "SymbolStore", file: StoredFile, names: set[str]) -> list[int]:
    """The transactions that hold a file, if each of them is of these upstreams and holds nothing else."""
    numbers = store.index.holders([file.home]).get(file.home, [])
    held = {one.number: one for one in _transactions(store, numbers)}
    apart = all(number in held and held[number].product in names and held[number].files == 1 for number in numbers)
    return numbers if apart else []


def _transactions(store: "SymbolStore", numbers: Sequence[int]) -> Iterable[Transaction]:
    left = set(numbers)
    for one in store.index.transactions(newest_first=True) if left else ():
        if one.number in left:
            left.discard(one.number)
            yield one
        if not left:
            return


def _wanted_by_nobody_else(state: "State", identity: Identity) -> bool:
    wanted = state.wants.of_ids(material.sym_ids(identity), kind=Wants.DEBUG)
    return bool(wanted) and all(fetched_to_convert(one.who) for one in wanted)
