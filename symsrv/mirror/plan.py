"""The plan: each request that would be made, and each that would not with the reason; nobody is asked for it.

A plan is JSON lines, one for a request or for an upstream that is not asked. Carried out, only requests that it lists
are made: of those for one file, in their order, as many as it takes to get it. What a `file.ptr` that it lists leads
to, below the same URL, belongs to that request, and so does where a server redirects it.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from symsrv.ledger.state import Rest
from symsrv.mirror.base import Try
from symsrv.mirror.chances import Chance, Connected, chances, groups
from symsrv.mirror.outcomes import End, NotAsked, Outcome
from symsrv.mirror.settings import UpstreamOptions
from symsrv.model.ask import Ask, Wants
from symsrv.model.errors import BadName, UsageError
from symsrv.model.names import checked_name
from symsrv.model.wants import Want, WantState, ids_from_record, ids_to_record, want_key

FORMAT = 1
HERE = "here"
_ASK, _SKIP = "ask", "skip"


@dataclass(frozen=True, slots=True)
class Step:
    """One line: a request, or why there is none, of one upstream or (`upstream` None) of any.

    `turn` counts the groups of upstreams that are asked one after the other, from 1.
    """

    want: Want
    upstream: str | None = None
    request: Try | None = None
    turn: int = 0
    reason: str | None = None
    sentence: str | None = None
    until: datetime | None = None

    def to_record(self) -> dict[str, Any]:
        """The line; fields may be added, never renamed."""
        ask, one = self.want.ask, self.request
        record: dict[str, Any] = {
            "plan": FORMAT,
            "do": _SKIP if one is None else _ASK,
            "name": ask.name,
            "id": ask.ids[0].value,
            "kind": ask.wants.value,
            "ids": ids_to_record(ask.ids),
            "upstream": self.upstream,
        }
        if one is None:
            until = None if self.until is None else self.until.isoformat()
            return record | {"reason": self.reason, "why": self.sentence, "until": until}
        return record | {
            "turn": self.turn,
            "address": one.address,
            "path": one.path,
            "packed": one.packed,
            "pointer": one.pointer,
        }

    def __str__(self) -> str:
        if self.request is not None:
            return f"ask      {self.upstream}  {self.request.address}"
        whose = "" if self.upstream is None else f"{self.upstream}: "
        return f"skip     {self.want.ask.name or self.want.ask.ids[0].value}  {whose}{self.sentence} ({self.reason})"


def steps(
    want: Want,
    connected: Sequence[Connected],
    rests: Mapping[str, Rest],
    *,
    shut: Callable[[UpstreamOptions], Outcome | None],
    race: bool,
    now: datetime,
) -> Iterator[Step]:
    """The lines of one want. `shut` says why an upstream cannot be asked at this hour."""
    if want.state in (WantState.RESTING, WantState.GIVEN_UP) and (want.due is None or want.due > now):
        reason = NotAsked.RESTING if want.due else NotAsked.SKIPLIST
        yield Step(want, reason=reason, sentence=f"it rests ({want.reason})", until=want.due)
        return
    if not connected:
        yield Step(want, reason=NotAsked.NO_UPSTREAM, sentence="no upstream is connected")
    chosen = [
        one if one.outcome or (why := shut(one.options)) is None else replace(one, outcome=why)
        for one in chances(want, connected, rests, now=now)
    ]
    for turn, group in enumerate(groups((one for one in chosen if one.outcome is None), race=race), 1):
        for one in group:
            for request in one.tries:
                yield Step(want, one.options.name, request, turn)
    for one in chosen:
        if (end := one.outcome) is not None:
            yield Step(want, one.options.name, reason=end.reason, sentence=end.sentence, until=end.until)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a plan allows: the paths of each want at each upstream."""

    asks: tuple[Ask, ...]
    paths: Mapping[tuple[str, str], frozenset[str]]

    def __call__(self, want: Want, chosen: Sequence[Chance]) -> list[Chance]:
        """The chances of a want, with what the plan does not list taken away."""
        return [self._limited(want_key(want.ask), one) for one in chosen]

    def _limited(self, key: str, one: Chance) -> Chance:
        if one.outcome is not None:
            return one
        allowed = self.paths.get((key, one.options.name), frozenset())
        tries = tuple(request for request in one.tries if request.path in allowed)
        if tries:
            return replace(one, tries=tries)
        why = "the plan lists no request of it for this file"
        return replace(one, tries=(), outcome=Outcome(one.options, End.LEFT_OUT, NotAsked.NOT_PLANNED, why))


def read_plan(lines: Iterable[str], *, origin: str) -> Plan:
    """The plan that a file has; raises UsageError, naming the line, for what is none."""
    asks: dict[str, Ask] = {}
    paths: dict[tuple[str, str], set[str]] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            if record["plan"] != FORMAT:
                raise UsageError(f"{origin}:{number}: a plan of format {record['plan']}; this symsrv knows {FORMAT}")
            if record["do"] != _ASK:
                continue
            name = None if record["name"] is None else checked_name(record["name"])
            ask = Ask(Wants(record["kind"]), ids_from_record(record["ids"]), name)
            place = (want_key(ask), str(record["upstream"]))
            path = str(record["path"])
        except (ValueError, KeyError, TypeError, IndexError, BadName) as error:
            raise UsageError(f"{origin}:{number}: this is no line of a plan ({error})") from error
        asks.setdefault(place[0], ask)
        paths.setdefault(place, set()).add(path)
    return Plan(tuple(asks.values()), {place: frozenset(found) for place, found in paths.items()})
