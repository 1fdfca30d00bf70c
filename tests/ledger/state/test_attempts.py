from datetime import timedelta

from symsrv.ledger.state import OUTCOMES, Attempt
from symsrv.ledger.texts import CHUNK
from tests.ledger.state.wishing import START


def attempt(upstream="msdl", key="debug:debug:1:a.pdb", stage="downloading", outcome="ok", **fields):
    return Attempt(upstream, key, stage, outcome, **fields)


def test_a_line_tells_all_that_is_known(state):
    told = attempt(
        outcome="refused",
        reason="login-page",
        name="a.pdb",
        want=7,
        address="https://msdl/a.pdb",
        status=200,
        bytes=1234,
        milliseconds=56,
        tool="dump_syms 2.3",
        at=START - timedelta(hours=1),
    )
    state.attempts.note(told)

    (line,) = state.attempts.list()

    assert line == Attempt(**{**{name: getattr(told, name) for name in told.__dataclass_fields__}, "id": line.id})
    assert line.to_record()["at"] == "2026-03-01T11:00:00+00:00"
    assert line.to_record()["reason"] == "login-page"


def test_no_password_is_written_down(state):
    state.attempts.note(attempt(address="https://me:geheim@host/a.pdb"))

    assert state.attempts.list()[0].address == "https://me:***@host/a.pdb"
    assert state.attempts.list(text="geheim") == []
    assert "geheim" not in str(state._database.rows("SELECT * FROM symsrv_state_attempts"))


def test_the_log_is_listed_newest_first_page_by_page(state):
    state.attempts.note(*(attempt(name=f"{number}.pdb") for number in range(CHUNK + 5)))
    first = state.attempts.list(limit=3)

    following = state.attempts.list(limit=2, after=first[-1].id)

    assert [one.name for one in (*first, *following)] == [f"{CHUNK + 4 - number}.pdb" for number in range(5)]
    assert {one.at for one in first} == {START}


def test_the_log_is_filtered(state):
    state.attempts.note(
        attempt(name="One.pdb", key="k1"),
        attempt("other", "k1", outcome="absent", reason="not-there"),
        attempt("other", "k2", outcome="failed", address="https://other/x_y"),
    )

    def found(**said):
        return [one.key + one.outcome for one in state.attempts.list(**said)]

    assert found(upstream="other") == ["k2failed", "k1absent"]
    assert found(key="k1") == ["k1absent", "k1ok"]
    assert found(outcome="absent", upstream="other") == ["k1absent"]
    assert found(text="one.PDB") == ["k1ok"]
    assert found(text="NOT-THERE") == ["k1absent"]
    assert found(text="x_y") == ["k2failed"]
    assert found(text="x%") == found(upstream="msdl", key="k2") == []


def test_cutting_off_the_log_loses_no_number(state, clock):
    state.attempts.note(attempt(bytes=10), attempt(outcome="failed"))
    clock.move(100)
    state.attempts.note(attempt(bytes=5, milliseconds=3))
    before = state.attempts.statistics()

    assert state.attempts.prune(100) == 0
    assert state.attempts.prune(99) == 2
    assert [one.bytes for one in state.attempts.list()] == [5]
    assert state.attempts.statistics() == before
    assert (before[0].ok, before[0].failed, before[0].bytes) == (2, 1, 15)


def test_nothing_noted_is_nothing_written(state):
    state.attempts.note()

    assert (state.attempts.list(), state.attempts.statistics()) == ([], [])
    assert len(OUTCOMES) == 5
