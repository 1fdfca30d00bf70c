"""What is particular to buckets: spool, large files, races that create-only does not decide."""

import os
import time
import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from symsrv.backends.base import displaced_path
from symsrv.backends.memory import MemoryObjects
from symsrv.backends.objects import ObjectBackend
from symsrv.model.errors import AlreadyThere, BackendError, Missing, SourceError
from tests.backends.contract import HOME, BackendContract, Place, by_handle, file


class Meanwhile(MemoryObjects):
    """Lets somebody else act before a request, or fails it."""

    def __init__(self) -> None:
        super().__init__("test")
        self.before: dict[str, Callable[[], object]] = {}

    def copy(self, key: str, target: str, *, sha256: str | None = None) -> None:
        self.before.pop("copy", lambda: None)()
        super().copy(key, target, sha256=sha256)
        self.before.pop("after copy", lambda: None)()

    def put(self, key: str, data: bytes | Path, *, sha256: str | None = None, create_only: bool = False) -> None:
        self.before.pop("put", lambda: None)()
        super().put(key, data, sha256=sha256, create_only=create_only)


@pytest.fixture
def objects() -> Meanwhile:
    return Meanwhile()


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    (tmp_path / "spool").mkdir()
    return tmp_path / "spool"


@pytest.fixture
def open_place(objects: Meanwhile, spool: Path) -> Place:
    return partial(ObjectBackend, objects, spool_folder=spool)


class TestLargeFiles(BackendContract):
    """Every promise again, where every file is large."""

    @pytest.fixture
    def place(self, open_place: Place) -> Place:
        return partial(open_place, single_put_bytes=-1)

    def test_of_racing_places_one_wins(self):
        """Not promised for large files: create-only does not hold for parts everywhere; see below."""


def test_a_small_file_needs_the_bucket_only_when_placed(open_place: Place, objects: Meanwhile, tmp_path: Path):
    backend = open_place()

    staged = backend.stage(file(tmp_path))
    assert list(objects.list("")) == []
    backend.place(staged, HOME)

    assert [found.path for found in objects.list("")] == [HOME]
    found = backend.stat(HOME)
    assert found is not None
    assert found.sha256 == staged.sha256
    assert not staged.local.exists()


def test_a_large_file_waits_in_the_bucket(open_place: Place, objects: Meanwhile, tmp_path: Path):
    backend = open_place(single_put_bytes=5)

    staged = backend.stage(file(tmp_path))
    assert [found.path for found in objects.list("")] == [f".symsrv/incoming/{staged.handle}"]
    stat = backend.place(by_handle(staged), HOME)

    assert stat.sha256 == staged.sha256
    assert [found.path for found in objects.list("")] == [HOME]


def test_two_large_files_for_one_home(open_place: Place, objects: Meanwhile, tmp_path: Path):
    backend = open_place(single_put_bytes=2)
    staged = backend.stage(file(tmp_path))
    objects.before["after copy"] = lambda: objects.put(HOME, b"other", sha256="other")

    with pytest.raises(AlreadyThere):  # another was placed between our copy and our look
        backend.place(staged, HOME)


def test_a_failed_upload_leaves_nothing(open_place: Place, objects: Meanwhile, spool: Path, tmp_path: Path):
    def fail() -> None:
        raise BackendError("unavailable", "no", transient=True)

    objects.before["put"] = fail

    with pytest.raises(BackendError):
        open_place(single_put_bytes=2).stage(file(tmp_path))

    assert [path for path in spool.rglob("*") if path.is_file()] == []


def test_a_failed_copy_leaves_nothing(open_place: Place, spool: Path, tmp_path: Path):
    with pytest.raises(SourceError):
        open_place().stage(tmp_path / "absent")

    assert [path for path in spool.rglob("*") if path.is_file()] == []


def test_a_home_pruned_while_it_is_displaced(open_place: Place, objects: Meanwhile, tmp_path: Path):
    backend = open_place()
    backend.create(HOME, b"old")
    staged = backend.stage(file(tmp_path))
    objects.before["copy"] = lambda: objects.delete(HOME)

    backend.place(staged, HOME, replace=True)

    assert backend.read(HOME) == b"symbols"
    assert backend.stat(displaced_path(HOME, staged.handle)) is None


def test_a_rename_whose_source_goes_meanwhile(open_place: Place, objects: Meanwhile):
    backend = open_place()
    backend.create("a", b"")
    objects.before["copy"] = lambda: objects.delete("a")

    with pytest.raises(Missing):
        backend.rename("a", "b")


def test_what_is_not_in_the_spool_cannot_be_shared(open_place: Place, tmp_path: Path):
    first, second = open_place(), open_place()
    staged = first.stage(file(tmp_path))

    with pytest.raises(Missing):
        second.share(staged)
    first.share(staged)
    second.share(staged)


def test_close_drops_the_spool(open_place: Place, spool: Path, tmp_path: Path):
    backend = open_place()
    backend.stage(file(tmp_path))
    assert len(list(spool.iterdir())) == 1

    backend.close()

    assert list(spool.iterdir()) == []


def test_sweep_drops_spools_of_the_killed(open_place: Place, spool: Path, tmp_path: Path):
    killed, living = open_place(), open_place()
    left = killed.stage(file(tmp_path)).local
    other = spool / "of-somebody-else"
    other.mkdir()
    for folder in (left.parent, other):
        os.utime(folder, (time.time() - 90_000,) * 2)
    kept = living.stage(file(tmp_path))

    assert living.sweep(older_than_seconds=86_400) == 1

    assert not left.exists()
    assert other.is_dir()
    assert living.place(kept, HOME).size == 7


def test_a_spool_that_somebody_cleaned_is_made_again(open_place: Place, tmp_path: Path):
    backend = open_place()
    staged = backend.stage(file(tmp_path))
    staged.local.unlink()
    staged.local.parent.rmdir()

    backend.place(backend.stage(file(tmp_path)), HOME)

    assert backend.read(HOME) == b"symbols"


def test_a_spool_that_cannot_be_made(tmp_path: Path):
    backend = ObjectBackend(MemoryObjects(uuid.uuid4().hex), spool_folder=tmp_path / "absent")

    with pytest.raises(BackendError):
        backend.stage(file(tmp_path))


def test_walk_passes_over_our_own_folder_by_one_jump(open_place: Place, objects: Meanwhile):
    backend = open_place()
    for number in range(20):
        backend.create(f".symsrv/transactions/{number}", b"")
    assert list(backend.walk()) == []
    for path in ("-a", "z"):
        backend.create(path, b"")

    assert [found.path for found in backend.walk()] == ["-a", "z"]


@pytest.mark.parametrize("path", ["\ud800", "a/../b", "a" * 256, "a/" * 500 + "a"])
def test_an_impossible_key_is_asked_of_nobody(open_place: Place, path: str):
    assert open_place().stat(path) is None
