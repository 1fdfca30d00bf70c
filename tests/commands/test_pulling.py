"""What `pull` says, and where its upstreams and its demand come from."""

import io
import threading
from datetime import UTC, datetime

import pytest

from symsrv.assembly import Assembly
from symsrv.commands.base import Context
from symsrv.commands.pulling import Demand, Sources, Telling, Workers, lacking_of_dumps, left, sentence_of
from symsrv.config import Config
from symsrv.mirror.puller import Done
from symsrv.model.errors import UsageError
from symsrv.model.wants import WantState
from tests.made.minidump_builder import build_minidump
from tests.mirror.wanting import want


@pytest.fixture
def assembly(tmp_path):
    config = Config(
        store=str(tmp_path / "store"),
        state=tmp_path / "state",
        upstreams=[{"name": "yaml", "url": "https://yaml"}],
    )
    one = Assembly(config)
    assert one.new_store
    yield one
    one.close()


def test_upstreams_of_the_configuration_and_of_the_state_are_listed(assembly):
    assembly.state.upstreams.put({"name": "added", "url": "https://added"}, create=True)
    sources = Sources(assembly, assembly.state)

    assert sorted(one.name for one in sources.listed()) == ["added", "yaml"]
    roster = sources.roster(["added"])
    roster.refresh()
    assert [one.options.name for one in roster.connected] == ["added"]
    roster.close()
    with pytest.raises(UsageError, match="there are: added, yaml"):
        sources.roster(["nobody"])


HERE = Done(want(), "stored", key="a.pdb/1/a.pdb", upstream="there", size=70)
AWAY = Done(want(2), "missing", "absent", "there: it has no such file", due=datetime(2026, 3, 11, 9, tzinfo=UTC))


def test_telling_counts_and_says(capsys):
    steps = []
    telling = Telling(Context(), lambda: steps.append(1))

    telling(HERE)
    telling(AWAY)

    assert capsys.readouterr().out.splitlines() == [sentence_of(HERE), sentence_of(AWAY)]
    assert telling.summary() == {"type": "summary", "here": 1, "missing": 1, "bytes": 70}
    assert telling.sentence() == "1 of 2 files here, 70 bytes came"
    assert len(steps) == 2
    assert [telling.told(number) for number in (1, 2, 3)] == [True, True, False]
    telling(Done(want(2), "stored", key="b.pdb/1/b.pdb", size=5))  # what it is made of came meanwhile
    assert telling.summary() == {"type": "summary", "here": 2, "missing": 0, "bytes": 75}


def test_a_machine_is_told_only_of_what_came(capsys):
    telling = Telling(Context(), lambda: None, only_here=True)

    telling(AWAY)
    telling(HERE)

    assert capsys.readouterr().out == f"{sentence_of(HERE)}\n"


@pytest.mark.parametrize(
    ("done", "said"),
    [
        (HERE, "stored   a.pdb/1/a.pdb  there"),
        (Done(want(), "present", key="a.pdb/1/a.pdb"), "present  a.pdb/1/a.pdb"),
        (
            AWAY,
            f"missing  a.pdb {2:032x}1: there: it has no such file (absent, again after 2026-03-11 09:00 UTC)",
        ),
        (
            Done(want(name=None), "failed", "locked", "another\x1b writer"),
            f"failed   - {1:032x}1: another\\x1b writer (locked)",
        ),
    ],
)
def test_a_sentence_for_people(done, said):
    assert sentence_of(done) == said


@pytest.mark.parametrize(
    ("state", "status", "reason"),
    [
        (WantState.ANSWERED, "present", None),
        (WantState.CLAIMED, "missing", "claimed"),
        (WantState.OPEN, "missing", "no-upstream"),
        (WantState.RESTING, "missing", "absent"),
        (WantState.GIVEN_UP, "missing", "absent"),
    ],
)
def test_what_was_not_worked_on_says_why(state, status, reason):
    done = left(want(state=state, reason="absent"))

    assert (done.status, done.reason) == (status, reason)


def test_what_dumps_lack_is_filed_once_for_each_that_waits(assembly, tmp_path):
    dump = tmp_path / "crash.dmp"
    dump.write_bytes(build_minidump())
    said = io.StringIO()
    demand = Demand(dumps=lacking_of_dumps(assembly.store, [dump], said.write))

    numbers = demand.file(assembly.state)
    again = demand.file(assembly.state)

    assert said.getvalue() == ""
    assert numbers == again
    assert len(numbers) == len(demand.all()) > 0
    wants = [assembly.state.wants.get(number) for number in numbers]
    assert {one.count for one in wants} == {1}
    assert {one.waiting for one in wants} == {1}
    assert [report.wanted for report in assembly.state.reports.list()] == [len(numbers)]


def test_a_worker_that_fails_ends_the_others():
    stop = threading.Event()

    def fails(_stop):
        raise UsageError("it cannot be")

    workers = Workers(stop, good=lambda stop: stop.wait(60), bad=fails)
    while workers.busy(0.1):
        pass

    assert stop.is_set()
    with pytest.raises(UsageError, match="it cannot be"):
        workers.check()
