"""The writers' lock, between threads, processes and other tools."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from symsrv.backends.locking import SEMAPHORE, DiskLock
from symsrv.model.errors import StoreLocked

HOLDER = """
import sys, time
from pathlib import Path
from symsrv.backends.locking import DiskLock
with DiskLock(Path(sys.argv[1]), semaphore=sys.argv[2] == "yes").hold(timeout_seconds=5):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / ".symsrv").mkdir()
    return tmp_path


@pytest.fixture(params=["no", "yes"])
def holder(request: pytest.FixtureRequest, root: Path) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen([sys.executable, "-c", HOLDER, root, request.param], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_another_process_waits_and_says_for_whom(root: Path, holder: "subprocess.Popen[bytes]"):
    started = time.monotonic()

    with pytest.raises(StoreLocked) as caught, DiskLock(root).hold(timeout_seconds=0.3):
        pass

    assert 0.25 < time.monotonic() - started < 3
    assert f"process {holder.pid} on {socket.gethostname()} since 20" in str(caught.value)


def test_a_killed_holder_holds_nothing(root: Path, holder: "subprocess.Popen[bytes]"):
    os.kill(holder.pid, signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
    holder.wait()

    with DiskLock(root).hold(timeout_seconds=2):
        assert not (root / SEMAPHORE).exists()


def test_a_waiter_gets_the_lock_when_it_is_given_back(root: Path):
    first, second = DiskLock(root), DiskLock(root)
    order: list[str] = []
    held = threading.Event()

    def hold() -> None:
        with first.hold(timeout_seconds=1):
            held.set()
            time.sleep(0.2)
            order.append("first")

    with ThreadPoolExecutor(1) as pool:
        holding = pool.submit(hold)
        held.wait()
        with second.hold(timeout_seconds=5):
            order.append("second")
        holding.result()

    assert order == ["first", "second"]


def test_threads_of_one_object_are_kept_apart(root: Path):
    lock = DiskLock(root)
    inside: list[int] = []

    def enter(number: int) -> None:
        with lock.hold(timeout_seconds=10):
            inside.append(number)
            assert inside == [number]
            time.sleep(0.01)
            inside.remove(number)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(enter, range(16)))


def test_a_thread_that_waited_too_long_is_told(root: Path):
    lock = DiskLock(root)

    def enter() -> None:
        with lock.hold(timeout_seconds=0.05):
            pass

    with lock.hold(timeout_seconds=1), ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(enter)
        with pytest.raises(StoreLocked, match="another thread"):
            waiting.result()


def test_a_thread_may_hold_it_twice(root: Path):
    lock = DiskLock(root)

    with lock.hold(timeout_seconds=1):
        with lock.hold(timeout_seconds=1):
            pass
        assert lock.held
        with pytest.raises(StoreLocked), DiskLock(root).hold(timeout_seconds=0):
            pass
    assert not lock.held


def test_an_error_inside_gives_it_back(root: Path):
    with pytest.raises(KeyError), DiskLock(root).hold(timeout_seconds=1):
        raise KeyError

    with DiskLock(root).hold(timeout_seconds=0):
        pass
    assert not (root / ".symsrv" / "lock.owner").exists()


def test_a_semaphore_of_another_tool_is_waited_for(root: Path):
    (root / SEMAPHORE).write_text("https://dev.azure.com/build/7")
    threading.Timer(0.3, (root / SEMAPHORE).unlink).start()
    started = time.monotonic()

    with DiskLock(root).hold(timeout_seconds=5):
        assert time.monotonic() - started > 0.25


def test_a_semaphore_that_stays_is_named(root: Path):
    (root / SEMAPHORE).write_text("https://dev.azure.com/build/7")

    with pytest.raises(StoreLocked, match="build/7"), DiskLock(root, semaphore=True).hold(timeout_seconds=0.1):
        pass

    (root / SEMAPHORE).unlink()
    with DiskLock(root).hold(timeout_seconds=0):  # the system's lock was given back
        pass


@pytest.mark.parametrize("semaphore", [False, True])
def test_a_semaphore_of_yesterday_means_nothing(root: Path, semaphore: bool):
    (root / SEMAPHORE).write_text("build/7")
    old = time.time() - 25 * 3600
    os.utime(root / SEMAPHORE, (old, old))

    with DiskLock(root, semaphore=semaphore).hold(timeout_seconds=0):
        pass

    assert (root / SEMAPHORE).exists() is not semaphore  # it is not ours to remove, unless we make our own


def test_our_semaphore_stands_while_we_hold_the_lock(root: Path):
    with DiskLock(root, semaphore=True).hold(timeout_seconds=0):
        assert (root / SEMAPHORE).read_text() == f"symsrv {socket.gethostname()} {os.getpid()}"

    assert not (root / SEMAPHORE).exists()


def test_a_semaphore_of_symsrv_elsewhere_is_waited_for(root: Path):
    (root / SEMAPHORE).write_text("symsrv another-host 1234")

    with pytest.raises(StoreLocked, match="another-host"), DiskLock(root).hold(timeout_seconds=0.1):
        pass
