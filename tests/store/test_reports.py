"""A dump that waits for what it lacks: filed once, however often somebody looks at it."""

import pytest

from symsrv.ledger.state import Arrival, open_state
from symsrv.model.identity import CODE, Identity
from symsrv.model.ids import debug_id, pe_id
from symsrv.model.modules import Module
from symsrv.model.wants import WantState
from symsrv.store.needs import Need, State
from symsrv.store.reports import DATA_LIMIT, file_report, fingerprint, kept_data, lacking

GUID = "3249d99d0c4049318610f4e4fb0b6936"
MODULE = Module("a.exe", "C:\\a.exe", (pe_id(0x5AB38077, 0x9000),), (debug_id(GUID, 1),), debug_file="a.pdb")
OTHER = Module("b.dll", "C:\\b.dll", (pe_id(0x5AB38078, 0x9000),))


def need(module, code, debug):
    return Need(module, "a.pdb", code, debug)


WHOLE = [need(MODULE, State.MISSING, State.NEAR), need(OTHER, State.MISSING, State.NO_ID)]


@pytest.fixture
def state(tmp_path):
    one = open_state(f"sqlite:///{tmp_path / 'state.sqlite'}")
    yield one
    one.close()


def test_only_what_is_not_here_is_wished_for():
    needs = [
        need(MODULE, State.HAVE, State.NEAR),
        need(OTHER, State.MISSING, State.NO_ID),
        need(MODULE, *[State.HAVE] * 2),
    ]

    wishes = lacking(needs, who="dump:x")

    assert [(one.ask.wants.value, one.ask.name, one.who) for one in wishes] == [
        ("debug", "a.pdb", "dump:x"),
        ("code", "b.dll", "dump:x"),
    ]


def test_the_same_module_twice_is_wished_for_once():
    assert len(lacking(WHOLE * 2, who="dump:x")) == 3


def test_a_report_waits_for_all_and_the_same_dump_again_changes_nothing(state):
    wishes = lacking(WHOLE, who="dump:x")

    number = file_report(state, "x.dmp", wishes, mark="1", data={"crash_id": "7"})
    before = state.wants.list()

    assert file_report(state, "x.dmp", wishes, mark="1") == number
    assert file_report(state, "renamed.dmp", wishes, mark="1") == number
    assert state.wants.list() == before
    assert [(one.count, one.waiting) for one in before] == [(1, 1)] * 3
    report = state.reports.get(number)
    assert (report.name, report.wanted, report.data) == ("x.dmp", 3, {"crash_id": "7"})


def test_a_dump_of_which_something_came_meanwhile_is_the_same_report(state):
    number = file_report(state, "x.dmp", lacking(WHOLE, who="dump:x"), mark="1")
    arrived = Identity("pe", CODE, "b.dll", OTHER.code_ids)
    state.arrive([Arrival("b.dll/5AB380789000/b.dll", (arrived,), 1)])

    again = file_report(state, "x.dmp", lacking(WHOLE[:1], who="dump:x"), mark="1")

    assert again == number
    assert sorted(one.state for one in state.wants.list()) == [WantState.ANSWERED, WantState.OPEN, WantState.OPEN]
    assert max(one.count for one in state.wants.list()) == 1


def test_another_dump_of_the_same_name_waits_for_itself(state):
    wishes = lacking(WHOLE, who="dump:x")

    first, second = (file_report(state, "x.dmp", wishes, mark=mark) for mark in "12")

    assert first != second
    assert [(one.count, one.waiting) for one in state.wants.list()] == [(2, 2)] * 3


def test_who_lacks_nothing_does_not_wait(state):
    assert file_report(state, "x.dmp", [], mark="1") is None
    assert state.reports.list() == []


def test_a_dump_is_known_by_its_ends_and_its_size(tmp_path):
    marks = set()
    for content in (b"", b"a", b"a" * 200_000, b"a" * 200_001, b"a" * 199_999 + b"b", b"b" + b"a" * 199_999):
        (tmp_path / "dump").write_bytes(content)
        marks.add(fingerprint(tmp_path / "dump"))

    assert len(marks) == 6
    assert fingerprint(tmp_path / "dump") in marks
    assert fingerprint(tmp_path / "nowhere") == ""


def test_only_what_names_a_crash_is_kept():
    fields = {"crash_id": "bp-1", "email": "me@example.com", "issue": "9" * 1000, "ver": ""}

    assert kept_data(fields) == {"crash_id": "bp-1", "issue": "9" * DATA_LIMIT}
