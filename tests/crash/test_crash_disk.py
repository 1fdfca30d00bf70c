"""Every prefix of what a writer does to a disk, as a crash may leave it, keeps the invariants of docs/store.md."""

import itertools
import shutil
from pathlib import Path

import pytest

from symsrv.backends.disk import Disk
from symsrv.backends.files import Files
from symsrv.backends.unsynced import MANY
from symsrv.store import SymbolStore
from tests.crash.checking import check_after_recovery, check_as_it_lies, check_repair, sha256_of
from tests.crash.scenarios import REPAIRS, SCENARIOS, Scenario
from tests.crash.simulated import CRASHES, Crash, Recorder, lay_down, surviving


class Recorded:
    """A scenario's durable start, the log of its deed, and from where on each number had been reported as done."""

    def __init__(self, scenario: Scenario, folder, *, many: int) -> None:
        self.repairs = scenario.repairs
        self.work = folder / "work"
        live = folder / "live"
        with_store(live, lambda store: scenario.setup(store, self.work))
        self.base = folder / "base"
        shutil.copytree(live, self.base)
        recorder = Recorder(live)
        self.done: list[tuple[int, int]] = []
        store = SymbolStore(Disk(live, files=recorder, many=many), index_url="sqlite://")
        self.whole = self.before = sha256_of(self.base.rglob("*.dll*"))
        scenario.deed(store, self.work, lambda number: self.done.append((len(recorder.log), number)))
        store.close()
        self.whole = self.whole | sha256_of(path for path in live.rglob("*") if path.is_file())
        self.whole |= sha256_of(self.work.rglob("*.dll"))
        self.log = recorder.log


class Unhurried(Files):
    """What is checked after a crash need not be durable itself."""

    def sync_file(self, path):
        pass

    def sync_folder(self, path):
        pass


def with_store(folder, action) -> None:
    folder.mkdir(exist_ok=True)
    store = SymbolStore(Disk(folder, files=Unhurried(folder)), index_url="sqlite://")
    try:
        action(store)
    finally:
        store.close()


@pytest.fixture(scope="module", params=[MANY, 1], ids=["synced one by one", "synced at once"])
def many(request) -> int:
    return request.param


@pytest.fixture(scope="module", params=(*SCENARIOS, *REPAIRS), ids=lambda scenario: scenario.name)
def recorded(request, many, tmp_path_factory) -> Recorded:
    return Recorded(request.param, tmp_path_factory.mktemp("recorded"), many=many)


@pytest.mark.parametrize("crash", CRASHES, ids=lambda crash: crash.name)
def test_every_prefix_keeps_the_invariants(recorded: Recorded, crash: Crash, tmp_path):
    assert recorded.done, "the scenario commits something"
    last = None
    for length in range(len(recorded.log) + 1):
        if crash.tear and (length == 0 or recorded.log[length - 1].verb != "append"):
            continue
        done = [number for position, number in recorded.done if position <= length]
        state = surviving(recorded.base, recorded.log[:length], crash)
        if (state, done) == last:
            continue  # an fsync changes nothing for who is killed, a write nothing for who loses power
        last = (state, done)
        folder = tmp_path / "crashed"
        lay_down(state, folder)
        try:
            with_store(folder, lambda store, done=done: _check(store, recorded, done, tmp_path))
        except AssertionError as exc:
            before = [f"{op.verb} {op.path} {op.target}" for op in recorded.log[max(0, length - 5) : length]]
            raise AssertionError(f"after {length} of {len(recorded.log)} operations, the last {before}: {exc}") from exc
        shutil.rmtree(folder)


def _check(store: SymbolStore, recorded: Recorded, done: list[int], tmp_path) -> None:
    used = check_as_it_lies(store, recorded.whole, done)
    if recorded.repairs:
        check_repair(store, recorded.before, lambda: list(Path(store.url).rglob("*.dll*")))
    check_after_recovery(store, tmp_path / "work", used)


def test_the_log_tells_everything(recorded: Recorded, tmp_path):
    """Replaying the whole log gives the folder that the real writer left: the recording misses nothing."""
    lay_down(surviving(recorded.base, recorded.log, CRASHES[0]), tmp_path / "replayed")
    live = recorded.base.parent / "live"

    def contents(root):
        files = {path.relative_to(root).as_posix(): path for path in root.rglob("*") if path.is_file()}
        return {name: path.read_bytes() for name, path in files.items() if "/lock" not in name}

    assert contents(tmp_path / "replayed") == contents(live)


def test_unsynced_bytes_are_lost_in_the_simulation(tmp_path):
    """The simulation can fail: a rename without the fsync before it leaves an empty file after a power loss."""
    (tmp_path / "base").mkdir()
    (tmp_path / "live").mkdir()
    recorder = Recorder(tmp_path / "live")
    recorder.write_new("a.tmp", b"bytes")
    recorder.replace("a.tmp", "a")
    recorder.sync_folder("")

    states = {}
    for crash in itertools.islice(CRASHES, 2, None):
        states[crash.name] = surviving(tmp_path / "base", recorder.log, crash)["a"]

    assert states == {"power lost": b"", "power lost, names kept": b"", "power lost, bytes kept": b"bytes"}
