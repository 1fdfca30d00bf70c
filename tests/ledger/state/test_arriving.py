"""What is published answers what is wanted, exactly where the index would find it."""

import itertools

import pytest

from symsrv.layouts import home, parse_any
from symsrv.ledger.index import Index
from symsrv.ledger.state import Arrival, Rest
from symsrv.ledger.state.arriving import ARRIVED, answer_wants
from symsrv.model.identity import Identity
from symsrv.model.records import StoredFile
from symsrv.model.wants import WantState, Wish, want_key, wanted
from tests.ledger import samples
from tests.ledger.samples import (
    BUILD,
    DAC,
    DSYM,
    ELF,
    ELF_BOTH,
    ELF_DEBUG,
    EXE,
    GUID,
    MACH,
    MSFZ_PDB,
    PDB,
    PERFMAP,
    PORTABLE,
    SYM_FILE,
    WASM,
    exe,
    pdb,
)
from tests.ledger.state.wishing import START, asked, pdb_path, wish

PLACED = Identity("unknown", "debug", "crash.pdb", ())
IDENTITIES = [EXE, PDB, ELF, ELF_DEBUG, ELF_BOTH, MACH, DSYM, WASM, MSFZ_PDB, PERFMAP, DAC, SYM_FILE, PORTABLE]
IDENTITIES += [pdb("other.pdb"), pdb(age=2), pdb("crash.dbg"), exe("other.exe"), exe(size=0x1000)]


def arrival(identity, number=1):
    return Arrival(home(identity), (identity,), number)


def asks():
    """Every way to ask for one of them, by every name, each ask once."""
    found = {}
    for identity in IDENTITIES:
        for ask in identity.asks():
            found[want_key(ask)] = wanted(ask)
    for text in (f"crash.pdb/{GUID}1/crash.pd_", f"buildid/{BUILD.value}/section/.text", f"{BUILD.value}/a.so"):
        if (ask := parse_any(text)) is not None:
            found[want_key(ask)] = wanted(ask)
    return list(found.values())


def test_a_file_answers_the_wants_that_the_index_would_find_it_for(state):
    index = Index("sqlite://")
    found = answered = 0
    wishes = [Wish(ask) for ask in asks()]
    for identity in IDENTITIES:
        index.clear()
        index.put_files([StoredFile(home(identity), 1, identities=(identity,))])
        state.wants.forget(states=tuple(WantState))
        numbers = state.wants.file(wishes)

        done = {want.id for want in state.wants.answer([arrival(identity)])}

        for number, one in zip(numbers, wishes, strict=True):
            assert (number in done) == bool(index.find(one.ask)), (identity, one.ask)
            found += number in done
        answered += len(done)
    index.close()
    assert len(IDENTITIES) <= found == answered < len(IDENTITIES) * len(wishes)


def test_a_file_that_is_known_by_its_place_answers_by_its_place(state):
    numbers = state.wants.file([wish(pdb_path("crash.pdb")), wish(pdb_path("other.pdb"))])

    state.wants.answer([Arrival(f"crash.pdb/{GUID.upper()}1/crash.pdb", (), 1)])

    assert [state.wants.get(number).state for number in numbers] == [WantState.ANSWERED, WantState.OPEN]


def test_what_is_answered_is_over_whatever_it_was(state, clock):
    numbers = state.wants.file([Wish(PDB.asks()[0], urgent=True), Wish(EXE.asks()[0]), Wish(ELF.asks()[0])])
    state.wants.claim("w", 3, lease_seconds=60)
    state.wants.rest(numbers[1], "w", reason="not-there", due=None, rounds=3)
    state.wants.release(numbers[2], "w")
    clock.move(5)

    done = state.arrive([arrival(PDB), arrival(EXE), arrival(ELF)])

    assert {want.id for want in done} == set(numbers)
    assert done == [state.wants.get(want.id) for want in done]
    for want in done:
        assert (want.state, want.answered, want.worker) == (WantState.ANSWERED, clock.now, None)
        assert (want.urgent, want.rounds, want.due) == (False, 0, None)
    assert not state.wants.rest(numbers[0], "w", reason="not-there", due=None, rounds=1)
    assert state.wants.claim("w", 3, lease_seconds=60) == []
    assert state.wants.get(numbers[1]).reason == "not-there"


