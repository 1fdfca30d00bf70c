"""Copying files that others write."""

import hashlib
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from symsrv.backends.files import Files
from symsrv.backends.spool import copy_whole, sha256_of
from symsrv.model.errors import SourceError


class Meanwhile(Files):
    """Does something else after it copied."""

    def __init__(self, root: Path, action: Callable[[], object]) -> None:
        super().__init__(root)
        self.action = action

    def copy_new(self, path: str, source: int) -> int:
        count = super().copy_new(path, source)
        self.action()
        return count


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source.bin"
    path.write_bytes(b"symbols")
    return path


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "target"
    folder.mkdir()
    return folder


def test_a_quiet_file_is_copied(source: Path, target: Path):
    assert copy_whole(Files(target), "copy", source) == 7
    assert (target / "copy").read_bytes() == b"symbols"


def grow(path: Path) -> None:
    with path.open("ab") as stream:
        stream.write(b" and more")


def overwrite(path: Path) -> None:
    with path.open("r+b") as stream:
        stream.write(b"SYMBOLS")


def swap(path: Path) -> None:
    other = path.with_suffix(".new")
    stamp = path.stat().st_mtime_ns
    other.write_bytes(b"SYMBOLS")
    os.utime(other, ns=(stamp, stamp))
    other.replace(path)


@pytest.mark.parametrize(
    ("deed", "reason", "transient"),
    [
        (grow, "changed", True),
        (overwrite, "changed", True),
        (swap, "changed", True),
        (lambda path: path.write_bytes(b""), "changed", True),
        (lambda path: path.unlink(), "vanished", False),
    ],
)
def test_a_file_that_changed_meanwhile_is_refused(source: Path, target: Path, deed, reason: str, transient: bool):
    with pytest.raises(SourceError) as caught:
        copy_whole(Meanwhile(target, lambda: deed(source)), "copy", source)

    assert (caught.value.reason, caught.value.transient) == (reason, transient)


def test_a_write_in_the_same_tick_of_the_clock_shows(source: Path, target: Path):
    for _ in range(20):
        overwrite(source)  # stamped by a clock that may not move on before the next write

        with pytest.raises(SourceError):
            copy_whole(Meanwhile(target, lambda: overwrite(source)), f"copy{time.monotonic_ns()}", source)


def test_a_file_that_is_written_all_the_time_is_never_half_copied(source: Path, target: Path):
    size = 1 << 20
    source.write_bytes(b"0" * size)
    done = threading.Event()

    def rewrite() -> None:
        number = 0
        while not done.is_set():
            number += 1
            with source.open("r+b") as stream:
                stream.write(str(number % 10).encode() * size)
            time.sleep(0.03 if number % 3 == 0 else 0.001)

    writer = threading.Thread(target=rewrite)
    writer.start()
    for number in range(60):
        try:
            copy_whole(Files(target), f"copy{number}", source)
        except SourceError:
            continue
        assert len(set((target / f"copy{number}").read_bytes())) == 1
    done.set()
    writer.join()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
def test_a_fifo_is_no_file_and_does_not_hang(tmp_path: Path, target: Path):
    os.mkfifo(tmp_path / "fifo")

    with pytest.raises(SourceError) as caught:
        copy_whole(Files(target), "copy", tmp_path / "fifo")

    assert caught.value.reason == "unreadable"


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_unreadable(source: Path, target: Path):
    source.chmod(0)

    with pytest.raises(SourceError) as caught:
        copy_whole(Files(target), "copy", source)

    assert caught.value.reason == "unreadable"


def test_a_path_that_cannot_be_is_unreadable(target: Path):
    with pytest.raises(SourceError) as caught:
        copy_whole(Files(target), "copy", Path("a\0b"))

    assert caught.value.reason == "unreadable"


@pytest.mark.parametrize("size", [0, 1, 1 << 20, (1 << 20) + 1, 3_500_000])
def test_hashes_are_those_of_the_bytes(tmp_path: Path, size: int):
    data = os.urandom(size)
    (tmp_path / "file").write_bytes(data)

    assert sha256_of(tmp_path / "file") == hashlib.sha256(data).hexdigest()
