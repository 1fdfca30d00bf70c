"""Partners: a program that came tells which PDB it was linked with, and that is wanted, too."""

from symsrv.formats import identify_path
from symsrv.mirror.rounds import Arrival
from symsrv.model.ask import Ask, Wants
from symsrv.model.errors import BadName, NotIdentified
from symsrv.model.ids import DEBUG
from symsrv.model.names import base_name, checked_name
from symsrv.model.wants import Wish, asked_only_of
from symsrv.store import SymbolStore


def partner_wishes(store: SymbolStore, arrival: Arrival) -> list[Wish]:
    """The wish for the PDB of a program that came, unless the store has it.

    None for what came of an upstream only because that is followed: if its PDB is to come, it is in the list there.
    """
    if arrival.want.ask.wants is not Wants.CODE or asked_only_of(arrival.want.who) is not None:
        return []
    who = f"program:{arrival.whole.name}"
    return [Wish(ask, who=who, path=arrival.want.path) for ask in _asks(arrival) if not store.find(ask)]


def _asks(arrival: Arrival) -> list[Ask]:
    try:
        identities = identify_path(arrival.path, arrival.whole.name)
    except (NotIdentified, BadName, OSError):
        return []
    found = []
    for one in identities:
        if one.format != "pe" or not one.debug_file or not one.debug_id:
            continue
        ids = tuple(also for also in one.also if also.kind == DEBUG)
        try:
            found.append(Ask(Wants.DEBUG, ids, checked_name(base_name(one.debug_file))))
        except BadName:
            continue
    return [ask for ask in found if ask.ids]
