from dataclasses import replace
from datetime import timedelta

import pytest

from symsrv.ledger.state.filing import ASKERS_LIMIT
from symsrv.model.ask import Ask, Wants
from symsrv.model.ids import readings
from symsrv.model.wants import TAIL, WantState, asked_only_of
from tests.ledger.state.wishing import BUILD_ID, GUID, START, asked, pdb_path, wish


def given_up(state, number):
    state.wants.claim("w", 1, lease_seconds=60, only=[number])
    assert state.wants.rest(number, "w", reason="not-there", due=None, rounds=3)


def test_wishes_of_all_dialects_for_one_file_are_one_want(state, clock):
    first = state.wants.file([wish(who="serve"), wish(f"A.PDB/{GUID.lower()}1/a.pd_", who="dump:x", count=2)])
    clock.move(5)
    second = state.wants.file([wish(pdb_path("b.pdb")), wish(who="serve", path="C:\\a.exe", version="1.0")])

    assert first == [second[1]] * 2
    assert second[0] != second[1]
    want = state.wants.get(first[0])
    assert (want.count, want.who, want.ask.name) == (4, ("dump:x", "serve"), "a.pdb")
    assert (want.first, want.last) == (START, START + timedelta(seconds=5))
    assert (want.path, want.version) == ("C:\\a.exe", "1.0")
    assert sum(state.wants.counts().values()) == 2


def test_nothing_wished_is_nothing_filed(state):
    assert state.wants.file([]) == []


def test_more_readings_of_an_id_are_remembered(state):
    exact = asked(f"buildid/{BUILD_ID}/executable")
    bare = Ask(Wants.EITHER, readings(BUILD_ID), "libc.so")
    assert len(bare.ids) > len(exact.ids)
    (number,) = state.wants.file([replace(wish(), ask=exact)])

    assert state.wants.file([replace(wish(), ask=bare)] * 2) == [number, number]

    want = state.wants.get(number)
    assert want.ask.ids[0] == exact.ids[0]
    assert set(want.ask.ids) == {*exact.ids, *bare.ids}
    assert want.ask.name == "libc.so"
    assert state.wants.list(text="LIBC.so") == [want]


def test_only_the_newest_askers_are_remembered(state):
    for number in range(ASKERS_LIMIT + 5):
        state.wants.file([wish(who=f"dump:{number}")])
    state.wants.file([wish(who="dump:7"), wish()])

    (want,) = state.wants.list()

    assert want.count == ASKERS_LIMIT + 7
    assert len(want.who) == ASKERS_LIMIT
    assert want.who[-2:] == (f"dump:{ASKERS_LIMIT + 4}", "dump:7")


def test_that_not_only_tails_asked_is_remembered_longest(state):
    state.wants.file([wish(who="serve")])
    for number in range(ASKERS_LIMIT * 2):
        state.wants.file([wish(who=f"{TAIL}{number}")])

    (want,) = state.wants.list()

    assert (want.who[0], len(want.who)) == ("serve", ASKERS_LIMIT)
    assert asked_only_of(want.who) is None


def test_times_are_those_of_the_wishes(state):
    hour = timedelta(hours=1)
    state.wants.file([wish(seen=START - hour), wish(seen=START - 3 * hour)])
    state.wants.file([wish(seen=START - 2 * hour)])

    (want,) = state.wants.list()

    assert (want.first, want.last) == (START - 3 * hour, START - hour)


def test_an_urgent_wish_makes_a_want_urgent_until_its_round_is_over(state):
    (number,) = state.wants.file([wish()])
    state.wants.file([wish(urgent=True)])
    state.wants.file([wish()])
    assert state.wants.get(number).urgent

    state.wants.claim("w", 1, lease_seconds=60)
    state.wants.rest(number, "w", reason="not-there", due=START + timedelta(seconds=1), rounds=1)

    assert not state.wants.get(number).urgent


def test_what_was_given_up_stays_so_when_it_is_wished_again(state):
    (number,) = state.wants.file([wish()])
    given_up(state, number)

    state.wants.file([wish(urgent=True)])

    want = state.wants.get(number)
    assert (want.state, want.rounds, want.reason, want.urgent) == (WantState.GIVEN_UP, 3, "not-there", False)


def test_all_wishes_are_filed_or_none(state):
    def fail():
        yield wish()
        yield replace(wish(pdb_path("b.pdb")), count="many")

    with pytest.raises((TypeError, ValueError)):
        state.wants.file(fail())

    assert state.wants.list() == []


def test_names_and_paths_from_anywhere_are_kept(state):
    state.wants.file([wish(path="C:\\\udc80\0\\x", version="\0", who="log:\udcff")])

    (want,) = state.wants.list()

    assert (want.path, want.version, want.who) == ("C:\\\udc80\0\\x", "\0", ("log:\udcff",))


def test_many_wishes_are_filed_at_once(state):
    wishes = [wish(pdb_path(f"{number}.pdb")) for number in range(1200)]
    numbers = state.wants.file(wishes)
    assert len(set(numbers)) == 1200

    assert state.wants.file(reversed(wishes)) == numbers[::-1]
    assert {want.count for want in state.wants.list(limit=2000)} == {2}
