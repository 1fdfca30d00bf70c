"""What is particular to folders: links, folders that come and go, order of fsyncs, full disks."""

import contextlib
import errno
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from symsrv.backends.base import displaced_path
from symsrv.backends.disk import Disk, make_root
from symsrv.backends.files import Files
from symsrv.model.errors import AlreadyThere, BackendError, Missing, NoStore, SourceError, StoreLocked
from tests.backends.contract import HOME, BackendContract, Place, by_handle, file

FOLDER = HOME.rpartition("/")[0]


class Unlinking(Files):
    """A file system without hard links."""

    code = errno.EPERM

    def link(self, path: str, target: str) -> None:
        raise OSError(self.code, os.strerror(self.code))


class Logging(Files):
    """Notes each operation before it does it; fails at one if told to."""

    def __init__(self, root: Path, *, fail_at: int = -1) -> None:
        super().__init__(root)
        self.log: list[tuple[str, ...]] = []
        self.fail_at = fail_at

    def __getattribute__(self, name: str):
        found = super().__getattribute__(name)
        if name.startswith("_") or not callable(found):
            return found

        def noting(*arguments, **options):
            self.log.append((name, *(one for one in arguments if isinstance(one, str))))
            if len(self.log) - 1 == self.fail_at:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return found(*arguments, **options)

        return noting


@pytest.fixture
def root(tmp_path: Path) -> Path:
    make_root(tmp_path / "store")
    return tmp_path / "store"


@pytest.fixture
def disk(root: Path) -> Disk:
    return Disk(root)


