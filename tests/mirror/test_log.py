"""The log: one line for each request and for each upstream that was not asked, written in lots."""

from datetime import timedelta
from pathlib import Path

import pytest

from symsrv.ledger.state import open_state
from symsrv.mirror.base import Absent, Fetched, Refused, Try, Unavailable, WrongContent
from symsrv.mirror.log import Log
from symsrv.mirror.outcomes import End, NotAsked, Outcome
from symsrv.mirror.settings import UpstreamOptions
from symsrv.model.errors import StoreError
from symsrv.model.wants import want_key
from tests.mirror.wanting import NOW, want

OPTIONS = UpstreamOptions(name="there", url="https://there")
TRY = Try("a.pdb/1/a.pdb", "https://there/a.pdb/1/a.pdb")


@pytest.fixture
def state(tmp_path):
    one = open_state(f"sqlite:///{tmp_path}/state.sqlite")
    yield one
    one.close()


def test_each_kind_of_line_says_what_happened(state):
    log = Log(state)
    log.skipped(want(), Outcome(OPTIONS, End.LEFT_OUT, NotAsked.BLOCKED, "why", NOW + timedelta(1)))
    log.retried(want(), OPTIONS, TRY)
    fetched = Fetched(Path("x"), 7, address=TRY.address, tool="dump_syms 2")
    log.good(want(), OPTIONS, fetched, stage="converting", seconds=0.5)
    for error in (
        Absent("absent", "", status=404),
        Refused("too-big", "", sent=3),
        Unavailable("server-error", "", status=502),
        WrongContent("wrong-file", ""),
    ):
        log.failed(want(), OPTIONS, TRY, error, stage="receiving", seconds=0.25)
    log.not_stored(want(), "there", TRY.address, reason="locked")
    assert state.attempts.list() == []

    log.flush()

    lines = list(reversed(state.attempts.list()))
    assert [(one.stage, one.outcome, one.reason, one.status, one.bytes, one.milliseconds) for one in lines] == [
        ("downloading", "skipped", "blocked", None, 0, None),
        ("retrying", "failed", "", None, 0, None),
        ("converting", "ok", "", None, 7, 500),
        ("receiving", "absent", "absent", 404, 0, 250),
        ("receiving", "refused", "too-big", None, 3, 250),
        ("receiving", "failed", "server-error", 502, 0, 250),
        ("receiving", "failed", "wrong-file", None, 0, 250),
        ("storing", "failed", "locked", None, 0, None),
    ]
    its = ("there", want_key(want().ask), 1, "a.pdb")
    assert {(one.upstream, one.key, one.want, one.name) for one in lines} == {its}
    assert lines[2].tool == "dump_syms 2"
    assert [one.address for one in lines] == ["", *[TRY.address] * 7]


def test_a_second_flush_writes_nothing_again(state):
    log = Log(state)
    log.retried(want(), OPTIONS, TRY)

    log.flush()
    log.flush()

    assert len(state.attempts.list()) == 1


def test_what_could_not_be_written_is_written_later(state, monkeypatch):
    log = Log(state)
    log.retried(want(), OPTIONS, TRY)
    with monkeypatch.context() as broken:
        broken.setattr(state.attempts, "note", lambda *_: (_ for _ in ()).throw(StoreError("gone")))
        with pytest.raises(StoreError):
            log.flush()

    log.flush()

    assert len(state.attempts.list()) == 1
