"""Outcomes: what rests, for how long, and when a want is tried again."""

from datetime import timedelta

import pytest

from symsrv.ledger.state import Rest
from symsrv.mirror.outcomes import LONGEST_REST, End, Outcome, conclude
from symsrv.mirror.settings import MirrorOptions, UpstreamOptions
from symsrv.model.wants import want_key
from tests.mirror.wanting import NOW, want

A = UpstreamOptions(name="a", miss_ttl="1h")
B = UpstreamOptions(name="b", miss_ttl="24h")
HOUR = timedelta(hours=1)
OPTIONS = MirrorOptions(rounds=3, skip_for="12h")


def absent(options=A, *, rest=None, reason="absent"):
    return Outcome(options, End.MISS, reason, "it has no such file", asked=True, rest=rest)


def resting(options, until, *, skip=False):
    return Outcome(options, End.MISS, "skiplist" if skip else "resting", "lately", until)


def later(options=A, *, until=None, reason="server-error"):
    return Outcome(options, End.LATER, reason, "it cannot answer now", until)


def left_out(options=A, reason="blocked"):
    return Outcome(options, End.LEFT_OUT, reason, "its name is on the block list")


def concluded(*outcomes, options=OPTIONS, **more):
    return conclude(want(**more), outcomes, options=options, now=NOW)


def test_a_miss_everywhere_rests_at_each_for_its_own_time():
    end = concluded(absent(A), absent(B))

    assert (end.reason, end.rounds, end.due) == ("absent", 1, NOW + HOUR)
    assert [(one.upstream, one.until, one.rounds, one.skip) for one in end.rests] == [
        ("a", NOW + HOUR, 1, False),
        ("b", NOW + 24 * HOUR, 1, False),
    ]
    assert end.rests[0].key == want_key(want().ask)
    assert (end.rests[0].answer, end.rests[0].name) == ("it has no such file", "a.pdb")


def test_a_miss_after_a_miss_rests_twice_as_long_up_to_a_week():
    def before(rounds):
        return Rest("a", "key", NOW - HOUR, "absent", rounds=rounds)

    assert concluded(absent(rest=before(1)), rounds=0).due == NOW + 2 * HOUR
    assert concluded(absent(rest=before(40)), rounds=0).due == NOW + LONGEST_REST


def test_after_so_many_rounds_it_is_on_the_skiplist_for_longer_each_time():
    ends = [concluded(absent(), rounds=before) for before in (1, 2, 3, 4, 9)]

    assert [end.rounds for end in ends] == [2, 3, 4, 5, 10]
    assert [end.rests[0].skip for end in ends] == [False, True, True, True, True]
    hours = [(end.due - NOW) / HOUR for end in ends]
    assert hours == [1, 12, 24, 48, 168]
    assert [end.rests[0].until for end in ends[1:]] == [end.due for end in ends[1:]]


def test_never_gives_it_up():
    end = concluded(absent(), rounds=2, options=MirrorOptions(rounds=3, skip_for="never"))

    assert end.due is None
    assert [(one.skip, one.until) for one in end.rests] == [(True, None)]


def test_what_could_not_be_asked_makes_the_round_not_count():
    end = concluded(absent(A), later(B, until=NOW + timedelta(seconds=90)), rounds=2)

    assert (end.reason, end.rounds) == ("server-error", 2)
    assert end.due == NOW + timedelta(seconds=90)
    assert [(one.upstream, one.skip) for one in end.rests] == [("a", False)]


def test_without_a_word_it_is_asked_again_in_five_minutes():
    assert concluded(later()).due == NOW + timedelta(minutes=5)


def test_the_soonest_of_several_counts():
    end = concluded(later(A, until=NOW + 9 * HOUR), later(B, until=NOW + HOUR))

    assert end.due == NOW + HOUR


def test_what_rests_already_is_waited_for_and_not_put_anew():
    end = concluded(resting(A, NOW + timedelta(minutes=10)), absent(B))

    assert end.due == NOW + timedelta(minutes=10)
    assert [one.upstream for one in end.rests] == ["b"]


def test_what_nobody_is_asked_for_comes_again_and_ends_on_the_skiplist():
    end = concluded(left_out())

    assert (end.reason, end.rests, end.due) == ("blocked", (), NOW + HOUR)
    assert concluded(left_out(), rounds=2).due == NOW + 12 * HOUR


@pytest.mark.parametrize(
    ("outcomes", "reason"),
    [
        ((absent(A), absent(B, reason="wrong-file")), "wrong-file"),
        ((left_out(A), absent(B)), "absent"),
        ((resting(A, NOW + HOUR), left_out(B)), "resting"),
        ((absent(A, reason="wrong-file"), later(B, reason="breaker")), "breaker"),
        ((), "no-upstream"),
    ],
)
def test_the_reason_is_the_word_that_says_most(outcomes, reason):
    assert concluded(*outcomes).reason == reason


def test_the_sentence_names_the_upstream():
    assert concluded(absent()).sentence == "a: it has no such file"
    assert concluded().sentence == "no upstream is connected"


def test_no_want_comes_again_at_once():
    end = concluded(absent(UpstreamOptions(name="a", miss_ttl=0)))

    assert end.due == NOW + timedelta(seconds=1)
