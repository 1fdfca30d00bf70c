"""When a build is finished, by a clock that the test turns."""

import os
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from symsrv.ingest.memory import Memory
from symsrv.ingest.watch import Watcher
from symsrv.ingest.watch_build import Build, Clock, WatchedFolder, first_look
from tests.ingest.files import build, elf, pdb, pe, written, zipped
from tests.made.version_builder import versioned


@dataclass
class Hands:
    """A clock with two hands, each turned by itself."""

    now: float = 1000.0
    wall: float = field(default_factory=time.time)

    def clock(self) -> Clock:
        return Clock(lambda: self.now, lambda: self.wall)

    def turn(self, seconds: float) -> None:
        self.now += seconds
        self.wall += seconds


class Turned:
    """A watcher that is swept by hand, once a second of its clock."""

    def __init__(self, disk, *folders: Path, **options):
        self.hands = Hands()
        self.receipts = []
        self.watcher = Watcher(
            disk.store,
            [WatchedFolder(str(folder), **({"pair_seconds": 0.0} | options)) for folder in folders],
            state=disk.root.parent / "state",
            on_receipt=self.receipts.append,
            clock=self.hands.clock(),
        )
        self.watcher.sweep()

    def pass_by(self, seconds: float) -> None:
        for _ in range(int(seconds)):
            self.hands.turn(1)
            self.watcher.sweep()

    @property
    def counts(self) -> list[tuple[int, int, int]]:
        records = [receipt.to_record() for receipt in self.receipts]
        return [(one["stored"], one["present"], one["conflicts"] + one["errors"]) for one in records]


