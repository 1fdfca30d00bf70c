"""Builds are published when they are finished, and again when they change."""

import logging
import os
import shutil
import sys
import threading
import time
from pathlib import Path

import pytest

from symsrv.ingest.publish import publish
from symsrv.ingest.sources import discover
from symsrv.ingest.watch import WatchedFolder, Watcher
from symsrv.model.errors import BackendError, UsageError
from tests.ingest.files import build, elf, pdb, pe, written, zipped

QUIET = 0.3


class Watch:
    """A watcher in a thread, and what it published."""

    def __init__(self, disk, folder: Path, *, poll: float | None = 0.05, store=None, **options):
        self.receipts = []
        self.watcher = Watcher(
            store or disk.store,
            [
                WatchedFolder(
                    str(folder), **({"quiet_seconds": QUIET, "sweep_seconds": 0.5, "pair_seconds": 0} | options)
                )
            ],
            poll_seconds=poll,
            state=disk.root.parent / "state",
            on_receipt=self.receipts.append,
        )
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.watcher.run, args=(self.stop,))

    def __enter__(self) -> "Watch":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self.thread.join(10)
        assert not self.thread.is_alive()

    def wait(self, count: int, seconds: float = 10) -> None:
        ends = time.monotonic() + seconds
        while len(self.receipts) < count and time.monotonic() < ends:
            time.sleep(0.02)
        assert len(self.receipts) == count, [str(receipt) for receipt in self.receipts]

    def still(self, count: int, seconds: float = 4 * QUIET) -> None:
        time.sleep(seconds)
        assert len(self.receipts) == count, [str(receipt) for receipt in self.receipts]


def settled(path: Path) -> Path:
    """The file or folder as if it had been finished long ago; ctime cannot be set, so a moment passes."""
    time.sleep(QUIET)
    return path


@pytest.mark.parametrize("poll", [0.05, None])
def test_a_build_becomes_one_transaction_when_it_is_quiet(disk, tmp_path, poll):
    out = tmp_path / "out"
    out.mkdir()
    with Watch(disk, out, poll=poll, product="app", version="2") as watch:
        for number in range(1, 6):
            build(out, numbers=range(number, number + 1))
            time.sleep(QUIET / 3)
        assert watch.receipts == []
        watch.wait(1)
        watch.still(1)

    assert watch.receipts[0].to_record()["stored"] == 15
    assert len(watch.receipts[0].results) == 15  # what is no debug file is no news here
    (transaction,) = disk.store.documents()
    assert (transaction.product, transaction.version) == ("app", "2")


def test_what_was_there_before_is_published_too(disk, tmp_path):
    out = settled(build(tmp_path / "out"))

    with Watch(disk, out) as watch:
        watch.wait(1, 5)


