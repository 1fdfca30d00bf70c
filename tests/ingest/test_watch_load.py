"""Watching under load: every final file is published once, and none half; the counts are printed.

The small ones run with the others. The big ones: `pytest -m prove tests/ingest/test_watch_load.py -s`, and with 2,000
files in 200 folders, `-m interop`.
"""

import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from symsrv.formats import identify_path
from symsrv.ingest.watch import WatchedFolder, Watcher
from symsrv.layouts import home
from tests.ingest.files import elf, pdb, pe, written

QUIET = 0.5
MAKERS: tuple[tuple[str, Callable[[int], bytes]], ...] = (("exe", pe), ("pdb", pdb), ("so", elf), ("txt", str))

sizes = pytest.mark.parametrize(
    ("files", "folders"),
    [
        pytest.param(200, 40, id="small"),
        pytest.param(2_000, 200, id="some", marks=pytest.mark.interop),
        pytest.param(20_000, 2_000, id="all", marks=pytest.mark.prove),
    ],
)
ways = pytest.mark.parametrize("way", ["events", "polling", "deaf"])
rebuilds = pytest.mark.parametrize(
    ("files", "folders", "way"),
    [
        pytest.param(200, 40, "events", id="small"),
        *(pytest.param(2_000, 200, way, id=f"some-{way}", marks=pytest.mark.interop) for way in ("polling", "deaf")),
        *(pytest.param(20_000, 2_000, way, id=f"all-{way}", marks=pytest.mark.prove) for way in ("events", "deaf")),
    ],
)


class Watching:
    """A watcher in a thread: with events, polling, or promised events that never come."""

    def __init__(self, disk, out: Path, way: str):
        options = {"poll_seconds": 0.2} if way == "polling" else {"sweep_seconds": 1.0}
        folder = WatchedFolder(str(out), quiet_seconds=QUIET, pair_seconds=0.0, **options)
        self.receipts = []
        self.watcher = Watcher(disk.store, [folder], state=disk.root.parent / "state", on_receipt=self.receipts.append)
        if way == "deaf":
            self.watcher._hear = lambda _folder: None
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.watcher.run, args=(self.stop,))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join(60)
        assert not self.thread.is_alive()

    def stored(self) -> Counter[str]:
        return Counter(
            one.key for receipt in self.receipts for one in receipt.results if one.status == "stored" and one.key
        )

    def wait(self, out: Path, seconds: float) -> dict[str, str]:
        """Waits until all that lies in the folder is published, and a while for what must not come any more."""
        wanted = expected(out)
        ends = time.monotonic() + seconds
        while wanted.keys() - self.stored().keys() and time.monotonic() < ends:
            time.sleep(0.1)
        time.sleep(2 * QUIET)
        return wanted


def expected(out: Path) -> dict[str, str]:
    """The homes of all symbols in a folder, and their hashes."""
    found = {}
    for path in out.rglob("*"):
        if path.is_file() and path.suffix in (".exe", ".pdb", ".so"):
            found[home(identify_path(path)[0])] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def there(disk) -> dict[str, str]:
    return {key: hashlib.sha256(data).hexdigest() for key, data in disk.files().items()}


