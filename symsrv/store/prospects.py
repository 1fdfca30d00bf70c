"""Prospects: what is done about a file that is not here, as far as the state knows.

Reason words are promises: added to, never renamed. `docs/reasons.md` lists them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from symsrv.model.ask import Ask
from symsrv.model.names import fold
from symsrv.model.wants import Want, WantState, want_key

if TYPE_CHECKING:
    from symsrv.ledger.state import Attempt, Listed, Rest, State

TRIES_SHOWN = 20

Refusals = Mapping[str, tuple[str, str] | None]
"""For each upstream that is switched on: the word and the sentence why it is not asked for a name, None if it is."""
Refuse = Callable[[Ask], Refusals]


class Prospect(StrEnum):
    """What is done about it."""

    NEVER_WANTED = "never-wanted"
    WANTED = "wanted"
    FETCHING = "fetching"
    RESTING = "resting"
    SKIPLIST = "skiplist"
    BLOCKED = "blocked"
    NOT_ALLOWED = "not-allowed"
    ANSWERED = "answered"


SENTENCES: dict[Prospect, tuple[str, str]] = {
    Prospect.NEVER_WANTED: ("nobody asked for it before", ""),
    Prospect.WANTED: ("it is on the missing list", "'symsrv pull --missing' asks the connected servers for it"),
    Prospect.FETCHING: ("it is being fetched just now", "ask again"),
    Prospect.RESTING: (
        "no connected server had it; they are asked again later",
        "'symsrv missing --retry' asks them at once; or connect another one with 'symsrv upstream add'",
    ),
    Prospect.SKIPLIST: (
        "it is on the skiplist: no connected server had it, however often they were asked",
        "'symsrv missing --retry' takes it off; or connect another server with 'symsrv upstream add'",
    ),
    Prospect.BLOCKED: ("its name is on the block list", "'symsrv block remove' takes it off"),
    Prospect.NOT_ALLOWED: ("its name is on no allow list", "'symsrv allow add' puts it there"),
    Prospect.ANSWERED: ("it was wanted, and was published since", ""),
}
"""For each what is so, and what would change it."""

_OF_STATES = {
    WantState.OPEN: Prospect.WANTED,
    WantState.CLAIMED: Prospect.FETCHING,
    WantState.RESTING: Prospect.RESTING,
    WantState.GIVEN_UP: Prospect.SKIPLIST,
    WantState.ANSWERED: Prospect.ANSWERED,
}
_OF_REASONS = {"blocked": Prospect.BLOCKED, "not-allowed": Prospect.NOT_ALLOWED}


@dataclass(frozen=True, slots=True)
class Prospects:
    """The want itself, the list entries that name it, what upstreams are known not to have it, the last tries.

    `refusals` are the upstreams that are not asked for such a name at all, as name, word and sentence.
    """

    reason: Prospect
    want: Want | None = None
    lists: "tuple[Listed, ...]" = ()
    rests: "tuple[Rest, ...]" = ()
    tries: "tuple[Attempt, ...]" = ()
    refusals: tuple[tuple[str, str, str], ...] = ()

    @property
    def sentence(self) -> str:
        """What is so."""
        return SENTENCES[self.reason][0]

    @property
    def mend(self) -> str:
        """What would change it; empty if nothing has to."""
        return SENTENCES[self.reason][1]

    def to_record(self) -> dict[str, Any]:
        """All of it, as JSON has it."""
        return {
            **self.to_short_record(),
            "want": None if self.want is None else self.want.to_record(),
            "lists": [_list_record(one) for one in self.lists],
            "rests": [_rest_record(one) for one in self.rests],
            "tries": [one.to_record() for one in self.tries],
            "refusals": [dict(zip(("upstream", "reason", "sentence"), one, strict=True)) for one in self.refusals],
        }

    def to_short_record(self) -> dict[str, Any]:
        """Without names, servers and numbers, for anybody."""
        return {"reason": self.reason.value, "sentence": self.sentence, "mend": self.mend}


def prospects(state: "State", ask: Ask, refuse: Refuse = lambda _ask: {}) -> Prospects:
    """What is done about the file that is asked for; raises LedgerError."""
    key = want_key(ask)
    want = state.wants.at(ask)
    listed = tuple(entry for entry in _entries(state) if matches(entry.pattern, ask.name))
    refusals = refuse(ask)
    return Prospects(
        _reason(want, listed, refusals),
        want,
        listed,
        rests=tuple(state.rests.of(key)),
        tries=tuple(state.attempts.list(key=key, limit=TRIES_SHOWN)),
        refusals=tuple((name, *why) for name, why in refusals.items() if why is not None),
    )


def hopeless(state: "State", ask: Ask, refuse: Refuse = lambda _ask: {}) -> Prospect | None:
    """Why no upstream is asked for such a name, None if one may be; raises LedgerError."""
    listed = [entry for entry in _entries(state) if matches(entry.pattern, ask.name)]
    return _listed_everywhere(listed) or _refused_everywhere(refuse(ask))


def matches(pattern: str, name: str | None) -> bool:
    """Whether a glob of a list names a file; what has no name, only `*` does."""
    return pattern == "*" if name is None else fnmatchcase(fold(name), fold(pattern))


def _entries(state: "State") -> Sequence["Listed"]:
    from symsrv.ledger.state import Which

    return [one for which in (Which.BLOCK, Which.SKIP) for one in state.lists.entries(which, limit=None)]


def _blocks_all(entry: "Listed") -> bool:
    return entry.which == "block" and entry.upstream is None


def _skips_all(entry: "Listed") -> bool:
    return entry.which == "skip" and entry.upstream is None


def _reason(want: Want | None, listed: Sequence["Listed"], refusals: Refusals) -> Prospect:
    if want is not None and want.state in (WantState.ANSWERED, WantState.CLAIMED):
        return _OF_STATES[want.state]
    everywhere = _listed_everywhere(listed) or _refused_everywhere(refusals)
    if everywhere is not None:
        return everywhere
    if want is None:
        return Prospect.NEVER_WANTED
    return _OF_REASONS.get(want.reason or "", _OF_STATES[want.state])


def _listed_everywhere(listed: Sequence["Listed"]) -> Prospect | None:
    if any(map(_blocks_all, listed)):
        return Prospect.BLOCKED
    return Prospect.SKIPLIST if any(map(_skips_all, listed)) else None


def _refused_everywhere(refusals: Refusals) -> Prospect | None:
    """What keeps all of them from being asked. Of none it is not said: a puller elsewhere may know others."""
    if not refusals or None in refusals.values():
        return None
    words = {why[0] for why in refusals.values() if why is not None}
    return next((one for one in (Prospect.BLOCKED, Prospect.SKIPLIST) if one in words), Prospect.NOT_ALLOWED)


def _list_record(entry: "Listed") -> dict[str, Any]:
    return {
        "list": entry.which.value,
        "upstream": entry.upstream,
        "pattern": entry.pattern,
        "reason": entry.reason,
        "who": entry.who,
        "created": entry.created.isoformat(),
        "expires": None if entry.expires is None else entry.expires.isoformat(),
    }


def _rest_record(rest: "Rest") -> dict[str, Any]:
    return {
        "upstream": rest.upstream,
        "reason": rest.reason,
        "answer": rest.answer,
        "at": None if rest.at is None else rest.at.isoformat(),
        "until": None if rest.until is None else rest.until.isoformat(),
        "rounds": rest.rounds,
        "skiplist": rest.skip,
    }
