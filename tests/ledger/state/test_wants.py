from datetime import timedelta

import pytest

from symsrv.ledger.state import Arrival, Rest
from symsrv.ledger.state.wants import WOKEN_AT_ONCE
from symsrv.model.ask import Ask, Wants
from symsrv.model.ids import SymbolId
from symsrv.model.wants import WantState, Wish, want_key, wanted
from tests.ledger.samples import pdb
from tests.ledger.state.wishing import BUILD_ID, START, asked, pdb_path, wish

OPEN, RESTING, CLAIMED, ANSWERED, GIVEN_UP = (WantState(one) for one in WantState)


def names(found):
    return [one.ask.name for one in found]


def claimed(state, limit=10, worker="w", seconds=60, **options):
    return state.wants.claim(worker, limit, lease_seconds=seconds, **options)


def test_a_want_is_got_by_its_number_and_by_what_it_is(state):
    (number,) = state.wants.file([wish(path="C:\\Program Files\\a.exe", version="1.2.3.4", who="dump:x.dmp")])

    want = state.wants.get(number)

    assert want == state.wants.at(asked(pdb_path("A.PDB")))
    assert (want.ask, want.state, want.count) == (wanted(asked(pdb_path())), OPEN, 1)
    assert (want.path, want.version, want.who) == ("C:\\Program Files\\a.exe", "1.2.3.4", ("dump:x.dmp",))
    assert (want.first, want.last, want.due, want.worker) == (START, START, None, None)
    assert state.wants.get(number + 1) is None
    assert state.wants.at(asked(pdb_path("b.pdb"))) is None


def test_the_most_wanted_is_claimed_first(state, clock):
    for name in ("older", "newer"):
        clock.move(1)
        state.wants.file([wish(pdb_path(f"{name}.pdb"))])
    state.wants.file([wish(pdb_path("often.pdb"), count=3), wish(pdb_path("urgent.pdb"), urgent=True)])
    state.reports.file("dump", [wish(pdb_path("awaited.pdb"))], origin="dumps", data={})

    assert names(state.wants.list()) == ["urgent.pdb", "awaited.pdb", "often.pdb", "newer.pdb", "older.pdb"]
    assert names(claimed(state, 2)) == ["urgent.pdb", "awaited.pdb"]
    assert names(claimed(state, 2)) == ["often.pdb", "newer.pdb"]
    assert names(claimed(state, 2)) == ["older.pdb"]
    assert claimed(state) == []


def test_a_claim_belongs_to_its_worker_until_the_lease_is_over(state, clock):
    (number,) = state.wants.file([wish()])
    (want,) = claimed(state, worker="one", seconds=60)
    assert (want.id, want.state, want.worker, want.due) == (number, CLAIMED, "one", None)

    clock.move(59)
    assert claimed(state, worker="two") == []
    clock.move(1)
    (again,) = claimed(state, worker="two")

    assert (again.id, again.worker) == (number, "two")
    assert not state.wants.rest(number, "one", reason="not-there", due=None, rounds=3)
    assert not state.wants.release(number, "one")
    assert state.wants.get(number) == again


def test_a_lease_can_be_renewed_by_who_has_it(state, clock):
    numbers = state.wants.file([wish(), wish(pdb_path("b.pdb"))])
    claimed(state, 1, worker="one", seconds=10, only=numbers[:1])
    clock.move(9)

    assert state.wants.renew("one", numbers, lease_seconds=10) == numbers[:1]
    assert state.wants.renew("one", [], lease_seconds=10) == []
    clock.move(9)
    assert names(claimed(state, worker="two")) == ["b.pdb"]
    clock.move(1)
    assert state.wants.renew("two", numbers, lease_seconds=10) == numbers[1:]
    assert names(claimed(state, worker="two")) == ["a.pdb"]


def test_only_some_can_be_claimed(state):
    numbers = state.wants.file([wish(pdb_path(f"{name}.pdb")) for name in "abc"])

    assert names(claimed(state, only=[numbers[1], 99])) == ["b.pdb"]
    assert claimed(state, only=[]) == []


def test_what_rests_is_not_claimed_until_it_is_due(state, clock):
    (number,) = state.wants.file([wish(urgent=True)])
    claimed(state)
    due = START + timedelta(seconds=100)
    assert state.wants.rest(number, "w", reason="not-there", due=due, rounds=1)

    resting = state.wants.get(number)
    assert (resting.state, resting.due, resting.reason) == (RESTING, due, "not-there")
    assert (resting.rounds, resting.urgent, resting.worker) == (1, False, None)
    clock.move(99)
    assert claimed(state) == []
    clock.move(1)
    (woken,) = claimed(state)
    assert (woken.id, woken.rounds) == (number, 1)


