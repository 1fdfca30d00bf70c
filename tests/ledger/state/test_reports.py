from datetime import timedelta

from symsrv.layouts import home
from symsrv.ledger.state import Arrival
from symsrv.model.wants import WantState
from tests.ledger.samples import pdb
from tests.ledger.state.wishing import START, pdb_path, wish

AGES = {"a": 1, "b": 2, "c": 3}  # ids of their own: a file of another name would do for the same id
A, B, C = (wish(pdb_path(f"{name}.pdb", age)) for name, age in AGES.items())


def filed(state, *wishes, name="crash.dmp", origin="dumps", **data):
    return state.reports.file(name, wishes, origin=origin, data=data)


def arrived(state, *names):
    files = [pdb(f"{name}.pdb", AGES[name]) for name in names]
    return state.arrive([Arrival(home(one), (one,), 1) for one in files])


def give_up(state, number):
    state.wants.claim("w", 1, lease_seconds=60, only=[number])
    assert state.wants.rest(number, "w", reason="not-there", due=None, rounds=3)


def test_a_report_tells_what_it_waits_for(state):
    number = filed(state, A, B, B, crash="\0\udc80", lines=[1, 2])

    report = state.reports.get(number)

    assert (report.name, report.origin, report.data) == ("crash.dmp", "dumps", {"crash": "\0\udc80", "lines": [1, 2]})
    assert (report.created, report.completed, report.told) == (START, None, None)
    assert (report.wanted, report.answered, report.given_up) == (2, 0, 0)
    assert {want.ask.name: (want.count, want.waiting) for want in state.reports.wants(number)} == {
        "a.pdb": (1, 1),
        "b.pdb": (2, 1),
    }
    assert state.reports.get(number + 1) is None


def test_the_same_report_again_changes_nothing(state, clock):
    number = filed(state, A, B, first=True)
    clock.move(60)

    assert filed(state, B, A) == number
    assert filed(state, A, B, name="other.dmp") != number
    assert filed(state, A, B, origin="elsewhere") != number
    assert filed(state, A) != number

    report = state.reports.get(number)
    assert (report.data, report.created) == ({"first": True}, START)
    assert sorted((want.count, want.waiting) for want in state.wants.list()) == [(3, 3), (4, 4)]


def test_a_report_is_complete_when_the_last_of_its_wants_came_or_was_given_up(state, clock):
    number, other = filed(state, A, B), filed(state, A, C)
    arrived(state, "a")
    assert state.reports.complete() == []
    clock.move(5)

    (wanted_b,) = (want for want in state.wants.list() if want.ask.name == "b.pdb")
    give_up(state, wanted_b.id)

    (report,) = state.reports.complete()
    assert (report.id, report.completed) == (number, START + timedelta(seconds=5))
    assert (report.wanted, report.answered, report.given_up) == (2, 1, 1)
    clock.move(1)
    arrived(state, "c")
    assert [one.id for one in state.reports.complete()] == [number, other]
    assert [one.id for one in state.reports.complete(limit=1)] == [number]


def test_a_report_that_wants_nothing_is_complete_at_once(state):
    assert [one.id for one in state.reports.complete()] == []
    number = filed(state)

    assert [one.id for one in state.reports.complete()] == [number]


def test_who_was_told_waits_no_more(state):
    number, other = filed(state, A), filed(state, A, name="other.dmp")
    assert [want.waiting for want in state.wants.list()] == [2]

    assert state.reports.told(number)
    assert not state.reports.told(number)
    assert not state.reports.told(99)

    assert [want.waiting for want in state.wants.list()] == [1]
    assert [one.id for one in state.reports.list(told=True)] == [number]
    assert [one.id for one in state.reports.list(told=False)] == [other]
    arrived(state, "a")
    assert [one.id for one in state.reports.complete()] == [other]


def test_what_is_forgotten_is_not_waited_for(state):
    number = filed(state, A, B)
    arrived(state, "a")

    assert state.wants.forget("b.pdb") == 1

    (report,) = state.reports.complete()
    assert (report.id, report.wanted) == (number, 1)


def test_a_forgotten_report_waits_for_nothing(state):
    number = filed(state, A)
    assert state.reports.forget(number)
    assert not state.reports.forget(number)

    (want,) = state.wants.list()
    assert (want.waiting, want.state) == (0, WantState.OPEN)
    told = filed(state, A)
    state.reports.told(told)
    assert state.reports.forget(told)
    assert state.wants.get(want.id).waiting == 0


def test_reports_are_listed_newest_first_page_by_page(state):
    numbers = [filed(state, A, name=f"{name}.dmp") for name in "abcde"]

    assert [one.id for one in state.reports.list(limit=2)] == numbers[:-3:-1]
    assert [one.id for one in state.reports.list(limit=2, after=numbers[3])] == [numbers[2], numbers[1]]
    assert [one.name for one in state.reports.list(text="B.DMP")] == ["b.dmp"]
    assert [one.wanted for one in state.reports.list()] == [1] * 5