def make(out: Path, files: int, folders: int, first: int = 0) -> None:
    """Makes files in folders that appear on the way: some in full, some by a move, some piece by piece."""
    chosen = random.Random(files)
    per_folder = files // folders
    for number in range(folders):
        folder = out / f"module{number % 10}" / f"part{number}"
        place = out.parent / "elsewhere" / str(number) if number % 7 == 0 else folder
        for at in range(per_folder):
            own = first + number * per_folder + at + 1
            ending, maker = MAKERS[own % len(MAKERS)]
            made = maker(own)
            data = made.encode() if isinstance(made, str) else made
            path = place / f"file{own}.{ending}"
            if chosen.random() < 0.05:
                written(path, data[: len(data) // 2])
                with path.open("ab") as stream:
                    stream.write(data[len(data) // 2 :])
            elif chosen.random() < 0.05:
                written(place / "spare.tmp", data).replace(path)
            else:
                written(path, data)
        if place != folder:
            shutil.rmtree(folder, ignore_errors=True)
            folder.parent.mkdir(parents=True, exist_ok=True)
            place.rename(folder)


def counted(what: str, disk, watching, wanted: dict[str, str]) -> None:
    """Prints what came of it, and holds it to what was to come."""
    stored, results = watching.stored(), there(disk)
    again = sum(count - 1 for count in stored.values())
    lost, other = wanted.keys() - results.keys(), [key for key in wanted if results.get(key, "") != wanted[key]]
    print(
        f"\n{what}: {len(wanted)} files wanted, {len(stored)} published in {len(watching.receipts)} transactions, "
        f"{again} more than once, {len(lost)} lost, {len(other) - len(lost)} half or old"
    )
    assert not lost
    assert not other
    assert set(stored) == set(results)
    assert not again


@sizes
@ways
def test_many_files_in_many_folders_made_while_watching(disk, tmp_path, files, folders, way):
    out = tmp_path / "out"
    out.mkdir()
    with Watching(disk, out, way) as watching:
        make(out, files, folders)
        wanted = watching.wait(out, 30 + files / 20)

    counted(f"{files} files in {folders} folders, {way}", disk, watching, wanted)


@sizes
def test_events_that_are_lost(disk, tmp_path, files, folders, monkeypatch):
    """Nothing is heard of what is made, and then watchdog says that its queue ran over."""
    out = tmp_path / "out"
    out.mkdir()
    monkeypatch.setattr("symsrv.ingest.events._handler", lambda _heard: _deaf())
    with Watching(disk, out, "events") as watching:
        make(out, files, folders)
        import logging

        logging.getLogger("watchdog.observers.inotify").warning("Inotify queue overflowed")
        wanted = watching.wait(out, 30 + files / 20)

    counted(f"{files} files, events lost", disk, watching, wanted)


def _deaf():
    from watchdog.events import FileSystemEventHandler

    return FileSystemEventHandler()


@sizes
def test_a_consumer_that_stands_still_while_a_build_goes_on(disk, tmp_path, files, folders, monkeypatch):
    out = tmp_path / "out"
    begun, go_on = threading.Event(), threading.Event()
    real = disk.store.commit

    def commit(draft):
        begun.set()
        go_on.wait(300)
        return real(draft)

    monkeypatch.setattr(disk.store, "commit", commit)
    written(out / "first.so", elf(10_000_000))
    with Watching(disk, out, "events") as watching:
        assert begun.wait(20)
        make(out, files, folders)
        shutil.rmtree(out / "module3")
        make(out, files // 10, max(1, folders // 10), first=1_000_000)
        go_on.set()
        wanted = watching.wait(out, 30 + files / 20)

    counted(f"{files} files, the consumer stood still", disk, watching, wanted)


@rebuilds
def test_builds_that_delete_and_rebuild(disk, tmp_path, files, folders, way):
    out = tmp_path / "out"
    out.mkdir()
    with Watching(disk, out, way) as watching:
        for _ in range(3):
            make(out, files // 2, folders // 2)
            time.sleep(QUIET / 4)
            for folder in list(out.iterdir())[:5]:
                shutil.rmtree(folder)
        make(out, files // 2, folders // 2)
        wanted = watching.wait(out, 30 + files / 20)

    counted(f"{files // 2} files rebuilt, {way}", disk, watching, wanted)


@pytest.mark.skipif(sys.platform != "linux", reason="the queue and its limit are Linux'")
@pytest.mark.parametrize(
    ("files", "folders"),
    [
        pytest.param(20_000, 200, id="some", marks=pytest.mark.interop),
        pytest.param(20_000, 2_000, id="all", marks=pytest.mark.prove),
    ],
)
def test_a_process_that_is_stopped_until_its_queue_runs_over(tmp_path, files, folders):
    """A real overflow: the kernel's queue holds 16,384 events, and nobody reads it."""
    out, store = tmp_path / "out", tmp_path / "store"
    for number in range(folders):  # only folders that are watched already fill the queue
        (out / f"module{number % 10}" / f"part{number}").mkdir(parents=True)
    written(out / "first.so", elf(10_000_000))
    command = [
        sys.executable,
        "-m",
        "symsrv",
        "watch",
        str(out),
        "--store",
        str(store),
        "--quiet",
        "1s",
        "--sweep",
        "1h",
    ]
    environment = os.environ | {"XDG_STATE_HOME": str(tmp_path / "state")}
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            [*command, "--sweep", "1h"],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
        )
        try:
            _until(lambda: (store / ".symsrv" / "transactions").is_dir() and any(_documents(store)), 60)
            process.send_signal(signal.SIGSTOP)
            for number in range(files):
                folder = number % folders
                path = out / f"module{folder % 10}" / f"part{folder}" / f"file{number}.so"
                path.write_bytes(elf(number + 1))
            process.send_signal(signal.SIGCONT)
            wanted = expected(out)
            _until(lambda: len(list(store.glob("*.so/*/*.so"))) >= len(wanted), 600)
            time.sleep(5)
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 128 + signal.SIGTERM
        finally:
            process.kill()
            process.wait()
    half = sum(hashlib.sha256((store / key).read_bytes()).hexdigest() != known for key, known in wanted.items())
    ran_over = "overflowed" in (tmp_path / "log").read_text()
    transactions = len(list(_documents(store)))
    print(
        f"\nstopped while {files} files were made: overflow {'seen' if ran_over else 'not seen'}, "
        f"{len(wanted)} wanted, {transactions} transactions, {half} half"
    )
    assert ran_over
    assert half == 0


def _documents(store: Path):
    return (store / ".symsrv" / "transactions").glob("*.jsonl")


def _until(done: Callable[[], bool], seconds: float) -> None:
    ends = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < ends
        time.sleep(0.2)
