"""Converting on arrival: what came may be what text symbols are waiting for, or be converted without being asked.

Arrivals are read from the state's events by a cursor of our own. `convert.py` then does the work, as for any want.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from symsrv.mirror import material
from symsrv.mirror.convert import MAKES, WHO
from symsrv.mirror.converters import CONVERTERS
from symsrv.mirror.forms.base import ARRIVED
from symsrv.mirror.originals import let_go
from symsrv.mirror.settings import UpstreamOptions
from symsrv.model.ask import Wants
from symsrv.model.identity import SYM, Identity
from symsrv.model.ids import SymbolId
from symsrv.model.wants import Want, WantState, Wish

if TYPE_CHECKING:
    from symsrv.ledger.state import Event, State
    from symsrv.store import SymbolStore

AT_ONCE = 100
_MARK = "converting"
_ASLEEP = (WantState.RESTING, WantState.GIVEN_UP)


@dataclass(frozen=True, slots=True)
class _Cursor:
    """Up to which event arrivals were read; and wants that were being worked on when what they wait for arrived."""

    read: int = 0
    again: tuple[int, ...] = ()

    @classmethod
    def of(cls, text: str) -> "_Cursor | None":
        try:
            record = json.loads(text) if text else None
            return None if record is None else cls(int(record["read"]), tuple(map(int, record["again"])))
        except (ValueError, KeyError, TypeError):
            return None

    def __str__(self) -> str:
        return json.dumps({"read": self.read, "again": list(self.again)})


def converts(upstreams: Iterable[UpstreamOptions]) -> list[UpstreamOptions]:
    """Those of some upstreams that are converters, and switched on."""
    return [one for one in upstreams if one.enabled and one.kind == "convert"]


def notice(store: "SymbolStore", state: "State", upstreams: Iterable[UpstreamOptions]) -> list[int]:
    """Looks at what arrived since the last time; wakes the wants that it may answer, files those that it calls for.

    `upstreams` are all that are connected: of some, files that were only fetched to be converted are not kept. Returns
    the numbers of those wants. Without a converter nothing happens, and what arrives meanwhile is
    looked at when there is one. Idempotent: two processes that do it at the same time do it once.
    """
    upstreams = list(upstreams)
    able = converts(upstreams)
    if not able:
        return []
    text = state.marks.text(_MARK)
    cursor = _Cursor.of(text)
    if cursor is None:
        state.marks.move(_MARK, str(_Cursor(state.events.last())), from_value=text or None)
        return []
    names = [one.name for one in able]
    found: list[int] = []
    while True:
        events = state.events.after(cursor.read, AT_ONCE, kind=ARRIVED)
        arrived = _arrived(store, events)
        let_go(store, state, arrived, upstreams)
        waiting = _waiting(state, arrived, cursor.again)
        busy = tuple(one.id for one in waiting if one.state is WantState.CLAIMED)
        after = _Cursor(events[-1].id if events else cursor.read, busy)
        if after == cursor:
            return found
        step = partial(
            _step,
            state,
            (str(cursor), str(after)),
            wishes=_wishes(store, arrived) if any(one.on_arrival for one in able) else [],
            asleep=[one.id for one in waiting if one.state in _ASLEEP],
            names=names,
        )
        if (done := state.transaction(step)) is None:
            return found
        found += done
        cursor = after


def _step(
    state: "State", cursors: tuple[str, str], *, wishes: Sequence[Wish], asleep: Sequence[int], names: Sequence[str]
) -> list[int] | None:
    """The wants that were filed or woken, in one transaction with the cursor; None if somebody else moved that."""
    before, after = cursors
    if not state.marks.move(_MARK, after, from_value=before):
        return None
    state.wants.wake(numbers=asleep, upstreams=names)
    return [*state.wants.file(wishes), *asleep]


def _arrived(store: "SymbolStore", events: "Sequence[Event]") -> list[Identity]:
    homes = dict.fromkeys(str(one.data.get("home", "")) for one in events)
    files = [file for home in homes if (file := store.index.at(home)) is not None]
    return [one for file in files for one in file.identities]


def _waiting(state: "State", arrived: Iterable[Identity], again: Sequence[int]) -> list[Want]:
    """The text symbols that wait for what arrived, or that were being worked on when something did."""
    ids = [one for identity in arrived if identity.role != SYM for one in material.sym_ids(identity)]
    found = {one.id: one for one in state.wants.of_ids(ids, kind=Wants.SYM, states=(*_ASLEEP, WantState.CLAIMED))}
    for number in again:
        if number not in found and (one := state.wants.get(number)) is not None:
            found[number] = one
    return list(found.values())


def _wishes(store: "SymbolStore", arrived: Iterable[Identity]) -> list[Wish]:
    """Text symbols that can be made now, and are not here."""
    found: dict[tuple[SymbolId, ...], Wish] = {}
    for identity in arrived:
        made = material.of_arrival(store, identity, _taken)
        if made is not None and not store.find(made.ask):
            found[made.ask.ids] = Wish(made.ask, who=WHO)
    return list(found.values())


def _taken(identity: Identity) -> bool:
    return any(one.takes(identity) for one in CONVERTERS if one.makes == MAKES)
