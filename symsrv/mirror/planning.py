"""Planning: the lines of a plan for what is wished, and for what is missing; neither files nor asks anything."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from symsrv.ledger.state import State
from symsrv.mirror.chances import Connected
from symsrv.mirror.gates import Gates
from symsrv.mirror.plan import HERE, Step, steps
from symsrv.model.wants import Want, WantState, Wish, want_key, wanted
from symsrv.store import SymbolStore

_PAGE = 500
_WAITING = (WantState.OPEN, WantState.CLAIMED, WantState.RESTING, WantState.GIVEN_UP)


def planned(
    store: SymbolStore,
    state: State,
    connected: Sequence[Connected],
    *,
    wishes: Iterable[Wish],
    missing: bool,
    gates: Gates,
    race: bool,
) -> Iterator[Step]:
    """The lines for each wish, and with `missing` for all that waits, the most wanted first."""
    now = datetime.now(UTC)
    store.catch_up()
    seen: set[str] = set()
    for want in _wants(state, wishes, missing=missing, now=now):
        key = want_key(want.ask)
        if key in seen:
            continue
        seen.add(key)
        if found := store.find(want.ask):
            yield Step(want, reason=HERE, sentence=f"it is here: {found[0].home}")
            continue
        rests = {one.upstream: one for one in state.rests.of(key)}
        yield from steps(want, connected, rests, shut=lambda options: gates.foresee(options, now), race=race, now=now)


def _wants(state: State, wishes: Iterable[Wish], *, missing: bool, now: datetime) -> Iterator[Want]:
    for wish in wishes:
        ask = wanted(wish.ask)
        known = state.wants.at(ask)
        yield known or Want(0, ask, WantState.OPEN, wish.count, now, now, (wish.who,), wish.path, wish.version)
    last: Want | None = None
    while missing and (page := state.wants.list(states=_WAITING, limit=_PAGE, after=last)):
        last = page[-1]
        yield from page
