"""Lists out of all their sources; what is taken off the skiplist is tried again, and nothing else is forgotten."""

from datetime import UTC, datetime, timedelta

import pytest

from symsrv.ledger.state import Rest, Which
from symsrv.mirror.lists import Origin, listed_entries, options_entries, release, rest_entries, unlist
from symsrv.mirror.settings import UpstreamOptions
from symsrv.model.ask import Ask, Wants
from symsrv.model.ids import debug_id
from symsrv.model.wants import WantState, Wish, want_key

GUID = "3249d99d0c4049318610f4e4fb0b6936"
LATER = datetime.now(UTC) + timedelta(hours=12)


def ask(name, age=1):
    return Ask(Wants.DEBUG, (debug_id(GUID, age),), name)


def rested(state, name, *upstreams, age=1, skip=True):
    """A want of which fetching found that these upstreams have it not."""
    (number,) = state.wants.file([Wish(ask(name, age))])
    state.wants.claim("w", 1, lease_seconds=60, only=[number])
    state.wants.rest(number, "w", reason="skiplist", due=LATER, rounds=3)
    key = want_key(ask(name, age))
    state.rests.put(Rest(one, key, LATER, "absent", rounds=3, skip=skip, answer="404", name=name) for one in upstreams)
    return number


def test_options_and_what_was_listed_by_hand_are_one_list(state):
    options = [
        UpstreamOptions(name="a", url="https://a.example/", block=[{"name": "big*.pdb", "reason": "too big"}]),
        UpstreamOptions(name="b", url="https://b.example/", allow=[{"name": "x*"}]),
    ]
    state.lists.add(Which.BLOCK, "Secret*.pdb", reason="ours", who="me")
    state.lists.add(Which.BLOCK, "small.pdb", upstream="b")

    found = [*options_entries(Which.BLOCK, options), *listed_entries(state, Which.BLOCK)]

    assert [(one.pattern, one.upstream, one.origin) for one in found] == [
        ("big*.pdb", "a", Origin.OPTIONS),
        ("secret*.pdb", None, Origin.LISTED),
        ("small.pdb", "b", Origin.LISTED),
    ]
    assert [one.pattern for one in options_entries(Which.ALLOW, options, upstream="b")] == ["x*"]
    assert list(options_entries(Which.ALLOW, options, upstream="a")) == []
    assert [one.pattern for one in options_entries(Which.BLOCK, options, text="BIG")] == ["big*.pdb"]
    assert list(options_entries(Which.SKIP, options)) == []


def test_entries_made_by_hand_are_removed_by_number_or_pattern(state):
    number = state.lists.add(Which.BLOCK, "a.pdb")
    state.lists.add(Which.BLOCK, "b*.pdb", upstream="x")
    state.lists.add(Which.ALLOW, "b*.pdb")

    removed = unlist(state, Which.BLOCK, [str(number), "B*.PDB"])

    assert [one.pattern for one in removed] == ["a.pdb", "b*.pdb"]
    assert [one.which for one in state.lists.entries()] == [Which.ALLOW]
    assert unlist(state, Which.ALLOW, ["b*.pdb"], upstream="x") == []


def test_what_fetching_learned_is_told_with_its_reason(state):
    rested(state, "xul.pdb", "a")
    rested(state, "nss3.pdb", "b", age=2, skip=False)

    skipped, every = rest_entries(state), rest_entries(state, skip_only=False)

    assert [(one.pattern, one.upstream, one.origin, one.rounds) for one in skipped] == [
        ("xul.pdb", "a", Origin.ROUNDS, 3)
    ]
    assert {one.origin for one in every} == {Origin.ROUNDS, Origin.MISS}
    assert skipped[0].reason == "absent: 404"
    assert skipped[0].to_record()["until"].startswith(LATER.isoformat()[:16])
    assert rest_entries(state, text="XUL", upstream="b") == []


def test_what_is_taken_off_is_tried_at_once(state):
    number = rested(state, "xul.pdb", "a", "b")
    other = rested(state, "nss3.pdb", "a", age=2)

    released = release(state, names=["XUL.pdb"])

    assert {one.upstream for one in released} == {"a", "b"}
    assert state.wants.get(number).state is WantState.OPEN
    assert state.wants.get(other).state is WantState.RESTING
    assert [one.pattern for one in rest_entries(state)] == ["nss3.pdb"]


def test_what_other_upstreams_have_not_stays_known(state):
    number = rested(state, "xul.pdb", "a", "b")

    release(state, names=["xul.pdb"], upstream="a")

    assert state.wants.get(number).state is WantState.OPEN
    assert [one.upstream for one in rest_entries(state)] == ["b"]


@pytest.mark.parametrize("word", ["name", "key"])
def test_a_file_is_named_by_its_name_or_its_key(state, word):
    rested(state, "xul.pdb", "a")
    key = want_key(ask("xul.pdb"))

    assert len(release(state, names=[{"name": "xul.pdb", "key": key}[word]])) == 1


def test_all_is_cleared_but_misses_only_when_asked(state):
    rested(state, "xul.pdb", "a")
    rested(state, "nss3.pdb", "a", age=2, skip=False)

    assert len(release(state)) == 1
    assert len(release(state, skip_only=False)) == 1
    assert state.wants.counts()[WantState.OPEN] == 2


def test_a_file_without_a_want_is_only_forgotten(state):
    state.rests.put([Rest("a", "debug:debug:abc:x.pdb", LATER, "absent", skip=True, name="x.pdb")])

    assert len(release(state, names=["x.pdb"])) == 1
    assert rest_entries(state, skip_only=False) == []


def test_a_long_list_is_cleared_whole(state):
    state.rests.put(
        Rest("a", f"debug:debug:{number:04}:x.pdb", LATER, "absent", skip=True, name=f"x{number}.pdb")
        for number in range(1200)
    )

    assert len(release(state, text="x")) == 1200
    assert rest_entries(state) == []
