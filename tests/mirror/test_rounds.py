"""Rounds: what one upstream says, and who is asked next; with upstreams that say what a test tells them to."""

import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from symsrv.ledger.state import open_state
from symsrv.mirror.base import Absent, Fetched, FetchError, Refused, Try, Unavailable, WrongContent
from symsrv.mirror.chances import Chance
from symsrv.mirror.gates import Gates
from symsrv.mirror.lanes import Lanes
from symsrv.mirror.log import Log
from symsrv.mirror.outcomes import End, NotAsked, Outcome
from symsrv.mirror.parts import Parts
from symsrv.mirror.rounds import Round, Tools
from symsrv.mirror.settings import MirrorOptions, UpstreamOptions
from symsrv.model.ids import DEBUG, SymbolId
from symsrv.model.wants import Want
from tests.ingest.files import guid, pdb
from tests.mirror.wanting import want

PATIENCE = 20


def wanted() -> Want:
    """A want for `pdb(1)`."""
    from dataclasses import replace
    from uuid import UUID

    its = want()
    return replace(its, ask=replace(its.ask, ids=(SymbolId(DEBUG, f"{UUID(bytes_le=guid(1)).hex}1"),)))


class Told:
    """An upstream that for each request raises what it was told to, or leaves the bytes that it was given."""

    def __init__(self, name, *answers, **options):
        self.options = UpstreamOptions(name=name, url=f"https://{name}", **options)
        self.answers = list(answers)
        self.asked: list[str] = []
        self.go = threading.Event()
        self.go.set()

    def fetch(self, one, into, *, stage):
        self.asked.append(one.path)
        stage("downloading", 0)
        assert self.go.wait(PATIENCE)
        answer = self.answers.pop(0)
        stage("receiving", 10)
        if isinstance(answer, BaseException):
            raise answer
        path = Path(into) / "body"
        path.write_bytes(answer)
        stage("receiving", len(answer))
        return Fetched(path, len(answer), address=one.address)

    def chance(self, count=1):
        tries = tuple(Try(f"{number}", f"https://{self.options.name}/{number}") for number in range(count))
        return Chance(self, tries)


class Desk:
    """The tools of rounds, and what they ended with."""

    def __init__(self, folder):
        self.state = open_state(f"sqlite:///{folder}/state.sqlite")
        self.parts = Parts(folder / "arriving", state="state")
        self.lanes = Lanes(4, {})
        self.log = Log(self.state)
        self.gates = Gates(self.state, MirrorOptions(keep_free=0), folder)
        self.heard: list[tuple[str, str, int]] = []
        self.stopping = threading.Event()
        self.tools = Tools(self.parts, self.lanes, self.gates, self.log, self._hear, self.stopping)
        self.ended = threading.Event()
        self.ends = 0
        self.arrival = None

    def _hear(self, _want, options, stage, more):
        self.heard.append((options.name, stage, more))

    def _end(self, _round, arrival):
        self.ends += 1
        self.arrival = arrival
        self.ended.set()

    def begin(self, *chances, race=False):
        run = Round(wanted(), self.tools, self._end)
        run.begin(chances, race=race)
        return run

    def run(self, *chances, race=False):
        run = self.begin(*chances, race=race)
        assert self.ended.wait(PATIENCE)
        self.lanes.close()
        assert self.ends == 1
        return run

    def lines(self):
        self.log.flush()
        return [(one.stage, one.outcome, one.reason) for one in reversed(self.state.attempts.list())]


@pytest.fixture
def desk(tmp_path):
    one = Desk(tmp_path)
    yield one
    one.lanes.close()
    one.parts.close()
    one.state.close()


def ended(run):
    return [(one.options.name, one.end, one.reason) for one in run.outcomes]


def test_the_tries_of_an_upstream_go_on_until_one_brings_the_file(desk):
    there = Told("there", Absent("absent", "no"), WrongContent("cut", "half"), pdb(1))

    desk.run(there.chance(count=4))

    assert there.asked == ["0", "1", "2"]
    assert desk.arrival.path.read_bytes() == pdb(1)
    assert (desk.arrival.whole.name, desk.arrival.whole.size) == ("a.pdb", len(pdb(1)))
    assert desk.lines() == [
        ("receiving", "absent", "absent"),
        ("receiving", "failed", "cut"),
        ("receiving", "ok", ""),
    ]
    assert sum(more for _, _, more in desk.heard) == len(pdb(1)) + 2 * 10


@pytest.mark.parametrize(
    ("answers", "end", "reason", "asked"),
    [
        ((Absent("absent", ""), Absent("absent", "")), End.MISS, "absent", 2),
        ((WrongContent("wrong-file", ""), Absent("absent", "")), End.MISS, "wrong-file", 2),
        ((Absent("absent", ""), b"<html>"), End.MISS, "login-page", 2),
        ((Refused("too-big", ""), Absent("absent", "")), End.MISS, "too-big", 2),
        ((Unavailable("server-error", ""),), End.LATER, "server-error", 1),
        ((Refused("unauthorized", ""),), End.LATER, "unauthorized", 1),
        ((OSError(28, "No space left on device"),), End.LATER, "disk-full", 1),
        ((PermissionError(13, "Permission denied"),), End.LATER, "system", 1),
    ],
)
def test_what_an_upstream_comes_to(desk, answers, end, reason, asked):
    there = Told("there", *answers)

    run = desk.run(there.chance(count=2))

    assert desk.arrival is None
    assert ended(run) == [("there", end, reason)]
    assert len(there.asked) == asked
    assert run.outcomes[0].asked