def test_a_log_that_grows_for_ever_does_not_hold_a_build_up(disk, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    over = threading.Event()

    def grow():
        with open(out / "build.log", "ab", buffering=0) as log:
            while not over.is_set():
                log.write(b"line\n")
                time.sleep(0.02)

    writer = threading.Thread(target=grow)
    with Watch(disk, out) as watch:
        writer.start()
        build(out)
        watch.wait(1)
        over.set()
    writer.join()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who writes")
@pytest.mark.parametrize("begun", [b"", bytes(4096), pe()[:300]])
def test_a_linker_that_pauses_is_waited_for(disk, tmp_path, begun):
    out = tmp_path / "out"
    written(out / "app1.pdb", pdb())
    with open(out / "app1.exe", "wb", buffering=0) as linker, Watch(disk, out) as watch:
        linker.write(begun)
        watch.still(0)
        linker.seek(0)
        linker.write(pe())
        linker.truncate()
        linker.close()
        watch.wait(1)

    assert [result.status.value for result in watch.receipts[0].results] == ["stored", "stored"]


def test_a_file_that_changes_is_published_again_and_takes_its_own_place(disk, tmp_path):
    out = build(tmp_path / "out")
    with Watch(disk, out) as watch:
        watch.wait(1)
        written(out / "app1.pdb", pdb(tail=b"indexed"))  # source indexing keeps the id
        written(out / "app1.exe", pe(7))  # a rebuild does not
        watch.wait(3)
        watch.still(3)

    fresh, again = watch.receipts[1:]
    assert [result.key.split("/")[1] for result in fresh.results] == ["100000073000"]
    assert [result.replaced for result in again.results] == [True]
    assert disk.files()["app1.pdb/000000011514171618191A1B1C1D1E1F1/app1.pdb"] == pdb(tail=b"indexed")


def test_somebody_elses_file_stays(disk, tmp_path, caplog):
    other = written(tmp_path / "other" / "app1.pdb", pdb(tail=b"first"))
    publish(disk.store, discover([str(other)]))
    out = build(tmp_path / "out")
    with Watch(disk, out) as watch:
        watch.wait(1)
        watch.still(1)
        written(out / "app1.pdb", pdb(tail=b"indexed"))
        watch.wait(2)
        watch.still(2)

    assert [receipt.to_record()["conflicts"] for receipt in watch.receipts] == [1, 1]
    assert disk.files()["app1.pdb/000000011514171618191A1B1C1D1E1F1/app1.pdb"] == pdb(tail=b"first")
    assert [record.message for record in caplog.records].count("not published") == 2


def test_what_a_replace_put_there_since_is_not_ours_any_more(disk, tmp_path):
    out = build(tmp_path / "out")
    with Watch(disk, out) as watch:
        watch.wait(1)
        other = written(tmp_path / "other" / "app1.pdb", pdb(tail=b"theirs"))
        publish(disk.store, discover([str(other)]), replace=True)
        written(out / "app1.pdb", pdb(tail=b"indexed"))
        watch.wait(2)

    assert watch.receipts[1].to_record()["conflicts"] == 1


def test_a_bad_file_is_told_once_and_tried_again_when_it_changes(disk, tmp_path, caplog):
    out = build(tmp_path / "out")
    written(out / "app9.pdb", pdb(9)[:5000])
    with Watch(disk, out) as watch:
        watch.wait(1)
        watch.still(1)
        assert [record.message for record in caplog.records] == ["not published"]
        written(out / "app9.pdb", pdb(9))
        watch.wait(2)

    assert watch.receipts[0].to_record()["errors"] == 1
    assert watch.receipts[1].to_record()["stored"] == 1


def test_a_restart_remembers(disk, tmp_path):
    out = build(tmp_path / "out")
    with Watch(disk, out) as watch:
        watch.wait(1)
    with Watch(disk, out) as watch:
        watch.still(0)
        written(out / "new.so", elf(5))
        watch.wait(1)
    assert len(watch.receipts[0].results) == 1

    shutil.rmtree(tmp_path / "state")
    with Watch(disk, out) as watch:
        watch.wait(1)
    assert watch.receipts[0].to_record()["present"] == 4


def test_a_folder_that_vanishes_is_waited_for(disk, tmp_path, caplog):
    out = tmp_path / "out"
    with Watch(disk, out, poll=None) as watch:
        time.sleep(QUIET)
        build(out)
        watch.wait(1)
        shutil.rmtree(out)
        time.sleep(2 * QUIET)
        build(out, numbers=range(2, 3))
        watch.wait(2)

    assert [record.message for record in caplog.records].count("waiting for the folder to appear") == 2


def test_a_ready_file_says_when(disk, tmp_path):
    out = build(tmp_path / "out")
    with Watch(disk, out, ready_file="done") as watch:
        watch.still(0)
        written(out / "done", b"1")
        watch.wait(1)
        build(out, numbers=range(2, 3))
        watch.still(1)
        written(out / "done", b"22")
        watch.wait(2)
        watch.still(2)
    with Watch(disk, out, ready_file="done") as watch:
        watch.still(0)


def test_a_store_that_refuses_is_tried_again(disk, tmp_path, caplog, monkeypatch):
    monkeypatch.setattr("symsrv.ingest.watch_build._REFUSED_SECONDS", 0.1)
    refusals = [BackendError("unavailable", "try later", transient=True)] * 3
    real = disk.store.commit

    def commit(draft):
        if refusals:
            raise refusals.pop()
        return real(draft)

    monkeypatch.setattr(disk.store, "commit", commit)
    with Watch(disk, build(tmp_path / "out")) as watch:
        watch.wait(1)

    assert [record.message for record in caplog.records] == ["cannot publish, trying again"]
    assert disk.staged() == []


def test_include_and_exclude(disk, tmp_path):
    with Watch(disk, build(tmp_path / "out"), include=("*.pdb", "*.so"), exclude=("lib",)) as watch:
        watch.wait(1)

    assert [Path(result.path).name for result in watch.receipts[0].results] == ["app1.pdb"]


def test_a_store_inside_the_watched_folder_is_not_published(disk, tmp_path):
    build(tmp_path / "out")
    with Watch(disk, tmp_path) as watch:
        watch.wait(1)
        watch.still(1)


@pytest.mark.skipif(os.name == "nt", reason="rights as POSIX has them")
def test_a_file_that_cannot_be_read_is_told_once_and_taken_when_it_can(disk, tmp_path, caplog, monkeypatch):
    out = build(tmp_path / "out")
    denied = {str(out / "app1.pdb")}
    real = open

    def guarded(path, *arguments, **more):
        if path in denied:
            raise PermissionError(13, "Permission denied", path)
        return real(path, *arguments, **more)

    monkeypatch.setattr("symsrv.ingest.watch_build.open", guarded, raising=False)  # root may read everything
    with Watch(disk, out) as watch:
        watch.wait(1)
        watch.still(1)
        assert len(watch.receipts[0].results) == 2
        assert [record.message for record in caplog.records] == ["not published"]
        denied.clear()
        watch.wait(2)


class TestOnce:
    def watcher(self, disk, *folders: Path, **options) -> Watcher:
        options = {"quiet_seconds": QUIET, "pair_seconds": 0} | options
        return Watcher(disk.store, [WatchedFolder(str(folder), **options) for folder in folders], state=tmp_state(disk))

    def test_it_waits_for_quiet_and_publishes(self, disk, tmp_path):
        one, two = build(tmp_path / "one"), build(tmp_path / "two", numbers=range(2, 3))

        receipts = self.watcher(disk, one, two).once()

        assert [receipt.to_record()["stored"] for receipt in receipts] == [3, 3]
        assert self.watcher(disk, one, two).once() == []

    def test_what_is_old_is_published_at_once(self, disk, tmp_path):
        out = settled(build(tmp_path / "out"))
        began = time.monotonic()

        assert len(self.watcher(disk, out).once()) == 1
        assert time.monotonic() - began < 5

    def test_what_never_settles_is_an_error_and_the_rest_is_published(self, disk, tmp_path):
        out = build(tmp_path / "out")
        over = threading.Event()

        def rewrite():
            while not over.is_set():
                written(out / "app9.so", elf(9, tail=os.urandom(3)))
                time.sleep(0.02)

        writer = threading.Thread(target=rewrite)
        writer.start()
        try:
            (receipt,) = self.watcher(disk, out).once(patience_seconds=1)
        finally:
            over.set()
            writer.join()

        assert receipt.to_record()["stored"] == 3
        assert [result.reason for result in receipt.results if result.failed] == ["changed"]

    def test_a_ready_file_that_is_not_there_publishes_nothing(self, disk, tmp_path):
        out = build(tmp_path / "out")

        assert self.watcher(disk, out, ready_file="done").once() == []
        written(out / "done", b"")
        assert len(self.watcher(disk, out, ready_file="done").once()) == 1

    def test_a_folder_that_is_not_there_is_wrong_usage(self, disk, tmp_path):
        with pytest.raises(UsageError, match="nowhere"):
            self.watcher(disk, tmp_path / "nowhere").once()


def tmp_state(disk) -> Path:
    return disk.root.parent / "state"


def test_stopping_finishes_the_publish_under_way(disk, tmp_path, monkeypatch):
    begun, go_on = threading.Event(), threading.Event()
    real = disk.store.commit

    def commit(draft):
        begun.set()
        go_on.wait(10)
        return real(draft)

    monkeypatch.setattr(disk.store, "commit", commit)
    with Watch(disk, build(tmp_path / "out")) as watch:
        assert begun.wait(10)
        watch.stop.set()
        go_on.set()

    assert len(watch.receipts) == 1
    assert logging.getLogger("watchdog").handlers == []


def test_an_archive_in_a_build_is_published_once(disk, tmp_path, spools):
    out = tmp_path / "out"
    members = {"bin/app.exe": pe(), "app.pdb": pdb(), "readme.txt": b"no debug file"}
    written(out / "symbols.zip", zipped(members))

    with Watch(disk, out) as watch:
        watch.wait(1)
        watch.still(1)
        written(out / "symbols.zip", zipped(members | {"lib.so": elf()}))
        watch.wait(2)

    first, second = watch.receipts
    assert [result.path.rsplit("!")[-1] for result in first.results] == ["bin/app.exe", "app.pdb"]
    assert [result.status.value for result in second.results] == ["present", "present", "stored"]
    assert list(spools.iterdir()) == []


def test_an_archive_without_symbols_is_no_news(disk, tmp_path, spools):
    out = tmp_path / "out"
    written(out / "docs.zip", zipped({"readme.txt": b"no debug file"}))
    with Watch(disk, out) as watch:
        watch.still(0)
    with Watch(disk, out) as watch:
        written(out / "app.exe", pe())
        watch.wait(1)

    assert [result.path.rsplit("/")[-1] for result in watch.receipts[0].results] == ["app.exe"]


def test_what_an_archive_came_to_is_remembered_for_the_file(disk, tmp_path, spools):
    out = tmp_path / "out"
    written(out / "a.zip", zipped({"app.exe": pe(), "broken.pdb": pdb()[:5000]}))
    settled(out)

    def watcher():
        state = disk.root.parent / "state"
        return Watcher(disk.store, [WatchedFolder(str(out), quiet_seconds=QUIET)], state=state)

    (receipt,) = watcher().once()

    assert [result.status.value for result in receipt.results] == ["stored", "error"]
    assert watcher().once() == []


def test_folders_are_exchanged_while_watching_and_nothing_is_lost(disk, tmp_path, monkeypatch):
    one, two = build(tmp_path / "one"), build(tmp_path / "two", numbers=range(2, 3))
    begun, go_on = threading.Event(), threading.Event()
    real = disk.store.commit

    def commit(draft):
        begun.set()
        go_on.wait(10)
        return real(draft)

    monkeypatch.setattr(disk.store, "commit", commit)
    with Watch(disk, one) as watch:
        assert begun.wait(10)
        watch.watcher.reload([WatchedFolder(str(two), quiet_seconds=QUIET, pair_seconds=0.0)])
        go_on.set()
        watch.wait(2)
        written(one / "late.so", elf(7))
        watch.still(2)
        watch.watcher.reload(
            [WatchedFolder(str(folder), quiet_seconds=QUIET, pair_seconds=0.0, product="p") for folder in (two, one)]
        )
        watch.wait(3)
        written(two / "late.so", elf(8))
        watch.wait(4)

    assert [receipt.to_record()["stored"] for receipt in watch.receipts] == [3, 3, 1, 1]
    assert [one.product for one in disk.store.documents()] == ["", "", "p", "p"]


def test_without_folders_it_waits_for_some(disk, tmp_path):
    watcher = Watcher(disk.store, [])
    stop = threading.Event()
    thread = threading.Thread(target=watcher.run, args=(stop,))
    thread.start()
    out = tmp_path / "out"
    watcher.reload([WatchedFolder(str(build(out)), quiet_seconds=0.1, pair_seconds=0.0)])
    ends = time.monotonic() + 10
    while not disk.documents() and time.monotonic() < ends:
        time.sleep(0.02)
    stop.set()
    thread.join(10)

    assert disk.documents() == 1


def test_what_it_is_at(disk, tmp_path):
    out = build(tmp_path / "out")
    folders = [WatchedFolder(str(out)), WatchedFolder(str(tmp_path / "nowhere"))]
    watcher = Watcher(disk.store, folders)
    watcher.sweep()

    status = watcher.status()

    assert (status.folders, status.missing, status.files, status.pending, status.published) == (2, 1, 4, 3, 0)
    assert Path(status.waiting).parent in (out, out / "lib")


def test_a_big_idle_tree_is_swept_more_rarely(disk, tmp_path, monkeypatch):
    out = tmp_path / "out"
    out.mkdir()
    watcher = Watcher(disk.store, [WatchedFolder(str(out))])
    (one,) = watcher._builds
    events = type("Heard", (), {"alive": lambda *_: True})()
    times = iter([0.0, 2.0] * 2)
    monkeypatch.setattr("symsrv.ingest.watch.time.thread_time", lambda: next(times))
    began = time.monotonic()

    watcher._turn(one, events)
    assert one.latest - began > 299
    watcher._poll_seconds = 1.0
    watcher._turn(one, events)
    assert one.latest - began < 10


def test_once_waits_for_the_pdb_of_a_program(disk, tmp_path):
    out = tmp_path / "out"
    written(out / "app1.exe", pe())
    timer = threading.Timer(3 * QUIET, lambda: written(out / "app1.pdb", pdb()))
    timer.start()
    folder = WatchedFolder(str(out), quiet_seconds=QUIET, pair_seconds=30.0)

    (receipt,) = Watcher(disk.store, [folder]).once()

    timer.join()
    assert receipt.to_record()["stored"] == 2
