"""Reading wants out of their rows."""

import json
from typing import Any

from symsrv.ledger.state.base import maybe_moment, maybe_original, moment
from symsrv.model.ask import Ask, Wants
from symsrv.model.wants import Want, WantState, ids_from_record


def want_of(row: Any) -> Want:
    """A want out of its row."""
    state = WantState(row.state)
    until = maybe_moment(row.until)
    return Want(
        id=row.id,
        ask=Ask(Wants(row.wants), ids_from_record(json.loads(row.ids)), maybe_original(row.name)),
        state=state,
        count=row.count,
        first=moment(row.first),
        last=moment(row.last),
        who=tuple(json.loads(row.who)),
        path=maybe_original(row.path),
        version=maybe_original(row.version),
        urgent=bool(row.urgent),
        waiting=row.waiting,
        rounds=row.rounds,
        reason=row.reason,
        due=until if state is WantState.RESTING else None,
        worker=maybe_original(row.worker),
        answered=maybe_moment(row.answered),
    )


def place_of(row: Any) -> tuple[int, ...]:
    """Where a want stands in the queue, the greatest first; as `tables.ORDER`."""
    return (row.urgent, row.waiting, row.count, row.last, row.id)
