"""The operations themselves, on a real file system."""

import errno
import os
from pathlib import Path

import pytest

from symsrv.backends import files as module
from symsrv.backends.files import Files, SourceReadError


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


@pytest.fixture
def source(tmp_path_factory: pytest.TempPathFactory):
    path = tmp_path_factory.mktemp("source") / "source.bin"
    path.write_bytes(os.urandom(3_000_000))
    descriptor = os.open(path, os.O_RDONLY)
    yield descriptor, path.read_bytes()
    os.close(descriptor)


def test_new_files_replace_nothing(files: Files, source):
    files.write_new("a", b"old")

    for again in (lambda: files.write_new("a", b"new"), lambda: files.copy_new("a", source[0])):
        with pytest.raises(FileExistsError):
            again()
    assert (files.root / "a").read_bytes() == b"old"


def test_a_link_replaces_nothing_and_follows_nothing(files: Files):
    files.write_new("a", b"a")
    files.write_new("b", b"b")
    (files.root / "symbolic").symlink_to("a")

    with pytest.raises(FileExistsError):
        files.link("a", "b")
    files.link("symbolic", "c")

    assert (files.root / "c").is_symlink()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no umask")
def test_new_files_are_readable_as_the_umask_says(files: Files, source):
    files.write_new("a", b"")
    files.append("b", b"")
    files.copy_new("c", source[0])

    umask = os.umask(0)
    os.umask(umask)
    assert {(files.root / name).stat().st_mode & 0o777 for name in "abc"} == {0o666 & ~umask}


def test_a_copy_is_whole(files: Files, source):
    descriptor, data = source

    assert files.copy_new("copy", descriptor) == len(data)
    assert (files.root / "copy").read_bytes() == data


@pytest.mark.parametrize("code", [errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EIO])
def test_where_the_kernel_cannot_copy_we_read(files: Files, source, monkeypatch: pytest.MonkeyPatch, code: int):
    descriptor, data = source

    def refuse(*_):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "copy_file_range", refuse, raising=False)

    assert files.copy_new("copy", descriptor) == len(data)
    assert (files.root / "copy").read_bytes() == data


def test_a_kernel_that_stops_short_is_not_believed(files: Files, source, monkeypatch: pytest.MonkeyPatch):
    descriptor, data = source
    answers = iter([1000, 0])

    def some(source: int, target: int, _: int) -> int:
        count = next(answers)
        os.write(target, os.read(source, count))
        return count

    monkeypatch.setattr(os, "copy_file_range", some, raising=False)

    assert files.copy_new("copy", descriptor) == len(data)
    assert (files.root / "copy").read_bytes() == data


def test_a_full_disk_is_not_taken_for_a_kernel_that_cannot(files: Files, source, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_):
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "copy_file_range", refuse, raising=False)

    with pytest.raises(OSError, match="full"):
        files.copy_new("copy", source[0])


def test_a_source_that_cannot_be_read_is_told_apart(files: Files, tmp_path_factory: pytest.TempPathFactory):
    folder = os.open(tmp_path_factory.mktemp("folder"), os.O_RDONLY)  # opens, and cannot be read

    with pytest.raises(SourceReadError):
        files.copy_new("copy", folder)

    os.close(folder)


def test_an_append_that_did_not_fit_is_taken_back(files: Files, monkeypatch: pytest.MonkeyPatch):
    files.append("log", b"one\n")
    real = os.write
    calls: list[int] = []

    def fill(descriptor: int, data: bytes) -> int:
        calls.append(len(data))
        if len(calls) > 1:
            raise OSError(errno.ENOSPC, "full")
        return real(descriptor, data[:2])

    monkeypatch.setattr(module.os, "write", fill)

    with pytest.raises(OSError, match="full"):
        files.append("log", b"two\n")
    assert (files.root / "log").read_bytes() == b"one\n"


def test_folders_that_cannot_be_synced_are_let_be(files: Files, monkeypatch: pytest.MonkeyPatch):
    def refuse(code: int):
        def fsync(_: int) -> None:
            raise OSError(code, os.strerror(code))

        return fsync

    monkeypatch.setattr(module.os, "fsync", refuse(errno.EINVAL))
    files.sync_folder("")
    monkeypatch.setattr(module.os, "fsync", refuse(errno.EIO))
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        files.sync_folder("")


def test_names_move_replace_and_go(files: Files):
    files.make_folder("folder")
    files.write_new("a", b"a")
    files.write_new("folder/b", b"b")

    files.replace("a", "folder/b")
    files.move("folder/b", "c")
    files.sync_file("c")
    files.sync_folder("folder")
    files.remove_folder("folder")

    assert [path.name for path in files.root.iterdir()] == ["c"]
    files.unlink("c")
    assert list(files.root.iterdir()) == []
