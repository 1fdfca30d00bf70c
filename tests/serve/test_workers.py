"""Several worker processes: replaced when one dies, ended by the first signal, killed by the second."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")

PROGRAM = textwrap.dedent("""
    import os, signal, sys, time
    from pathlib import Path
    from symsrv.serve import workers

    def work(folder, stubborn):
        if stubborn:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        Path(folder, str(os.getpid())).touch()
        time.sleep(60)

    def broken_start(process, starts=[]):
        starts.append(process)
        if len(starts) == 2:
            raise OSError("no more processes")
        type(process).__mro__[1].start(process)

    if __name__ == "__main__":
        folder, kind = sys.argv[1:]
        workers._HASTY_SECONDS = 0.1
        before = signal.getsignal(signal.SIGTERM)
        if kind == "broken":
            from multiprocessing.context import SpawnProcess
            SpawnProcess.start = broken_start
        try:
            print(workers.supervise(work, (folder, kind == "stubborn"), 2), flush=True)
        except OSError as error:
            print(error, flush=True)
        print(signal.getsignal(signal.SIGTERM) is before)
""")


@pytest.fixture
def supervise(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    pids = tmp_path / "pids"
    pids.mkdir()
    started = []

    def run(kind="willing"):
        process = subprocess.Popen([sys.executable, str(program), str(pids), kind], stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process, pids

    yield run
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()
        for pid in at_work(pids):
            os.kill(pid, signal.SIGKILL)


def at_work(pids, count=0):
    """The workers that live, when there are as many as that."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        alive = {int(path.name) for path in pids.iterdir() if exists(int(path.name))}
        if len(alive) >= count:
            return alive
        time.sleep(0.02)
    raise AssertionError(f"no {count} workers")


def exists(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_worker_that_dies_is_replaced_and_the_others_stay(supervise):
    _process, pids = supervise()
    first, second = at_work(pids, 2)

    os.kill(first, signal.SIGKILL)
    while exists(first):
        time.sleep(0.02)

    after = at_work(pids, 2)
    assert second in after
    assert first not in after


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_all_and_its_number_is_told(supervise, number):
    process, pids = supervise()
    at_work(pids, 2)

    process.send_signal(number)

    assert process.communicate(timeout=20)[0].split() == [str(int(number)), "True"]
    assert at_work(pids) == set()


def test_the_second_signal_kills_who_does_not_end(supervise):
    process, pids = supervise("stubborn")
    at_work(pids, 2)

    process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    assert (process.poll(), len(at_work(pids))) == (None, 2)
    process.send_signal(signal.SIGINT)

    assert process.communicate(timeout=20)[0].split() == [str(int(signal.SIGTERM)), "True"]
    assert at_work(pids) == set()


def test_a_worker_that_cannot_be_started_leaves_none_behind(supervise):
    process, pids = supervise("broken")

    assert process.communicate(timeout=20)[0].splitlines() == ["no more processes", "True"]
    assert at_work(pids) == set()