def test_when_to_ask_again_is_what_the_upstream_said(desk):
    run = desk.run(Told("there", Unavailable("busy", "", retry_after=40)).chance())

    left = run.outcomes[0].until - datetime.now(UTC)
    assert timedelta(seconds=30) < left < timedelta(seconds=41)
    assert [one.state for one in desk.state.breakers.list()] == ["open"]  # nobody else asks it meanwhile either


def test_wrong_credentials_are_tried_again_when_a_miss_would_be(desk):
    run = desk.run(Told("there", Refused("ntlm", ""), miss_ttl="2h").chance())

    assert run.outcomes[0].until - datetime.now(UTC) > timedelta(hours=1)
    assert [one.failures for one in desk.state.breakers.list()] == [1]


def test_an_upstream_that_was_closed_meanwhile_is_no_host_in_trouble(desk):
    run = desk.run(Told("there", Unavailable("closed", "the upstream was closed")).chance())

    assert ended(run) == [("there", End.LATER, "closed")]
    assert run.outcomes[0].until <= datetime.now(UTC)
    assert desk.state.breakers.list() == []
    assert desk.lines() == []


def test_the_next_group_is_asked_when_all_of_the_first_have_said_no(desk):
    first = Told("first", Absent("absent", ""), order=1)
    slow = Told("slow", Absent("absent", ""), order=1)
    slow.go.clear()
    last = Told("last", pdb(1), order=2)

    desk.begin(last.chance(), first.chance(), slow.chance())
    while not (first.asked and slow.asked):
        time.sleep(0.001)
    time.sleep(0.05)
    assert last.asked == []
    slow.go.set()

    assert desk.ended.wait(PATIENCE)
    assert desk.arrival.whole.upstream == "last"


def test_who_is_left_out_is_in_the_log_and_not_asked(desk):
    blocked = Told("blocked")
    outcome = Outcome(blocked.options, End.LEFT_OUT, NotAsked.BLOCKED, "its name is on the block list")

    run = desk.run(Chance(blocked, outcome=outcome), Told("there", Absent("absent", "")).chance())

    assert ended(run) == [("blocked", End.LEFT_OUT, "blocked"), ("there", End.MISS, "absent")]
    assert desk.lines()[0] == ("downloading", "skipped", "blocked")
    assert blocked.asked == []


def test_without_anybody_to_ask_it_ends_at_once(desk):
    assert desk.run().outcomes == []


def test_a_shut_gate_is_minded_when_it_is_an_upstreams_turn(desk):
    there = Told("there", pdb(1))
    for _ in range(5):
        desk.gates.failed(there.options, "server-error")

    run = desk.run(there.chance())

    assert ended(run) == [("there", End.LATER, "breaker")]
    assert there.asked == []


def test_a_gate_that_is_shut_meanwhile_ends_the_download(desk):
    there = Told("there", pdb(1), daily_limit=5)

    run = desk.run(there.chance())

    assert ended(run) == [("there", End.LATER, "budget")]
    assert desk.state.breakers.list() == []


def test_a_defect_ends_the_round_and_not_the_thread(desk, caplog):
    run = desk.run(Told("there", ZeroDivisionError()).chance(), Told("next", pdb(1), order=200).chance())

    assert desk.arrival.whole.upstream == "next"
    assert ended(run)[0] == ("there", End.LATER, "defect")
    assert "ZeroDivisionError" in caplog.text


def test_a_round_that_is_cancelled_ends_without_a_word(desk):
    there = Told("there", pdb(1))
    there.go.clear()
    run = desk.begin(there.chance())
    while not there.asked:
        time.sleep(0.001)

    run.cancel()
    there.go.set()

    assert desk.lanes.close(wait_seconds=PATIENCE)
    assert desk.ends == 0
    assert desk.parts.whole(wanted()) is None


def test_an_error_after_the_race_is_over_is_nobodys_fault(desk):
    slow, quick = Told("slow", ConnectionResetError(104, "reset")), Told("quick", pdb(1))
    slow.go.clear()
    desk.begin(slow.chance(), quick.chance())
    assert desk.ended.wait(PATIENCE)
    slow.go.set()

    assert desk.lanes.close(wait_seconds=PATIENCE)
    assert desk.ends == 1
    assert desk.lines() == [("receiving", "ok", "")]


def test_what_came_whole_before_is_not_asked_for(desk):
    there = Told("there", pdb(1))
    desk.run(there.chance())
    desk.ended.clear()
    desk.ends = 0

    again = Told("there")
    desk.run(again.chance())

    assert again.asked == []
    assert (desk.arrival.path.read_bytes(), desk.arrival.url) == (pdb(1), "https://there")


def test_nothing_new_is_asked_once_the_program_ends(desk):
    first, second = Told("first", Absent("absent", ""), order=1), Told("second", pdb(1), order=2)
    first.go.clear()
    desk.begin(first.chance(), second.chance())
    while not first.asked:
        time.sleep(0.001)

    desk.stopping.set()
    first.go.set()

    assert desk.lanes.close(wait_seconds=PATIENCE)
    assert (desk.ends, second.asked) == (0, [])


def test_errors_are_fetch_errors():
    assert issubclass(Absent, FetchError)
