"""What is synced, and when."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from symsrv.backends.files import Files
from symsrv.backends.unsynced import Unsynced, chain, parent


class Counting(Files):
    """Notes what was synced; fails or waits when told to."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.synced: list[str] = []
        self.failing: set[str] = set()
        self.gate = threading.Event()
        self.gate.set()

    def sync_file(self, path: str) -> None:
        self._sync(path)

    def sync_folder(self, path: str) -> None:
        self._sync(path)

    def _sync(self, path: str) -> None:
        self.gate.wait(10)
        if path in self.failing:
            raise OSError(5, "I/O error")
        if "gone" in path:
            raise FileNotFoundError(path)
        self.synced.append(path)


@pytest.fixture
def files(tmp_path: Path) -> Counting:
    return Counting(tmp_path)


def test_a_chain_ends_at_the_root():
    assert list(chain("a/b/c")) == ["a/b/c", "a/b", "a", ""]
    assert list(chain("")) == [""]
    assert parent("a/b") == "a"
    assert parent("a") == parent("") == ""


def test_each_is_synced_once(files: Counting):
    unsynced = Unsynced(files)
    for number in range(20):
        unsynced.note_folder(f"a.pdb/{number}")
        unsynced.note_file("log")

    unsynced.sync()
    unsynced.sync()

    assert sorted(files.synced) == sorted(["", "a.pdb", "log", *(f"a.pdb/{number}" for number in range(20))])


def test_what_is_gone_is_passed_over(files: Counting):
    unsynced = Unsynced(files)
    unsynced.note_folder("a/gone")
    unsynced.note_file("gone")

    unsynced.sync()

    assert sorted(files.synced) == ["", "a"]


def test_bytes_are_followed_to_their_new_name(files: Counting):
    unsynced = Unsynced(files)
    unsynced.note_file("a/gone")
    unsynced.note_rename("a/gone", "b/new")

    unsynced.sync()

    assert sorted(files.synced) == ["", "a", "b", "b/new"]


def test_a_sync_that_failed_is_tried_again(files: Counting):
    unsynced = Unsynced(files)
    unsynced.note_folder("a/b")
    files.failing = {"a"}
    with pytest.raises(OSError, match="I/O"):
        unsynced.sync()
    files.failing, files.synced = set(), []

    unsynced.sync()

    assert sorted(files.synced) == ["", "a", "a/b"]


def test_a_sync_waits_for_the_one_under_way(files: Counting):
    unsynced = Unsynced(files)
    unsynced.note_folder("a")
    files.gate.clear()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(unsynced.sync)
        while not unsynced._one_sync.locked():
            pass
        second = pool.submit(unsynced.sync)
        try:
            second.result(timeout=0.1)
        except TimeoutError:
            waited = True
        else:
            waited = False
        files.gate.set()
        first.result()
        second.result()

    assert waited


def test_at_once_means_the_way_to_the_root_the_first_time(files: Counting):
    unsynced = Unsynced(files)

    unsynced.sync_at_once("a/b")
    unsynced.sync_at_once("a/b")
    assert files.synced == ["a/b", "a", "", "a/b"]

    unsynced.note_removed("a/b")
    unsynced.sync_at_once("a/b")
    assert files.synced[4:] == ["a/b", "a", ""]

    unsynced.sync_at_once("")
    assert files.synced[7:] == [""]


@pytest.mark.parametrize("able", [True, False])
def test_many_changes_are_synced_at_once_where_the_system_can(tmp_path, able):
    class AtOnce(Counting):
        def sync_all(self) -> bool:
            self.synced.append("all")
            return able

    files = AtOnce(tmp_path)
    unsynced = Unsynced(files, many=3)
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(b"x")
        unsynced.note_file(name)
    unsynced.sync()
    assert "all" not in files.synced
    files.synced.clear()

    for name in ("a", "b"):
        unsynced.note_file(name)
    unsynced.note_folder("")
    unsynced.sync()

    assert sorted(files.synced) == (["all"] if able else ["", "a", "all", "b"])
