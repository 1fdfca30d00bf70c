from datetime import timedelta

import pytest

from symsrv.ledger.state import Listed, Which
from tests.ledger.state.wishing import START


def patterns(found):
    return [one.pattern for one in found]


def test_an_entry_says_who_why_and_where(state):
    number = state.lists.add(Which.BLOCK, "NT*.pdb", upstream="msdl", reason="too big", who="me")

    (entry,) = state.lists.entries()

    assert entry == Listed(number, Which.BLOCK, "msdl", "nt*.pdb", "too big", "me", START, None)


def test_an_entry_for_all_upstreams_is_one_for_each(state):
    state.lists.add(Which.ALLOW, "a*")
    state.lists.add(Which.ALLOW, "b*", upstream="msdl")
    state.lists.add(Which.ALLOW, "c*", upstream="other")
    state.lists.add(Which.SKIP, "d*", upstream="msdl")

    assert patterns(state.lists.entries(Which.ALLOW, upstream="msdl")) == ["a*", "b*"]
    assert patterns(state.lists.entries(upstream="msdl")) == ["a*", "b*", "d*"]
    assert patterns(state.lists.entries("allow")) == ["a*", "b*", "c*"]
    assert state.lists.entries(Which.ALLOW)[0].upstream is None


def test_the_same_entry_again_changes_what_is_said_of_it(state):
    first = state.lists.add(Which.BLOCK, "a*", reason="old", expires=START + timedelta(days=1))

    assert state.lists.add(Which.BLOCK, "A*", reason="new", who="me") == first
    assert state.lists.add(Which.BLOCK, "a*", upstream="msdl") != first
    assert state.lists.add(Which.ALLOW, "a*") != first

    (entry,) = state.lists.entries(Which.BLOCK, limit=1)
    assert (entry.reason, entry.who, entry.expires, entry.created) == ("new", "me", None, START)


def test_an_entry_expires(state, clock):
    state.lists.add(Which.SKIP, "a*", expires=START + timedelta(seconds=10))
    clock.move(9)
    assert patterns(state.lists.entries()) == ["a*"]
    clock.move(1)
    assert state.lists.entries() == []
    state.lists.add(Which.SKIP, "a*", reason="again")
    assert state.lists.entries()[0].reason == "again"


def test_entries_are_listed_page_by_page_and_searched(state):
    numbers = [state.lists.add(Which.BLOCK, f"{name}_1.pdb") for name in "abcde"]

    assert [one.id for one in state.lists.entries(limit=2, after=numbers[1])] == numbers[2:4]
    assert len(state.lists.entries(limit=None)) == 5
    assert patterns(state.lists.entries(text="B_")) == ["b_1.pdb"]
    assert state.lists.entries(text="%") == []


@pytest.mark.parametrize(
    ("said", "left"), [({}, ["c"]), ({"upstream": "msdl"}, ["a", "c"]), ({"text": "a"}, ["b", "c"])]
)
def test_entries_are_removed_by_what_is_said(state, said, left):
    state.lists.add(Which.BLOCK, "a")
    state.lists.add(Which.BLOCK, "b", upstream="msdl")
    state.lists.add(Which.ALLOW, "c", upstream="msdl")

    assert state.lists.clear(Which.BLOCK, **said) == 3 - len(left)

    assert patterns(state.lists.entries()) == left


def test_the_revision_moves_with_every_change(state):
    seen = [state.lists.revision()]
    number = state.lists.add(Which.BLOCK, "a")
    seen.append(state.lists.revision())
    assert state.lists.remove(number)
    seen.append(state.lists.revision())
    assert not state.lists.remove(number)
    assert state.lists.clear(Which.BLOCK) == 0

    assert len(set(seen)) == 3
    assert state.lists.revision() == seen[-1]