@pytest.fixture
def out(tmp_path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def test_a_linker_that_writes_in_ten_bursts_and_the_header_last(disk, out):
    watch = Turned(disk, out)
    whole = pdb() + bytes(40_960)
    head, rest = whole[:4096], whole[4096:]
    path = written(out / "app.pdb", bytes(4096))
    step = len(rest) // 10
    written(out / "app.exe", pe())
    for burst in range(10):
        with path.open("ab") as stream:
            stream.write(rest[burst * step : (burst + 1) * step if burst < 9 else None])
        watch.pass_by(2)
    assert watch.receipts == []
    with path.open("r+b") as stream:
        stream.write(head)
    watch.pass_by(20)

    assert watch.counts == [(2, 0, 0)]
    assert whole in disk.files().values()


def test_the_wall_clock_may_jump_as_it_likes(disk, out):
    watch = Turned(disk, out)
    written(out / "a.so", elf(1))
    watch.hands.wall -= 86_400
    watch.pass_by(3)
    watch.hands.wall += 10 * 86_400
    written(out / "b.so", elf(2))
    watch.pass_by(4)
    assert watch.receipts == []
    watch.pass_by(3)

    assert watch.counts == [(2, 0, 0)]
    watch.pass_by(20)
    assert len(watch.receipts) == 1


def test_times_of_change_in_the_future_and_long_ago(disk, out):
    for number, offset in enumerate((86_400, -86_400, 0), 1):
        when = time.time() + offset
        os.utime(written(out / f"{number}.so", elf(number)), (when, when))
    watch = Turned(disk, out)
    watch.pass_by(4)
    assert watch.receipts == []
    watch.pass_by(30)

    assert watch.counts == [(3, 0, 0)]


def test_a_build_that_deletes_and_rebuilds(disk, out):
    build(out, numbers=range(1, 4))
    watch = Turned(disk, out)
    watch.pass_by(7)
    assert watch.counts == [(9, 0, 0)]
    for round_ in range(3):
        shutil.rmtree(out)
        watch.pass_by(2)
        build(out, numbers=range(1, 3))
        watch.pass_by(2)
        written(out / "app1.exe", pe(1, tail=bytes([round_])))
        build(out, numbers=range(3, 4))
        watch.pass_by(4)
    assert len(watch.receipts) == 1
    watch.pass_by(8)

    assert watch.counts[1:] == [(1, 8, 0)]
    assert watch.receipts[1].results[0].replaced
    assert pe(1, tail=b"\2") in disk.files().values()


def test_a_program_waits_for_its_pdb_but_not_for_ever(disk, out):
    watch = Turned(disk, out, pair_seconds=20.0)
    written(out / "app.exe", pe(1))
    watch.pass_by(12)
    assert watch.receipts == []
    written(out / "made.pdb", pdb(1))
    watch.pass_by(7)
    assert watch.counts == [(2, 0, 0)]

    written(out / "vendor.dll", pe(2))
    watch.pass_by(18)
    assert len(watch.receipts) == 1
    watch.pass_by(3)
    assert watch.counts[1:] == [(1, 0, 0)]


def test_a_pdb_of_another_build_does_not_count(disk, out):
    watch = Turned(disk, out, pair_seconds=20.0)
    written(out / "made.pdb", pdb(1))
    written(out / "app.exe", pe(2))
    watch.pass_by(12)
    assert watch.receipts == []
    written(out / "made.pdb", pdb(2))
    watch.pass_by(7)

    assert watch.counts == [(2, 0, 0)]


def test_a_file_that_its_writer_locks_is_waited_for(disk, out, monkeypatch):
    monkeypatch.setattr("symsrv.ingest.watch_build.WRITERS_LOCK", True)
    written(out / "app.exe", pe())
    locked = written(out / "app.pdb", pdb())
    denied = {str(locked)}

    def guarded(path):
        if path in denied:
            raise PermissionError(13, "The process cannot access the file", path)
        return first_look(path)

    monkeypatch.setattr("symsrv.ingest.watch_build.first_look", guarded)
    watch = Turned(disk, out)
    watch.pass_by(30)
    assert watch.receipts == []
    denied.clear()
    watch.pass_by(7)
    assert watch.counts == [(2, 0, 0)]

    denied.add(str(written(out / "for-ever.exe", pe(3))))
    written(out / "other.so", elf(4))
    watch.pass_by(30)
    assert len(watch.receipts) == 1
    watch.pass_by(40)
    assert watch.counts[1:] == [(1, 0, 0)]


def test_what_cannot_be_read_while_publishing_is_tried_again_ever_more_rarely(disk, out, monkeypatch, caplog):
    import symsrv.ingest.draft as drafting

    real, attempts = drafting.identify_path, []

    def refuse(path, name):
        if name == "app.exe":
            attempts.append(path)
            raise PermissionError(13, "locked", str(path))
        return real(path, name)

    monkeypatch.setattr("symsrv.ingest.draft.identify_path", refuse)
    written(out / "app.exe", pe())
    written(out / "lib.so", elf())
    watch = Turned(disk, out)
    watch.pass_by(120)

    assert watch.counts == [(1, 0, 1)]
    assert len(attempts) < 10
    assert [record.reason for record in caplog.records if record.message == "not published"] == ["unreadable"]
    monkeypatch.undo()
    watch.pass_by(70)
    assert watch.counts[1:] == [(1, 0, 0)]


def test_a_file_replaced_by_rename_keeping_its_time(disk, out):
    path = written(out / "app.pdb", pdb())
    watch = Turned(disk, out)
    watch.pass_by(7)
    status = path.stat()
    fresh = written(out.parent / "fresh", pdb(tail=b"signed"))
    os.utime(fresh, ns=(status.st_atime_ns, status.st_mtime_ns))
    fresh.replace(path)
    watch.pass_by(7)

    assert [receipt.results[0].replaced for receipt in watch.receipts] == [False, True]


def test_trees_that_appear_full_and_by_moving(disk, out, tmp_path):
    watch = Turned(disk, out)
    build(tmp_path / "elsewhere", numbers=range(1, 20))
    (tmp_path / "elsewhere").rename(out / "moved")
    build(out / "full" / "deep", numbers=range(20, 40))
    watch.pass_by(8)

    assert watch.counts == [(39 * 3, 0, 0)]
    (out / "moved").rename(out / "moved-again")
    watch.pass_by(8)
    assert watch.counts[1:] == [(0, 19 * 3, 0)]


def test_somebody_elses_file_makes_room_when_the_folder_says_so(disk, out):
    path = written(out / "app.pdb", pdb(tail=b"theirs"))
    Turned(disk, out).pass_by(7)
    path.unlink()
    written(out / "twin.pdb", pdb()).rename(path)
    shutil.rmtree(disk.root.parent / "state")

    watch = Turned(disk, out, replace=True)
    watch.pass_by(7)

    assert watch.receipts[0].results[0].replaced


def test_the_version_is_what_the_build_says(disk, out):
    written(out / "VERSION", b"7.1\n")
    written(out / "app.exe", versioned((4, 3, 2, 1)))
    watch = Turned(disk, out, version="{file:VERSION}+{pe}")
    watch.pass_by(7)
    written(out / "lib.so", elf())
    watch.pass_by(7)

    assert [one.version for one in disk.store.documents()] == ["7.1+4.3.2.1"] * 2


def test_a_template_that_is_none_does_not_stop_a_publish(disk, out, caplog):
    written(out / "lib.so", elf())
    watch = Turned(disk, out, version="{gti}")
    watch.pass_by(7)

    assert watch.counts == [(1, 0, 0)]
    assert "no version" in caplog.text


def test_empty_files_are_ordinary_after_a_while(out):
    hands = Hands()
    one = Build(WatchedFolder(str(out)), Memory(None), hands.clock())
    one.look()
    for number in range(5):
        written(out / f"{number}.stamp", bytes(number))
    one.look()
    assert len(one.live) == 5
    hands.turn(6)
    one.look()

    assert one.live == {}
    assert len(one.memory.others) == 5
    assert one.files == 5


def test_a_sweep_that_finds_nothing_new_opens_nothing(disk, out, monkeypatch):
    build(out, numbers=range(1, 4))
    written(out / "objects.zip", zipped({"readme.txt": b"x"}))
    watch = Turned(disk, out)
    watch.pass_by(7)

    def opened(path):
        raise AssertionError(path)

    monkeypatch.setattr("symsrv.ingest.watch_build.first_look", opened)
    watch.pass_by(5)
    monkeypatch.setattr("symsrv.ingest.watch_build.Build._age", lambda *_: 0.0)
    for one in watch.watcher._builds:
        one.memory.save_others()
    again = Turned(disk, out)
    again.pass_by(5)

    assert again.receipts == []


def test_a_folder_on_a_network_disk_is_not_listened_to(out, monkeypatch, caplog):
    monkeypatch.setattr("symsrv.ingest.watch_build.is_remote", lambda _: True)

    assert not Build(WatchedFolder(str(out)), Memory(None)).listens
    monkeypatch.setattr("symsrv.ingest.watch_build.is_remote", lambda _: False)
    assert Build(WatchedFolder(str(out)), Memory(None)).listens
    assert not Build(WatchedFolder(str(out), poll_seconds=1.0), Memory(None)).listens


def test_a_file_that_was_finished_since_it_was_looked_at_is_waited_for(out):
    hands = Hands()
    one = Build(WatchedFolder(str(out)), Memory(None), hands.clock())
    path = written(out / "app.exe", pe())
    one.look()
    hands.turn(60)
    assert one.unsettled() == []

    with path.open("ab") as linker:
        linker.write(b"more")

    assert one.unsettled() == [str(path)]