def tree(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*")}


class TestWithoutHardLinks(BackendContract):
    """Every promise again, on FAT."""

    @pytest.fixture
    def place(self, tmp_path: Path) -> Place:
        make_root(tmp_path / "store")
        return lambda **options: Disk(tmp_path / "store", files=Unlinking(tmp_path / "store"), **options)


def test_without_hard_links_a_place_within_the_lock_needs_no_other(root: Path, tmp_path: Path):
    disk = Disk(root, files=Unlinking(root))
    staged = [disk.stage(file(tmp_path, bytes([number]))) for number in range(8)]

    with disk.lock(timeout_seconds=1), ThreadPoolExecutor(8) as pool:  # as a commit does, with threads of its own
        placed = list(pool.map(lambda one: disk.place(one, f"a/{one.handle}/a"), staged))

    assert len(placed) == 8


def test_without_hard_links_a_place_waits_for_the_lock(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("symsrv.backends.disk._MOVE_LOCK_SECONDS", 0.1)
    disk = Disk(root, files=Unlinking(root))
    staged = disk.stage(file(tmp_path))

    with Disk(root).lock(timeout_seconds=1), pytest.raises(StoreLocked):
        disk.place(staged, HOME)

    disk.place(staged, HOME)


def test_other_refusals_of_a_link_are_not_taken_for_that(root: Path, tmp_path: Path):
    class Broken(Unlinking):
        code = errno.EIO

    disk = Disk(root, files=Broken(root))

    with pytest.raises(BackendError):
        disk.place(disk.stage(file(tmp_path)), HOME)
    with pytest.raises(BackendError):
        disk.create(HOME, b"")
    disk.write(HOME, b"old")
    with pytest.raises(BackendError):
        disk.place(disk.stage(file(tmp_path)), HOME, replace=True)
    assert disk.read(HOME) == b"old"


def test_a_store_must_be_there(tmp_path: Path):
    with pytest.raises(NoStore):
        Disk(tmp_path / "absent")


def test_reading_makes_nothing(root: Path):
    disk = Disk(root)

    disk.stat(HOME)
    list(disk.walk())
    disk.sync()
    disk.close()

    assert tree(root) == set()


def test_delete_takes_emptied_folders_along(disk: Disk, root: Path):
    disk.create(HOME, b"")
    disk.create(f"{FOLDER}/refs.ptr", b"")

    disk.delete(HOME)
    assert (root / FOLDER).is_dir()
    disk.delete(f"{FOLDER}/refs.ptr")

    assert [path.name for path in root.iterdir()] == [".symsrv"]


def test_delete_takes_folders_that_a_crash_left_empty(disk: Disk, root: Path):
    (root / FOLDER).mkdir(parents=True)

    disk.delete(HOME)

    assert list(root.iterdir()) == []


def test_what_symsrv_keeps_its_own_in_stays(disk: Disk, root: Path):
    disk.create(".symsrv/doomed/a/b", b"")

    disk.delete(".symsrv/doomed/a/b")

    assert {".symsrv", ".symsrv/doomed"} <= tree(root)
    assert not (root / ".symsrv/doomed/a").exists()


def test_places_and_deletes_in_one_folder_do_not_harm_each_other(root: Path, tmp_path: Path):
    source = file(tmp_path)
    done = threading.Event()

    def come_and_go(number: int) -> int:
        disk = Disk(root)
        count = 0
        while not done.is_set():
            path = f"same.pdb/1/{number}"
            disk.place(disk.stage(source), path)
            assert disk.read(path) == b"symbols"
            disk.delete(path)
            count += 1
        return count

    with ThreadPoolExecutor(4) as pool:
        working = [pool.submit(come_and_go, number) for number in range(4)]
        threading.Timer(1.0, done.set).start()
        assert all(one.result() > 5 for one in working)

    assert not (root / "same.pdb").exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_staged_bytes_are_for_their_owner_and_stored_files_for_all(disk: Disk, root: Path, tmp_path: Path):
    source = file(tmp_path)
    source.chmod(0o600)

    disk.place(disk.stage(source), HOME)

    umask = os.umask(0)
    os.umask(umask)
    assert (root / ".symsrv/incoming").stat().st_mode & 0o777 == 0o700
    assert (root / ".symsrv").stat().st_mode & 0o777 == 0o777 & ~umask
    assert (root / HOME).stat().st_mode & 0o777 == 0o666 & ~umask


def test_a_crash_between_the_two_names_is_mended(disk: Disk, root: Path, tmp_path: Path):
    staged = disk.stage(file(tmp_path))
    (root / FOLDER).mkdir(parents=True)
    os.link(staged.local, root / HOME)

    disk.place(by_handle(staged), HOME)

    assert disk.read(HOME) == b"symbols"
    assert not staged.local.exists()


def test_a_crash_before_the_exchange_is_mended(disk: Disk, root: Path, tmp_path: Path):
    disk.create(HOME, b"old")
    staged = disk.stage(file(tmp_path))
    aside = root / displaced_path(HOME, staged.handle)
    aside.parent.mkdir(parents=True)
    os.link(root / HOME, aside)

    disk.place(by_handle(staged), HOME, replace=True)

    assert disk.read(HOME) == b"symbols"
    assert aside.read_bytes() == b"old"


def test_the_longest_name_can_be_replaced(disk: Disk, tmp_path: Path):
    path = f"a/1/{'a' * 255}"
    disk.create(path, b"old")
    staged = disk.stage(file(tmp_path))

    disk.place(staged, path, replace=True)

    assert disk.read(displaced_path(path, staged.handle)) == b"old"


def test_changed_while_staged(root: Path, tmp_path: Path):
    source = file(tmp_path)

    class Meanwhile(Files):
        def copy_new(self, path: str, descriptor: int) -> int:
            count = super().copy_new(path, descriptor)
            source.write_bytes(b"other")
            return count

    disk = Disk(root, files=Meanwhile(root))

    with pytest.raises(SourceError) as caught:
        disk.stage(source)

    assert caught.value.transient
    assert list((root / ".symsrv/incoming").iterdir()) == []


def test_a_disk_that_is_full_leaves_nothing_behind(root: Path, tmp_path: Path):
    class Full(Files):
        def copy_new(self, path: str, descriptor: int) -> int:
            self.write_new(path, b"a part")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    disk = Disk(root, files=Full(root))

    with pytest.raises(BackendError) as caught:
        disk.stage(file(tmp_path))

    assert caught.value.reason == "disk-full"
    assert list((root / ".symsrv/incoming").iterdir()) == []


def test_a_failure_anywhere_is_said_and_mended_by_doing_it_again(tmp_path: Path):
    """Fails every operation in turn; nothing half done is ever seen, and the same again succeeds."""
    for fail_at in range(200):
        root = tmp_path / str(fail_at)
        make_root(root)
        files = Logging(root, fail_at=fail_at)
        disk = Disk(root, files=files)
        source = file(tmp_path)
        done: dict[str, Any] = {}

        def deeds(disk: Disk = disk, source: Path = source, done: dict[str, Any] = done) -> None:
            if "staged" not in done:
                done["staged"] = disk.stage(source)
            disk.place(done["staged"], HOME)
            disk.write("000Admin/lastid.txt", b"0000000001")
            if "appended" not in done:
                disk.append("000Admin/server.txt", b"line")
                done["appended"] = True
            if disk.stat("000Admin/1.deleted") is None:
                disk.write("000Admin/1", b"list")
            disk.rename("000Admin/1", "000Admin/1.deleted")
            disk.write("other/1/other", b"")
            disk.delete("other/1/other")
            try:
                disk.create("claim", b"whole")
            except AlreadyThere:
                assert disk.read("claim") == b"whole"
            disk.sync()

        with contextlib.suppress(BackendError):
            deeds()
        if (found := disk.stat(HOME)) is not None:
            assert found.size == 7
        files.fail_at = -1
        deeds()

        assert disk.read(HOME) == b"symbols"
        assert disk.read("000Admin/server.txt") == b"line"
        assert disk.read("000Admin/lastid.txt") == b"0000000001"
        assert disk.read("000Admin/1.deleted") == b"list"
        assert disk.read("claim") == b"whole"
        if fail_at > len(files.log):
            return
    raise AssertionError("more operations than were tried")


def position(log: list[tuple[str, ...]], *op: str) -> int:
    return log.index(op)


def test_staged_bytes_and_their_name_are_durable_after_a_sync(root: Path, tmp_path: Path):
    files = Logging(root)
    disk = Disk(root, files=files)

    staged = disk.stage(file(tmp_path))

    path = f".symsrv/incoming/{staged.handle}"
    assert ("sync_file", path) not in files.log

    disk.sync()
    assert position(files.log, "copy_new", path) < position(files.log, "sync_file", path)
    assert {("sync_folder", ".symsrv/incoming"), ("sync_folder", ".symsrv"), ("sync_folder", "")} <= set(files.log)


def test_a_create_is_durable_at_once(root: Path):
    files = Logging(root)

    Disk(root, files=files).create(".symsrv/transactions/1", b"document")

    last = max(index for index, op in enumerate(files.log) if op[0] == "link")  # the first found no folder
    assert position(files.log, "sync_file", files.log[last][1]) < last
    after = files.log[last:]
    assert {("sync_folder", folder) for folder in (".symsrv/transactions", ".symsrv", "")} <= set(after)


def test_the_next_sync_makes_durable(root: Path, tmp_path: Path):
    files = Logging(root)
    disk = Disk(root, files=files)
    disk.place(disk.stage(file(tmp_path)), HOME)
    disk.append("000Admin/server.txt", b"line")
    disk.settle("present.pdb/1/present.pdb")
    files.log.clear()

    disk.sync()

    folders = ("", "crash.pdb", FOLDER, "000Admin", "present.pdb/1", "present.pdb")
    synced = {("sync_folder", folder) for folder in folders}
    synced |= {("sync_file", "000Admin/server.txt"), ("sync_file", "present.pdb/1/present.pdb")}
    assert synced <= set(files.log)
    assert len(files.log) == len(set(files.log))


def test_the_old_bytes_are_durable_aside_before_they_are_covered(root: Path, tmp_path: Path):
    for kind in (Files, Unlinking):
        files = type("Log", (Logging, kind), {})(root)
        disk = Disk(root, files=files)
        disk.write(HOME, b"old")
        staged = disk.stage(file(tmp_path))
        files.log.clear()

        disk.place(staged, HOME, replace=True)

        aside = displaced_path(HOME, staged.handle).rpartition("/")[0]
        covered = position(files.log, "replace", f".symsrv/incoming/{staged.handle}", HOME)
        assert position(files.log, "sync_folder", aside) < covered
        assert position(files.log, "sync_folder", ".symsrv/displaced") < covered


def test_every_change_passes_through_files(root: Path, tmp_path: Path):
    class Refusing(Files):
        def __getattribute__(self, name: str):
            if name in Files.__dict__ and not name.startswith("_"):
                raise OSError(errno.EROFS, "no change is allowed here")
            return super().__getattribute__(name)

    disk = Disk(root)
    disk.create(HOME, b"symbols")
    staged = disk.stage(file(tmp_path))
    before = tree(root)
    disk = Disk(root, files=Refusing(root))

    for change in (
        lambda: disk.stage(tmp_path / "source.bin"),
        lambda: disk.place(staged, "a/1/a"),
        lambda: disk.place(staged, HOME, replace=True),
        lambda: disk.discard(staged),
        lambda: disk.create("a", b""),
        lambda: disk.write("a", b""),
        lambda: disk.append("a", b""),
        lambda: disk.rename(HOME, "a"),
        lambda: disk.delete(HOME),
        lambda: disk.sweep(older_than_seconds=-60),
    ):
        with pytest.raises(BackendError):
            change()

    assert tree(root) == before
    assert disk.read(HOME) == b"symbols"


def test_a_folder_is_not_deleted_as_a_file(disk: Disk, root: Path):
    (root / "empty").mkdir()

    disk.delete("empty")

    assert (root / "empty").is_dir()


def test_nothing_is_made_below_a_file(disk: Disk):
    disk.create("file", b"")

    with pytest.raises(BackendError):
        disk.create("file/below", b"")
    with pytest.raises(Missing):
        disk.rename("file/below", "file/other")


def test_a_new_root_is_made_with_what_is_above_it(tmp_path: Path):
    make_root(tmp_path / "a" / "b" / "c")
    make_root(tmp_path / "a" / "b" / "c")

    assert (tmp_path / "a/b/c").is_dir()
    file(tmp_path, name="file")
    with pytest.raises(BackendError):
        make_root(tmp_path / "file" / "store")


@pytest.mark.parametrize("links", [True, False])
def test_a_file_of_ours_below_the_root_gets_a_second_name_where_it_can(root: Path, links: bool):
    disk = Disk(root, files=None if links else Unlinking(root))
    source = file(root)

    staged = disk.stage(source, sha256="0" * 64)

    assert staged.local.samefile(source) is links
    assert staged.local.read_bytes() == source.read_bytes()
