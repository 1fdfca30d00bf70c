"""Wants, and upstreams that answer from memory, for tests of the puller."""

from datetime import UTC, datetime

from symsrv.model.ask import Ask, Wants
from symsrv.model.ids import SymbolId
from symsrv.model.wants import Want, WantState

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


def want(number: int = 1, *, name: str | None = "a.pdb", **more: object) -> Want:
    """A want for a PDB whose id is made of its number."""
    ask = Ask(Wants.DEBUG, (SymbolId("debug", f"{number:032x}1"),), name)
    values = {"state": WantState.CLAIMED, "count": 1, "first": NOW, "last": NOW} | more
    return Want(number, ask, **values)
