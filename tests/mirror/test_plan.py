"""The plan: what it lists is what is asked, and it asks nobody."""

import json
from datetime import timedelta

import pytest

from symsrv.ledger.state import Rest
from symsrv.mirror.chances import chances
from symsrv.mirror.outcomes import End, NotAsked, Outcome
from symsrv.mirror.plan import Step, read_plan, steps
from symsrv.model.errors import UsageError
from symsrv.model.wants import WantState, want_key
from tests.mirror.test_chances import connected
from tests.mirror.wanting import NOW, want

HOUR = timedelta(hours=1)


def planned(*its, wanted=None, rests=None, shut=lambda _options: None, race=False) -> list[Step]:
    return list(steps(wanted or want(), its, rests or {}, shut=shut, race=race, now=NOW))


def words(found):
    return [(one.upstream, one.turn, one.reason) for one in found]


def test_each_request_is_a_line_in_the_order_in_which_it_is_made():
    found = planned(connected(name="b", order=2, packed=False), connected(name="a", order=1))

    assert [(one.upstream, one.turn, one.request.packed) for one in found] == [
        ("a", 1, False),
        ("a", 1, True),
        ("b", 2, False),
    ]
    assert str(found[0]) == f"ask      a  {found[0].request.address}"


def test_who_is_not_asked_has_a_line_with_the_reason():
    shut = Outcome(connected(name="c").options, End.LATER, NotAsked.BUDGET, "the day's bytes have come", NOW + HOUR)
    found = planned(
        connected(name="a", block=[{"name": "*", "reason": "ours"}]),
        connected(name="b"),
        connected(name="c"),
        rests={"b": Rest("b", want_key(want().ask), NOW + HOUR, "absent", answer="it has no such file")},
        shut=lambda options: shut if options.name == "c" else None,
    )

    assert words(found) == [("a", 0, "blocked"), ("b", 0, "resting"), ("c", 0, "budget")]
    assert "ours" in str(found[0])
    assert [one.until for one in found] == [None, NOW + HOUR, NOW + HOUR]


def test_a_want_that_rests_is_asked_of_nobody():
    resting = want(state=WantState.RESTING, due=NOW + HOUR, reason="absent")
    given_up = want(state=WantState.GIVEN_UP, reason="absent")

    assert words(planned(connected(), wanted=resting)) == [(None, 0, "resting")]
    assert words(planned(connected(), wanted=given_up)) == [(None, 0, "skiplist")]
    assert planned(connected(), wanted=want(state=WantState.RESTING, due=NOW - HOUR))[0].request


def test_without_upstreams_it_says_so():
    assert words(planned()) == [(None, 0, "no-upstream")]


def test_a_plan_read_again_allows_what_it_lists_and_nothing_else():
    its = [connected(name="a"), connected(name="b")]
    found = planned(*its)
    lines = [json.dumps(one.to_record()) for one in found if one.upstream == "a" and not one.request.packed]
    plan = read_plan(["", *lines, "\n"], origin="plan")

    limited = plan(want(), chances(want(), its, {}, now=NOW))

    assert plan.asks == (want().ask,)
    assert [one.path for one in limited[0].tries] == [found[0].request.path]
    assert (limited[1].tries, limited[1].outcome.reason) == ((), "not-planned")
    other = plan(want(2), chances(want(2), its, {}, now=NOW))
    assert [one.outcome.reason for one in other] == ["not-planned", "not-planned"]


def test_what_rests_meanwhile_goes_on_resting():
    its = [connected(name="a")]
    plan = read_plan([json.dumps(one.to_record()) for one in planned(*its)], origin="plan")
    rests = {"a": Rest("a", want_key(want().ask), NOW + HOUR, "absent")}

    [limited] = plan(want(), chances(want(), its, rests, now=NOW))

    assert limited.outcome.reason == "resting"


def test_lines_of_what_is_not_asked_allow_nothing():
    lines = [json.dumps(one.to_record()) for one in planned(connected(block=[{"name": "*"}]))]

    assert read_plan(lines, origin="plan").asks == ()


@pytest.mark.parametrize(
    "line",
    [
        "no json",
        "[]",
        "{}",
        '{"plan": 9, "do": "ask"}',
        json.dumps(Step(want()).to_record() | {"do": "ask"}),
        json.dumps(Step(want()).to_record() | {"do": "ask", "path": "x", "name": "../../etc/passwd"}),
        json.dumps(Step(want()).to_record() | {"do": "ask", "path": "x", "ids": []}),
        json.dumps(Step(want()).to_record() | {"do": "ask", "path": "x", "kind": "magic"}),
    ],
)
def test_what_is_no_plan_is_refused_with_its_line(line):
    with pytest.raises(UsageError, match=r"plan\.jsonl:2: "):
        read_plan(["", line], origin="plan.jsonl")
