"""The skiplist: what rounds and people put there, found, and tried again."""

from datetime import UTC, datetime, timedelta

import pytest

from symsrv.ledger.state import Rest
from symsrv.model.ask import Ask, Wants
from symsrv.model.errors import Exit
from symsrv.model.ids import debug_id
from symsrv.model.wants import WantState, Wish, want_key

GUID = "3249d99d0c4049318610f4e4fb0b6936"
XUL = Ask(Wants.DEBUG, (debug_id(GUID, 1),), "xul.pdb")
NSS = Ask(Wants.DEBUG, (debug_id(GUID, 2),), "nss3.pdb")


@pytest.fixture
def skipped(run, state):
    """`xul.pdb` is on the skiplist of mozilla and ours; of nss3.pdb it is known since lately that ours has it not."""
    run("upstream", "add", "mozilla", "--no-test")
    run("upstream", "add", "ours", "https://ours.example/", "--no-test")
    numbers = state.wants.file([Wish(XUL), Wish(NSS)])
    state.wants.claim("w", 2, lease_seconds=60)
    later = datetime.now(UTC) + timedelta(hours=12)
    for number in numbers:
        state.wants.rest(number, "w", reason="skiplist", due=later, rounds=3)
    state.rests.put(
        [
            Rest("mozilla", want_key(XUL), later, "absent", rounds=3, skip=True, name="xul.pdb"),
            Rest("ours", want_key(XUL), None, "absent", rounds=3, skip=True, name="xul.pdb"),
            Rest("ours", want_key(NSS), later, "absent", name="nss3.pdb"),
        ]
    )
    return numbers


def test_it_is_listed_with_and_without_misses(run, skipped):
    run("skiplist", "add", "nv*.pdb", "--upstream", "ours", "--for", "30d", "--reason", "too many")

    skips = run("skiplist", "list", "--json").lines
    every = run("skiplist", "list", "--misses", "--json").lines

    assert [(one["pattern"], one["upstream"], one["origin"]) for one in skips] == [
        ("nv*.pdb", "ours", "listed"),
        ("xul.pdb", "mozilla", "rounds"),
        ("xul.pdb", "ours", "rounds"),
    ]
    assert skips[2]["until"] is None
    assert {one["pattern"] for one in every} == {"nv*.pdb", "xul.pdb", "nss3.pdb"}
    assert "for good" in run("skiplist", "list", "--upstream", "ours").out


def test_it_is_paged(run, skipped):
    (first,) = run("skiplist", "list", "--limit", "1", "--json").lines

    rest = run("skiplist", "list", "--after", first["upstream"], first["key"], "--json").lines

    assert [one["upstream"] for one in rest] == ["ours"]
    assert "--after mozilla" in run("skiplist", "list", "--limit", "1").err


def test_parts_of_names_and_ids_are_found(run, skipped):
    assert {one["pattern"] for one in run("skiplist", "find", "NSS", "--json").lines} == {"nss3.pdb"}
    assert len(run("skiplist", "find", GUID[:12], "--json").lines) == 3
    assert run("skiplist", "find", "nothing", "--json").lines == []


def test_what_is_taken_off_is_tried_again_at_once(run, skipped, state):
    done = run("skiplist", "remove", "xul.pdb", "--json")

    assert {one["upstream"] for one in done.lines} == {"mozilla", "ours"}
    assert state.wants.get(skipped[0]).state is WantState.OPEN
    assert state.wants.get(skipped[1]).state is WantState.RESTING


def test_an_entry_by_hand_is_taken_off_too(run, skipped, state):
    run("skiplist", "add", "nv*.pdb")

    assert run("skiplist", "remove", "nv*.pdb").code == 0
    assert state.lists.entries() == []
    assert run("skiplist", "remove", "nv*.pdb").code == Exit.USAGE


def test_it_is_cleared_by_upstream_by_text_or_whole(run, skipped, state):
    assert run("skiplist", "clear", "--upstream", "mozilla", "--json").lines[0]["removed"] == 1
    assert run("skiplist", "clear", "--text", "xul", "--json").lines[0]["removed"] == 1
    assert run("skiplist", "clear", "--json").lines[0]["removed"] == 0
    assert run("skiplist", "clear", "--misses", "--json").lines[0]["removed"] == 1
    assert state.wants.counts()[WantState.OPEN] == 2
