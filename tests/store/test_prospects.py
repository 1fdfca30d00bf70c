"""What is done about a file that is not here: each word by what the state has."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from symsrv.layouts import parse_any
from symsrv.ledger.state import Arrival, Attempt, Rest, Which, open_state
from symsrv.model.identity import DEBUG_INFO, Identity
from symsrv.model.ids import SymbolId
from symsrv.model.wants import Wish, want_key
from symsrv.store.prospects import SENTENCES, Prospect, hopeless, matches, prospects

PATH = "crash.pdb/3249D99D0C4049318610F4E4FB0B69361/crash.pdb"
ASK = parse_any(PATH)
LATER = datetime(2100, 1, 1, tzinfo=UTC)
FOUND = Identity("pdb", DEBUG_INFO, "crash.pdb", (SymbolId("debug", "3249d99d0c4049318610f4e4fb0b69361"),))


@pytest.fixture
def state(tmp_path):
    one = open_state(f"sqlite:///{tmp_path / 'state.sqlite'}")
    yield one
    one.close()


def claim(state):
    (number,) = state.wants.file([Wish(ASK, "serve:windbg")])
    assert state.wants.claim("puller", 1, lease_seconds=60)
    return number


def rest(state, *, reason="absent", due=LATER):
    state.wants.rest(claim(state), "puller", reason=reason, due=due, rounds=1)


SITUATIONS = {
    Prospect.NEVER_WANTED: lambda state: None,
    Prospect.WANTED: lambda state: state.wants.file([Wish(ASK)]),
    Prospect.FETCHING: claim,
    Prospect.RESTING: rest,
    Prospect.SKIPLIST: lambda state: rest(state, due=None),
    Prospect.BLOCKED: lambda state: state.lists.add(Which.BLOCK, "CRASH.*"),
    Prospect.NOT_ALLOWED: lambda state: rest(state, reason="not-allowed"),
    Prospect.ANSWERED: lambda state: (claim(state), state.arrive([Arrival(PATH, (FOUND,), 1)])),
}


@pytest.mark.parametrize("word", Prospect)
def test_each_word_has_its_situation(state, word):
    SITUATIONS[word](state)

    found = prospects(state, ASK)

    assert found.reason is word
    assert (found.sentence, found.mend) == SENTENCES[word]
    assert found.to_short_record() == {"reason": word.value, "sentence": found.sentence, "mend": found.mend}


def test_lists_that_name_it(state):
    rest(state)
    state.lists.add(Which.BLOCK, "cr*.pdb", upstream="one", reason="too big", who="me")
    state.lists.add(Which.BLOCK, "other.pdb")
    state.lists.add(Which.ALLOW, "*")

    found = prospects(state, ASK)
    assert found.reason is Prospect.RESTING  # another upstream may have it
    state.lists.add(Which.SKIP, "crash.pdb")

    assert prospects(state, ASK).reason is Prospect.SKIPLIST
    (only,) = found.to_record()["lists"]
    assert (only["list"], only["upstream"], only["pattern"], only["reason"], only["who"], only["expires"]) == (
        "block",
        "one",
        "cr*.pdb",
        "too big",
        "me",
        None,
    )


def test_what_was_said_at_which_server_and_when(state):
    key = want_key(ASK)
    rest(state)
    state.rests.put([Rest("one", key, LATER, "absent", rounds=2, answer="404", name="crash.pdb")])
    state.attempts.note(
        Attempt("one", key, "downloading", "absent", reason="absent", status=404, address="https://one/crash.pdb"),
        Attempt("two", key, "receiving", "failed", reason="stalled"),
        Attempt("two", "another", "receiving", "failed"),
    )

    record = prospects(state, ASK).to_record()

    assert [(one["upstream"], one["reason"], one["rounds"], one["skiplist"]) for one in record["rests"]] == [
        ("one", "absent", 2, False)
    ]
    assert record["rests"][0]["until"] == LATER.isoformat()
    assert [(one["upstream"], one["outcome"], one["status"]) for one in record["tries"]] == [
        ("two", "failed", None),
        ("one", "absent", 404),
    ]
    assert (record["want"]["count"], record["want"]["who"], record["want"]["state"]) == (1, ["serve:windbg"], "resting")


@pytest.mark.parametrize(
    ("pattern", "name", "does"),
    [("*", None, True), ("lib*", None, False), ("NT*.PDB", "ntdll.pdb", True), ("nt*.pdb", "NTDLL.pdb_", False)],
)
def test_a_glob_names_a_file(pattern, name, does):
    assert matches(pattern, name) is does


@pytest.mark.parametrize(
    ("name", "why"),
    [("a.pdb", Prospect.BLOCKED), ("b.pdb", Prospect.SKIPLIST), ("c.pdb", None), ("d.pdb", None), ("e.pdb", None)],
)
def test_what_no_upstream_is_asked_for_by_the_lists(state, name, why):
    state.lists.add(Which.BLOCK, "a*")
    state.lists.add(Which.SKIP, "b*")
    state.lists.add(Which.ALLOW, "c*")
    state.lists.add(Which.BLOCK, "d*", upstream="one")
    state.lists.add(Which.BLOCK, "e*", expires=datetime.now(UTC) - timedelta(days=1))

    assert hopeless(state, replace(ASK, name=name)) is why


@pytest.mark.parametrize(
    ("refusals", "why"),
    [
        ({}, None),
        ({"one": None, "two": ("blocked", "s")}, None),
        ({"one": ("not-allowed", "s")}, Prospect.NOT_ALLOWED),
        ({"one": ("not-allowed", "s"), "two": ("blocked", "s")}, Prospect.BLOCKED),
        ({"one": ("not-allowed", "s"), "two": ("skiplist", "s")}, Prospect.SKIPLIST),
    ],
)
def test_what_every_upstream_refuses(state, refusals, why):
    state.wants.file([Wish(ASK)])

    found = prospects(state, ASK, lambda _ask: refusals)

    assert hopeless(state, ASK, lambda _ask: refusals) is why
    assert found.reason is (why or Prospect.WANTED)
    told = [(one["upstream"], one["reason"]) for one in found.to_record()["refusals"]]
    assert told == [(name, one[0]) for name, one in refusals.items() if one]
