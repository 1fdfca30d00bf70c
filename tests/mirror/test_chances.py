"""Chances: who is asked by which requests, and why the others are not; nobody is asked."""

from datetime import timedelta

import pytest

from symsrv.ledger.state import Rest
from symsrv.mirror.chances import Connected, chances, groups
from symsrv.mirror.filters import Filter
from symsrv.mirror.outcomes import End
from symsrv.mirror.settings import UpstreamOptions
from symsrv.mirror.spellings import tries
from symsrv.model.wants import want_key
from tests.mirror.wanting import NOW, want

HOUR = timedelta(hours=1)


class Spelled:
    """An upstream of which only the spellings are asked."""

    def __init__(self, **options):
        self.options = UpstreamOptions(**{"name": "a", "url": "https://there/symbols"} | options)

    def tries(self, ask):
        return tries(ask, self.options)


def connected(**options) -> Connected:
    upstream = Spelled(**options)
    return Connected(upstream, Filter(upstream.options))


def one_of(its, wanted=None, **rests):
    return chances(wanted or want(), [its], rests, now=NOW)[0]


def rest(until, *, skip=False):
    return Rest("a", want_key(want().ask), until, "absent", skip=skip, answer="it has no such file", at=NOW - HOUR)


def test_a_chance_has_its_requests():
    chance = one_of(connected())

    assert chance.outcome is None
    assert next(one.packed for one in chance.tries) is False
    assert any(one.packed for one in chance.tries)
    assert all(one.address.startswith("https://there/symbols/a.pdb/") for one in chance.tries)


@pytest.mark.parametrize(("skip", "reason"), [(False, "resting"), (True, "skiplist")])
def test_what_it_lately_had_not_is_not_asked_for(skip, reason):
    chance = one_of(connected(), a=rest(NOW + HOUR, skip=skip))

    assert (chance.tries, chance.outcome.end, chance.outcome.reason) == ((), End.MISS, reason)
    assert chance.outcome.until == NOW + HOUR
    assert "it has no such file" in chance.outcome.sentence
    assert "2026-03-10 13:00" in chance.outcome.sentence


def test_a_rest_for_good_has_no_end():
    chance = one_of(connected(), a=rest(None, skip=True))

    assert (chance.outcome.reason, chance.outcome.until) == ("skiplist", None)
    assert "until somebody clears it" in chance.outcome.sentence


def test_a_rest_that_is_over_is_remembered_for_the_next():
    chance = one_of(connected(), a=rest(NOW - HOUR))

    assert chance.tries
    assert chance.rest == rest(NOW - HOUR)


@pytest.mark.parametrize(
    ("options", "more", "reason"),
    [
        ({"block": [{"name": "a.*"}]}, {}, "blocked"),
        ({"use_allow": True}, {}, "not-allowed"),
        ({"layouts": ["debuginfod"]}, {}, "no-path"),
        ({"tags": ["release"]}, {"who": ("serve", "dump:a.dmp")}, "other-tag"),
        ({}, {"who": ("tail:other",)}, "not-followed"),
    ],
)
def test_who_is_never_asked_says_why(options, more, reason):
    chance = one_of(connected(**options), want(**more))

    assert (chance.tries, chance.outcome.end, chance.outcome.reason) == ((), End.LEFT_OUT, reason)
    assert chance.outcome.sentence


@pytest.mark.parametrize(
    ("options", "more"),
    [
        ({"tags": ["release", "dump"]}, {"who": ("serve", "dump:a.dmp")}),
        ({"tags": ["dump:a.dmp"]}, {"who": ("dump:a.dmp",)}),
        ({}, {"who": ("tail:a",)}),
        ({}, {"who": ("tail:other", "serve")}),
    ],
)
def test_who_is_asked_for_some_only_is_asked_for_those(options, more):
    assert one_of(connected(**options), want(**more)).tries


def test_equal_orders_are_asked_together_and_a_race_asks_all():
    chosen = chances(
        want(), [connected(name=name, order=order) for name, order in (("c", 2), ("a", 1), ("b", 2))], {}, now=NOW
    )

    def named(race):
        return [[one.options.name for one in group] for group in groups(chosen, race=race)]

    assert named(race=False) == [["a"], ["c", "b"]]
    assert named(race=True) == [["c", "a", "b"]]
