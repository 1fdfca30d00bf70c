"""Outcomes: what came of asking each upstream for a file, and what follows for the want when none had it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from symsrv.ledger.state import Rest
from symsrv.mirror.settings import MirrorOptions, UpstreamOptions
from symsrv.model.wants import Want, want_key

LONGEST_REST = timedelta(days=7)
_LATER_SECONDS = 300.0
"""When an upstream that could not answer is asked again, if neither it nor its breaker says."""
_SAYING_LITTLE = ("absent", "resting", "skiplist")
_SOONEST_SECONDS = 1.0
"""No want comes again sooner, whatever is configured: a miss_ttl of 0 is no loop."""


class End(StrEnum):
    """How asking one upstream for one file ended.

    GOOD: it gave the file. MISS: it has none, or not this one. LATER: it could not be asked, or could not answer now.
    LEFT_OUT: it is never asked for this file.
    """

    GOOD = "good"
    MISS = "miss"
    LATER = "later"
    LEFT_OUT = "left-out"


class NotAsked(StrEnum):
    """Why an upstream was not asked for a file. Tools read these words: add to them, never rename one."""

    RESTING = "resting"
    SKIPLIST = "skiplist"
    BLOCKED = "blocked"
    NOT_ALLOWED = "not-allowed"
    OTHER_TAG = "other-tag"
    NOT_FOLLOWED = "not-followed"
    NO_PATH = "no-path"
    WINDOW = "window"
    BUDGET = "budget"
    LOW_DISK = "low-disk"
    BREAKER = "breaker"
    CLAIMED = "claimed"
    NOT_PLANNED = "not-planned"
    NO_UPSTREAM = "no-upstream"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one upstream. `until` is when it may be asked again, where that is known.

    `asked`: a request was made. `rest` is what was remembered of it before.
    """

    options: UpstreamOptions
    end: End
    reason: str
    sentence: str
    until: datetime | None = None
    asked: bool = False
    rest: Rest | None = None


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What follows when no upstream had the file: when it is tried again (None: not by itself), and what rests."""

    reason: str
    sentence: str
    due: datetime | None
    rounds: int
    rests: tuple[Rest, ...] = ()


def conclude(want: Want, outcomes: Sequence[Outcome], *, options: MirrorOptions, now: datetime) -> Conclusion:
    """What follows from a round in which nobody had the file.

    A round counts if every upstream that is ever asked for the file has said no, now or lately. If one could not be
    asked, it does not, and is done again as soon as that may have changed.
    """
    later = [one for one in outcomes if one.end is End.LATER]
    rounds = want.rounds if later else want.rounds + 1
    skip = not later and rounds >= options.rounds
    skipped = _skipped(rounds, options=options, now=now)
    misses = [one for one in outcomes if one.end is End.MISS]
    rests = tuple(_rest(want, one, skip=skip, skipped=skipped, now=now) for one in misses if one.asked)
    if later:
        due: datetime | None = min(one.until or now + timedelta(seconds=_LATER_SECONDS) for one in later)
    elif skip:
        due = skipped
    else:
        ends = [one.until for one in rests] + [one.until for one in misses if not one.asked]
        due = min((one for one in ends if one is not None), default=now + _doubled(_shortest(outcomes), rounds))
    soonest = now + timedelta(seconds=_SOONEST_SECONDS)
    told = _telling(outcomes)
    sentence = "no upstream is connected" if told is None else f"{told.options.name}: {told.sentence}"
    reason = NotAsked.NO_UPSTREAM if told is None else told.reason
    return Conclusion(reason, sentence, None if due is None else max(due, soonest), rounds, rests)


def _telling(outcomes: Sequence[Outcome]) -> Outcome | None:
    """What says most: what stood in the way, then what was wrong with what came, then that it is not there."""
    for end in (End.LATER, End.MISS, End.LEFT_OUT):
        ended = [one for one in outcomes if one.end is end]
        if ended:
            return next((one for one in ended if one.reason not in _SAYING_LITTLE), ended[0])
    return None


def _rest(want: Want, outcome: Outcome, *, skip: bool, skipped: datetime | None, now: datetime) -> Rest:
    count = (outcome.rest.rounds if outcome.rest is not None else 0) + 1
    until = skipped if skip else now + _doubled(outcome.options.miss_ttl, count)
    return Rest(
        outcome.options.name,
        want_key(want.ask),
        until,
        outcome.reason,
        rounds=count,
        skip=skip,
        answer=outcome.sentence,
        name=want.ask.name or "",
    )


def _skipped(rounds: int, *, options: MirrorOptions, now: datetime) -> datetime | None:
    if options.skip_for == "never":
        return None
    return now + _doubled(options.skip_for, rounds - options.rounds + 1)


def _doubled(seconds: float, count: int) -> timedelta:
    """A time that doubles with each miss after the first, up to a week."""
    return min(LONGEST_REST, timedelta(seconds=seconds * 2.0 ** min(max(count, 1) - 1, 20)))


def _shortest(outcomes: Sequence[Outcome]) -> float:
    return min((one.options.miss_ttl for one in outcomes), default=3600.0)
