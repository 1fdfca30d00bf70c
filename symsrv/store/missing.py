"""The missing list: the wants of the state, chosen by what a person or a script asks for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from itertools import islice
from typing import TYPE_CHECKING

from symsrv.model.ask import Wants
from symsrv.model.errors import UsageError
from symsrv.model.names import fold
from symsrv.model.wants import Want, WantState
from symsrv.options import seconds

if TYPE_CHECKING:
    from symsrv.ledger.state import State

NOT_HERE = tuple(one for one in WantState if one is not WantState.ANSWERED)
KINDS = (Wants.CODE, Wants.DEBUG, Wants.SYM)
PAGE = 500
_WILD = "*?["


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which wants: in one of the states, of one of the kinds (none: of any), with a name that a glob matches, wished by
    somebody whose word begins so (`dump:`), and asked for since.
    """

    states: Sequence[WantState] = NOT_HERE
    kinds: Sequence[Wants] = ()
    name: str = ""
    who: str = ""
    since: datetime | None = None

    def takes(self, want: Want) -> bool:
        """Whether a want of these states and askers is one of them."""
        if self.kinds and want.ask.wants not in self.kinds:
            return False
        if self.since is not None and want.last < self.since:
            return False
        return not self.name or fnmatchcase(fold(want.ask.name or ""), fold(self.name))

    @property
    def text(self) -> str:
        """The longest part of the glob that stands in every name it matches; only that is asked of the database."""
        parts = [""]
        within = False
        for letter in self.name:
            if letter in _WILD or within:
                within = (within or letter == "[") and letter != "]"
                parts.append("")
            else:
                parts[-1] += letter
        return max(parts, key=len)


def listed(state: "State", chosen: Chosen, *, limit: int | None = None, after: int | None = None) -> Iterator[Want]:
    """The wants that are chosen, most wanted first; `after` is the number of the last of the page before."""
    return islice(_all(state, chosen, after=after), limit)


def _all(state: "State", chosen: Chosen, *, after: int | None) -> Iterator[Want]:
    last: Want | int | None = after
    while page := state.wants.list(states=chosen.states, text=chosen.text, who=chosen.who, limit=PAGE, after=last):
        yield from filter(chosen.takes, page)
        last = page[-1]
        if len(page) < PAGE:
            return


def since(text: str, *, now: datetime | None = None) -> datetime:
    """`2026-11-28`, `2026-11-28T10:00` (UTC unless it says otherwise) or `7d` ago as a time; raises UsageError."""
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=found.tzinfo or UTC)
    except ValueError:
        pass
    try:
        return (now or datetime.now(UTC)) - timedelta(seconds=float(str(seconds(text))))
    except (ValueError, OverflowError):
        raise UsageError(f"{text!r} is no time; write 2026-11-28, 2026-11-28T10:00 or 7d") from None
