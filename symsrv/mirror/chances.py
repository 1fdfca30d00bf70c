"""Chances: which upstreams are asked for a want, by which requests, and why the others are not. Asks nobody."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from symsrv.ledger.state import Rest
from symsrv.mirror.base import Try, Upstream
from symsrv.mirror.filters import Filter
from symsrv.mirror.outcomes import End, NotAsked, Outcome
from symsrv.mirror.settings import UpstreamOptions
from symsrv.model.wants import Want, asked_only_of


@dataclass(frozen=True, slots=True)
class Connected:
    """An upstream that is switched on, and what people say of what it is asked for."""

    upstream: Upstream
    filter: Filter

    @property
    def options(self) -> UpstreamOptions:
        """What is said of it."""
        return self.upstream.options


@dataclass(frozen=True, slots=True)
class Chance:
    """One upstream for one want: the requests that may bring it, or the outcome without any."""

    upstream: Upstream
    tries: tuple[Try, ...] = ()
    outcome: Outcome | None = None
    rest: Rest | None = None

    @property
    def options(self) -> UpstreamOptions:
        """What is said of the upstream."""
        return self.upstream.options


def chances(want: Want, connected: Sequence[Connected], rests: Mapping[str, Rest], *, now: datetime) -> list[Chance]:
    """One for each upstream, in their order. `rests` are what is remembered of the file, over or not, by upstream."""
    return [_chance(want, one, rests.get(one.options.name), now=now) for one in connected]


def groups(chosen: Iterable[Chance], *, race: bool) -> list[list[Chance]]:
    """Those that are asked at the same time, the first ones first."""
    found: dict[int, list[Chance]] = {}
    for one in chosen:
        found.setdefault(0 if race else one.options.order, []).append(one)
    return [found[order] for order in sorted(found)]


def _chance(want: Want, one: Connected, rest: Rest | None, *, now: datetime) -> Chance:
    why = _left_out(want, one)
    if why is not None:
        return Chance(one.upstream, outcome=Outcome(one.options, End.LEFT_OUT, *why), rest=rest)
    if rest is not None and (rest.until is None or rest.until > now):
        reason = NotAsked.SKIPLIST if rest.skip else NotAsked.RESTING
        outcome = Outcome(one.options, End.MISS, reason, _remembered(rest), rest.until, rest=rest)
        return Chance(one.upstream, outcome=outcome, rest=rest)
    tries = tuple(one.upstream.tries(want.ask))
    if not tries:
        outcome = Outcome(one.options, End.LEFT_OUT, NotAsked.NO_PATH, "none of its layouts has a path for such a file")
        return Chance(one.upstream, outcome=outcome, rest=rest)
    return Chance(one.upstream, tries, rest=rest)


def _left_out(want: Want, one: Connected) -> tuple[NotAsked, str] | None:
    only = asked_only_of(want.who)
    if only is not None and one.options.name not in only:
        return NotAsked.NOT_FOLLOWED, "the file is wanted only of the upstream that is followed"
    if one.options.tags and not _tagged(want, one.options.tags):
        return NotAsked.OTHER_TAG, f"it is asked only for what {', '.join(one.options.tags)} wants"
    return one.filter.refuse(want.ask)


def _tagged(want: Want, tags: Iterable[str]) -> bool:
    """Whether one of its askers is of one of the tags: `serve`, `dump` (`dump:crash.dmp`), `dump:crash.dmp`."""
    return any(who == tag or who.startswith(f"{tag}:") for who in want.who for tag in tags)


def _remembered(rest: Rest) -> str:
    when = "" if rest.at is None else f" on {rest.at:%Y-%m-%d %H:%M} UTC"
    until = "until somebody clears it" if rest.until is None else f"until {rest.until:%Y-%m-%d %H:%M} UTC"
    return f"it said{when}: {rest.answer or rest.reason}; it is not asked again {until}"
