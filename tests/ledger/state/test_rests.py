from dataclasses import replace
from datetime import timedelta

import pytest

from symsrv.ledger.state import Rest
from tests.ledger.state.wishing import START

SOON = START + timedelta(hours=1)


def rest(key="debug:debug:1:a.pdb", upstream="msdl", until=SOON, **fields):
    return Rest(upstream, key, until, fields.pop("reason", "not-there"), **fields)


def test_a_rest_is_known_until_it_is_over(state, clock):
    told = rest(rounds=2, answer="msdl said 404", name="A.pdb")
    state.rests.put([told, rest("k2", until=None, skip=True), rest("k3", upstream="other")])

    assert state.rests.until("msdl", [told.key, "k3", "none"]) == {told.key: replace(told, at=START)}
    clock.move(3600)

    assert list(state.rests.until("msdl", [told.key, "k2"])) == ["k2"]
    assert state.rests.of(told.key) == [replace(told, at=START)]
    assert state.rests.until("msdl", []) == {}


def test_the_newer_rest_counts(state, clock):
    state.rests.put([rest(), rest(rounds=5)])
    clock.move(10)
    state.rests.put([rest(until=SOON + timedelta(hours=9), rounds=3, skip=True)])
    state.rests.put([])

    (known,) = state.rests.list()

    assert (known.rounds, known.skip, known.until) == (3, True, SOON + timedelta(hours=9))
    assert known.at == START + timedelta(seconds=10)


def test_rests_are_listed_page_by_page(state):
    state.rests.put([rest(f"k{number:02}", upstream=name) for name in ("a", "b") for number in range(7)])

    found = []
    while page := state.rests.list(limit=4, after=found[-1] if found else None):
        found += page

    assert [(one.upstream, one.key) for one in found] == [(a, f"k{n:02}") for a in ("a", "b") for n in range(7)]
    assert [one.key for one in state.rests.list(limit=2, after=("b", "k04"))] == ["k05", "k06"]


@pytest.mark.parametrize(
    ("said", "gone"),
    [
        ({"text": "NTDLL"}, {"ntdll.pdb"}),
        ({"upstream": "other"}, {"x.pdb"}),
        ({"skip_only": True}, {"y.pdb"}),
        ({"keys": ["k:ntdll", "k:y"]}, {"ntdll.pdb", "y.pdb"}),
        ({"keys": ["k:ntdll", "k:y"], "skip_only": True}, {"y.pdb"}),
        ({"keys": []}, set()),
        ({"text": "%"}, set()),
        ({}, {"ntdll.pdb", "x.pdb", "y.pdb"}),
    ],
)
def test_what_is_cleared_is_what_is_listed(state, said, gone):
    state.rests.put(
        [
            rest("k:ntdll", name="ntdll.pdb"),
            rest("k:x", upstream="other", name="x.pdb"),
            rest("k:y", name="y.pdb", skip=True),
        ]
    )
    if "keys" not in said:
        assert {one.name for one in state.rests.list(**said)} == gone

    assert state.rests.clear(**said) == len(gone)

    assert {one.name for one in state.rests.list()} == {"ntdll.pdb", "x.pdb", "y.pdb"} - gone


def test_old_rests_can_be_dropped(state, clock):
    state.rests.put([rest(), rest("for good", until=None)])
    clock.move(3600 + 100)

    assert state.rests.prune(100) == 0
    clock.move(1)
    assert state.rests.prune(100) == 1
    assert [one.key for one in state.rests.list()] == ["for good"]