def test_no_haste_breaks_a_rest(state):
    (number,) = state.wants.file([wish()])
    claimed(state)
    state.wants.rest(number, "w", reason="not-there", due=START + timedelta(days=1), rounds=1)

    assert state.wants.file([wish(urgent=True)]) == [number]

    assert claimed(state) == []
    assert (state.wants.get(number).count, state.wants.get(number).urgent) == (2, False)


def test_what_was_given_up_is_listed_woken_and_forgotten(state):
    numbers = state.wants.file([wish(pdb_path(f"{name}.pdb")) for name in "abc"])
    claimed(state)
    for number in numbers:
        state.wants.rest(number, "w", reason="not-there", due=None, rounds=3)

    assert claimed(state) == []
    assert names(state.wants.list(states=[GIVEN_UP], text="B.p")) == ["b.pdb"]
    assert state.wants.wake("B.PDB") == 1
    assert state.wants.wake("B.PDB") == 0
    (woken,) = claimed(state)
    assert (woken.id, woken.rounds, woken.reason) == (numbers[1], 0, "not-there")
    assert state.wants.wake(numbers=numbers[:2]) == 1
    assert state.wants.forget(numbers=numbers, states=[GIVEN_UP]) == 1
    assert names(state.wants.list()) == ["b.pdb", "a.pdb"]


def test_waking_means_that_upstreams_are_asked_again(state):
    numbers = state.wants.file([wish(pdb_path(f"{name}.pdb")) for name in "ab"])
    claimed(state)
    keys = [want_key(state.wants.get(number).ask) for number in numbers]
    for number, key in zip(numbers, keys, strict=True):
        state.wants.rest(number, "w", reason="not-there", due=None, rounds=3)
        state.rests.put([Rest("msdl", key, None, "not-there")])

    assert state.wants.wake("a.pdb") == 1

    assert list(state.rests.until("msdl", keys)) == keys[1:]


def test_waking_can_leave_the_rests_of_others_alone(state):
    [number] = state.wants.file([wish()])
    key = want_key(state.wants.get(number).ask)
    claimed(state)
    state.wants.rest(number, "w", reason="not-there", due=None, rounds=3)
    state.rests.put([Rest(name, key, None, "not-there") for name in ("converter", "msdl")])

    assert state.wants.wake(numbers=[number], upstreams=["converter"]) == 1

    assert [one.upstream for one in state.rests.of(key)] == ["msdl"]


def test_wants_are_found_by_any_of_their_ids(state):
    text, build = SymbolId("debug", "c0bcc3f19827fe653058404b2831d9e60"), SymbolId("build", BUILD_ID)
    numbers = state.wants.file(
        [
            Wish(Ask(Wants.SYM, (text, build), "liba.so")),
            Wish(Ask(Wants.DEBUG, (build,), "liba.so")),
            Wish(Ask(Wants.SYM, (SymbolId("uuid", text.value[:-1]),), "liba.so")),
        ]
    )
    claimed(state, only=numbers[1:2])

    def found(*ids, **said):
        return {one.id for one in state.wants.of_ids(ids, **said)}

    assert found(build) == {*numbers[:2]}
    assert found(text) == found(build, kind=Wants.SYM) == {numbers[0]}
    assert found(build, text, states=(WantState.CLAIMED,)) == {numbers[1]}
    assert found() == found(SymbolId("uuid", BUILD_ID)) == set()


def test_nothing_is_forgotten_unless_something_is_named(state):
    state.wants.file([wish(), wish(pdb_path("b.pdb"))])

    assert state.wants.forget() == 0
    assert state.wants.forget(numbers=[]) == 0
    assert state.wants.forget("a.pdb") == 1
    assert state.wants.forget(states=tuple(WantState)) == 1
    assert state.wants.wake() == 0


def test_a_number_is_never_given_twice(state):
    (first,) = state.wants.file([wish()])
    state.wants.forget(numbers=[first])

    assert state.wants.file([wish()]) > [first]


def test_a_released_claim_is_as_it_was(state):
    (number,) = state.wants.file([wish(urgent=True)])
    before = state.wants.get(number)
    claimed(state)

    assert state.wants.release(number, "w")

    assert state.wants.get(number) == before


