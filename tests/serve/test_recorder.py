"""Misses on their way to the missing list: counted, coalesced, bounded, and in nobody's way."""

import logging
import threading
from datetime import UTC, datetime

import pytest

from symsrv.model.errors import StoreError
from symsrv.model.wants import WantState, want_key
from symsrv.serve.recorder import BATCH_WISHES, Recorder

PDB = b"/crash.pdb/3249D99D0C4049318610F4E4FB0B69361/crash.pdb"
PACKED = PDB[:-1] + b"_"
EXE = b"/app.exe/5AB380779000/app.exe"


class Wants:
    """A missing list in memory that notes each batch, and may be slow, full or broken."""

    def __init__(self, *, held=0, error=None):
        self.batches = []
        self.held = held
        self.error = error
        self.open = threading.Event()
        self.open.set()
        self.came = threading.Semaphore(0)

    def file(self, wishes):
        self.came.release()
        assert self.open.wait(20)
        if self.error is not None:
            raise self.error
        self.batches.append(wishes)

    def counts(self):
        return {WantState.OPEN: self.held}

    @property
    def counted(self):
        return {(want_key(one.ask), one.who): one.count for batch in self.batches for one in batch}


@pytest.fixture
def numbers():
    found = {}

    def count(outcome, number):
        found[outcome] = found.get(outcome, 0) + number

    count.found = found
    return count


def test_misses_become_one_wish_for_each_want_and_kind_of_client():
    wants = Wants()
    recorder = Recorder(wants, every_seconds=60)
    before = datetime.now(UTC)

    for raw, kind in [(PDB, "windbg"), (PDB.lower(), "windbg"), (EXE, "curl"), (PDB, "curl"), (EXE, "curl")]:
        recorder.miss(raw, kind)
    recorder.close()

    (batch,) = wants.batches
    assert [(one.ask.name, one.who, one.count) for one in batch] == [
        ("crash.pdb", "serve:windbg", 2),
        ("app.exe", "serve:curl", 2),
        ("crash.pdb", "serve:curl", 1),
    ]
    assert all(before <= one.seen <= datetime.now(UTC) and not one.urgent for one in batch)


def test_a_debugger_that_tries_the_packed_name_too_wishes_once():
    wants = Wants()
    recorder = Recorder(wants, every_seconds=60)

    for raw in (PDB, PACKED, PDB, PACKED, EXE[:-1] + b"_"):
        recorder.miss(raw, "windbg")
    recorder.close()

    assert sorted(wants.counted.values()) == [1, 2]


def test_what_nobody_wishes_for_is_not_recorded():
    wants = Wants()
    recorder = Recorder(wants, every_seconds=60)

    recorder.miss(b"/a.exe/000000000/a.exe", "windbg")
    recorder.miss(b"/robots.txt", "browser")
    recorder.close()

    assert wants.batches == []


def test_a_thread_files_what_was_missed(numbers):
    wants = Wants()
    recorder = Recorder(wants, every_seconds=0.01, counted=numbers)

    recorder.miss(PDB, "windbg")
    assert wants.came.acquire(timeout=20)
    recorder.miss(EXE, "windbg")
    assert wants.came.acquire(timeout=20)
    recorder.close()

    assert [len(one) for one in wants.batches] == [1, 1]
    assert numbers.found == {"recorded": 2}


def test_a_slow_list_holds_up_nobody_and_what_has_no_room_is_dropped(numbers, caplog):
    wants = Wants()
    wants.open.clear()
    recorder = Recorder(wants, every_seconds=0.01, limit=3, counted=numbers)
    recorder.miss(PDB, "windbg")
    assert wants.came.acquire(timeout=20)  # it hangs in there

    for number in range(10):
        recorder.miss(b"/a%d.exe/5AB380779000/a%d.exe" % (number, number), "windbg")
        recorder.miss(PDB, "windbg")
    wants.open.set()
    recorder.close()

    assert numbers.found["dropped"] == 10 - 2
    assert wants.counted["debug:debug:3249d99d0c4049318610f4e4fb0b69361:crash.pdb", "serve:windbg"] == 10
    assert any(one.message == "misses were not recorded" for one in caplog.records)


def test_long_paths_have_room_by_their_bytes(numbers):
    wants = Wants()
    recorder = Recorder(wants, every_seconds=60, limit_bytes=200, counted=numbers)

    for number in range(10):
        recorder.miss(b"/a%d.exe/5AB380779000/a%d.exe" % (number, number) + b"/" * 40, "windbg")
    recorder.close()

    assert numbers.found["dropped"] == 8


def test_a_list_that_fails_loses_a_batch_and_nothing_else(numbers, caplog):
    wants = Wants(error=StoreError("the database is away"))
    recorder = Recorder(wants, every_seconds=60, counted=numbers)
    recorder.miss(PDB, "windbg")
    recorder.flush()
    wants.error = None
    recorder.miss(PDB, "windbg")

    recorder.close()

    assert numbers.found == {"dropped": 1, "recorded": 1}
    (complaint,) = [one for one in caplog.records if one.levelno == logging.WARNING]
    assert complaint.error == "the database is away"


def test_a_full_list_is_left_as_it_is(numbers, caplog):
    recorder = Recorder(Wants(held=5), every_seconds=60, limit_wants=5, counted=numbers)

    recorder.miss(PDB, "windbg")
    recorder.close()

    assert numbers.found == {"dropped": 1}
    assert "missing list is full" in caplog.text


def test_many_misses_come_in_batches():
    wants = Wants()
    recorder = Recorder(wants, every_seconds=60)

    for number in range(BATCH_WISHES + 1):
        recorder.miss(b"/a%d.exe/5AB380779000/a%d.exe" % (number, number), "windbg")
    recorder.close()

    assert [len(one) for one in wants.batches] == [BATCH_WISHES, 1]


def test_misses_from_many_threads_are_all_counted(numbers):
    wants = Wants()
    recorder = Recorder(wants, every_seconds=0.001, counted=numbers)

    def ask():
        for _ in range(2000):
            recorder.miss(PDB, "windbg")

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    recorder.close()

    assert sum(wish.count for batch in wants.batches for wish in batch) == 8000
    assert numbers.found == {"recorded": 8000}


def test_nothing_is_filed_where_nothing_was_missed():
    wants = Wants()

    recorder = Recorder(wants)
    recorder.flush()
    recorder.close()

    assert wants.batches == []


def test_what_was_published_before_its_miss_was_filed_is_not_wanted():
    wants, revision, looked = Wants(), [1], []

    def here(ask):
        looked.append(ask.name)
        return ask.name == "app.exe"

    recorder = Recorder(wants, every_seconds=60, revision=lambda: revision[0], here=here)
    for raw in (PDB, EXE):
        recorder.miss(raw, "windbg")
    recorder.flush()
    assert looked == []  # nothing was published: nothing is looked up

    for raw in (PDB, EXE):
        recorder.miss(raw, "windbg")
    revision[0] = 2
    recorder.close()

    assert [[one.ask.name for one in batch] for batch in wants.batches] == [["crash.pdb", "app.exe"], ["crash.pdb"]]