def test_what_is_wished_after_it_came_is_wanted_anew(state, clock):
    (number,) = state.wants.file([Wish(PDB.asks()[0])])
    clock.move(10)
    state.arrive([arrival(PDB)])

    state.wants.file([Wish(PDB.asks()[0], seen=START)])
    assert state.wants.get(number).state == WantState.ANSWERED
    clock.move(10)
    state.wants.file([Wish(PDB.asks()[0])])

    want = state.wants.get(number)
    assert (want.state, want.count, want.answered, want.rounds) == (WantState.OPEN, 3, None, 0)


def test_publishing_clears_what_upstreams_did_not_have(state):
    state.wants.file([Wish(PDB.asks()[0])])
    keys = [want_key(one.asks()[0]) for one in (PDB, EXE, ELF)]
    state.rests.put([Rest(upstream, key, None, "not-there") for upstream in ("a", "b") for key in keys])

    state.arrive([arrival(PDB), arrival(EXE)])

    assert {rest.key for rest in state.rests.list()} == {keys[2]}


def test_arriving_moves_the_cursor_and_tells_once(state):
    (number,) = state.wants.file([Wish(PDB.asks()[0])])
    arrivals = [arrival(PDB, 7), arrival(EXE, 8)]
    assert [want.id for want in state.arrive(arrivals, mark="settled", cursor=8)] == [number]

    assert state.arrive(arrivals, mark="settled", cursor=8) == []

    assert state.marks.number("settled") == 8
    assert [(one.kind, one.data) for one in state.events.after(0)] == [
        (ARRIVED, {"home": home(PDB), "transaction": 7, "wants": [number]}),
        (ARRIVED, {"home": home(EXE), "transaction": 8, "wants": []}),
    ]
    state.arrive([arrival(PDB, 9)])
    assert [one.data["transaction"] for one in state.events.after(0)] == [7, 8, 9]
    state.arrive([arrival(PDB, 10)], tell=False)
    assert len(state.events.after(0)) == 3


def test_arriving_is_whole_or_not_at_all(state):
    state.wants.file([Wish(PDB.asks()[0])])
    broken = Arrival("x", (Identity("pdb", "debug", "x", (None,)),), 2)

    with pytest.raises(AttributeError):
        state.arrive([arrival(PDB), broken], mark="settled", cursor="2")

    assert state.marks.get("settled") is None
    assert state.wants.counts()[WantState.OPEN] == 1
    assert state.events.last() == 0


def test_nothing_arrives_without_trouble(state):
    assert state.arrive([], mark="settled", cursor="x") == []
    assert state.marks.text("settled") == "x"
    assert state.arrive([Arrival("not/a/home/at all", (PLACED,), 1)]) == []


def test_many_files_arrive_at_once(state):
    many = [pdb(f"{number}.pdb", number) for number in range(1200)]
    state.wants.file([Wish(one.asks()[0]) for one in many])

    done = state.arrive([arrival(one) for one in many])

    assert len(done) == 1200
    assert state.wants.counts()[WantState.ANSWERED] == 1200
    assert sum(len(one.data["wants"]) for one in state.events.after(0, 2000)) == 1200


def test_each_file_tells_which_wants_it_answers(state):
    one, other = state.wants.file([Wish(PDB.asks()[0]), wish(pdb_path("crash.pdb", 2))])

    with state._database.writing() as connection:
        answered = answer_wants(connection, [arrival(EXE), arrival(pdb(age=2)), arrival(PDB), arrival(PDB)], now=5)

    assert [[want.id for want in its] for its in answered] == [[], [other], [one], []]


def test_the_samples_have_asks_of_every_kind():
    kinds = set(itertools.chain.from_iterable((ask.wants, ask.ids[0].kind) for ask in asks()))

    assert {"code", "debug", "sym", "pe", "build", "uuid", "wasm", "msfz", "r2rmap", "build-coreclr"} <= kinds
    assert asked(pdb_path()).name == "a.pdb"
    assert samples.BUILD.kind == "build"