def test_wants_are_listed_page_by_page(state):
    wishes = [wish(pdb_path(f"{number:02}.pdb"), count=number // 3 + 1) for number in range(20)]
    numbers = state.wants.file(wishes)
    claimed(state, 3)
    state.wants.rest(numbers[19], "w", reason="not-there", due=None, rounds=3)
    every = state.wants.list()
    assert len(every) == 20

    by_want, by_number = [], []
    while page := state.wants.list(limit=6, after=by_want[-1] if by_want else None):
        by_want += page
    while page := state.wants.list(limit=7, after=by_number[-1].id if by_number else None):
        by_number += page

    assert by_want == by_number == every
    assert every == sorted(every, key=lambda one: (one.count, one.id), reverse=True)
    assert state.wants.list(after=99) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [("größe", ["Größe.pdb"]), ("FILES\\A", ["a.pdb"]), (BUILD_ID[:12], [None]), ("%", []), ("_", []), ("", None)],
)
def test_wants_are_searched_by_name_id_and_path(state, text, found):
    state.wants.file(
        [wish(path="C:\\Files\\a.exe"), wish(pdb_path("Größe.pdb")), wish(f"buildid/{BUILD_ID}/debuginfo")]
    )

    assert names(state.wants.list(text=text)) == (names(state.wants.list()) if found is None else found)


def test_wants_are_searched_by_asker(state):
    state.wants.file([wish(who="dump:one.dmp"), wish(pdb_path("b.pdb"), who='log:"x"'), wish(pdb_path("c.pdb"))])

    assert names(state.wants.list(who="dump:")) == ["a.pdb"]
    assert names(state.wants.list(who='log:"x"')) == ["b.pdb"]
    assert names(state.wants.list(who="ump")) == []


def test_wants_are_counted_by_state(state):
    numbers = state.wants.file([wish(pdb_path(f"{name}.pdb")) for name in "abc"])
    claimed(state, only=numbers[:2])
    state.wants.rest(numbers[0], "w", reason="not-there", due=None, rounds=3)

    assert state.wants.counts() == {OPEN: 1, RESTING: 0, CLAIMED: 1, ANSWERED: 0, GIVEN_UP: 1}


def test_a_claim_wakes_a_bounded_number(state, clock):
    count = WOKEN_AT_ONCE + 100
    state.wants.file([wish(pdb_path(f"{number}.pdb")) for number in range(count)])
    claimed(state, count, seconds=1)
    clock.move(2)

    assert len(claimed(state, count)) == WOKEN_AT_ONCE
    assert len(claimed(state, count)) == 100


def test_what_nobody_asks_for_any_more_is_forgotten_in_time(state, clock):
    names_of_old = ("open", "given-up", "claimed", "awaited", "answered", "wished-again")
    ages = {name: age for age, name in enumerate(names_of_old, 1)}
    numbers = dict(
        zip(ages, state.wants.file([wish(pdb_path(f"{name}.pdb", age)) for name, age in ages.items()]), strict=True)
    )
    claimed(state, only=[numbers["given-up"], numbers["claimed"]], seconds=10**6)
    state.wants.rest(numbers["given-up"], "w", reason="not-there", due=None, rounds=3)
    state.reports.file("dump", [wish(pdb_path("awaited.pdb", ages["awaited"]))], origin="", data={})
    state.wants.answer([Arrival("a", (pdb("answered.pdb", ages["answered"]),), 1)])
    clock.move(100)
    state.wants.file([wish(pdb_path("wished-again.pdb", ages["wished-again"])), wish(pdb_path("new.pdb", 77))])

    assert state.wants.prune(100) == 0
    assert state.wants.prune(99) == 3
    assert set(names(state.wants.list())) == {"claimed.pdb", "awaited.pdb", "wished-again.pdb", "new.pdb"}


def test_more_than_one_page_is_pruned(state, clock):
    state.wants.file([wish(pdb_path(f"{number}.pdb")) for number in range(WOKEN_AT_ONCE + 7)])
    clock.move(10)

    assert state.wants.prune(5) == WOKEN_AT_ONCE + 7


def test_a_text_that_is_too_long_finds_nothing(state):
    state.wants.file([wish()])

    assert state.wants.list(text="a.pdb" * 30_000) == []
    assert state.wants.list(text="%" * 100_000) == []


def test_of_many_the_most_wanted_are_claimed(state):
    numbers = state.wants.file([wish(pdb_path(f"{number}.pdb"), count=number) for number in range(1, 1201)])

    assert [want.count for want in claimed(state, 3, only=numbers)] == [1200, 1199, 1198]
    assert [want.count for want in claimed(state, 2, only=numbers[:600])] == [600, 599]
