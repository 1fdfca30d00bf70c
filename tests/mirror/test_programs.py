import os
import select
import sys
from pathlib import Path

import pytest

from symsrv.mirror.programs import KEPT_BYTES, Bounds, Ran, run, size_below

LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="held by Linux alone")
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="by named pipes")
SOON = Bounds(total_seconds=30)

HOLD = """
import subprocess, sys, time
held = open(%r, "w")
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], pass_fds=[held.fileno()])
"""


def python(folder: Path, program: str, *, bounds: Bounds = SOON, stdin: bytes = b"") -> Ran:
    return run([sys.executable, "-c", program], folder, bounds=bounds, stdin=stdin)


def test_a_program_that_does_as_told(tmp_path):
    ran = python(tmp_path, "import sys; open('made', 'w').write(sys.stdin.read()); print('well')", stdin=b"given")

    assert ran.done
    assert ran.stdout == "well"
    assert (tmp_path / "made").read_text() == "given"


def test_a_program_that_fails_says_why(tmp_path):
    ran = python(tmp_path, "import sys; sys.exit('no such\\n thing')")

    assert not ran.done
    assert str(ran) == "exit code 1: no such thing"


@POSIX
def test_a_program_that_is_ended_by_a_signal_says_so(tmp_path):
    ran = python(tmp_path, "import os; os.kill(os.getpid(), 15)")

    assert str(ran) == "ended by signal 15"


def test_of_much_talk_the_beginning_and_the_end_are_kept(tmp_path):
    ran = python(tmp_path, "import sys; sys.stderr.write('begin ' + 'x' * 1000000 + ' end')")

    assert ran.stderr.startswith("begin")
    assert ran.stderr.endswith("end")
    assert len(ran.stderr) <= KEPT_BYTES


def test_it_sees_no_secret_of_ours_and_no_home(tmp_path, monkeypatch):
    monkeypatch.setenv("SYMSRV_TOKEN", "very secret")

    ran = python(tmp_path, "import os; print('SYMSRV_TOKEN' in os.environ, os.environ['HOME'])")

    assert ran.stdout == f"False {tmp_path}"


def test_what_cannot_be_started_raises(tmp_path):
    with pytest.raises(FileNotFoundError):
        run([str(tmp_path / "nothing")], tmp_path, bounds=SOON)


def test_a_program_that_takes_too_long_is_ended(tmp_path):
    ran = python(tmp_path, "import time; time.sleep(600)", bounds=Bounds(total_seconds=0.2))

    assert ran.overrun == "total"
    assert not ran.done


@LINUX
def test_a_program_that_does_nothing_is_ended(tmp_path):
    ran = python(tmp_path, "import time; time.sleep(600)", bounds=Bounds(idle_seconds=0.3, total_seconds=60))

    assert ran.overrun == "idle"


@LINUX
def test_a_program_that_works_is_not_idle_however_long_it_takes(tmp_path):
    program = "import time\nwhile time.process_time() < 1.2: pass"

    ran = python(tmp_path, program, bounds=Bounds(idle_seconds=0.6, total_seconds=60))

    assert ran.done


@LINUX
def test_a_program_that_uses_too_much_of_the_processor_is_ended(tmp_path):
    ran = python(tmp_path, "while True: pass", bounds=Bounds(cpu_seconds=0.3, total_seconds=60))

    assert ran.overrun == "cpu"


@LINUX
def test_the_work_of_its_children_counts(tmp_path):
    program = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'while True: pass'])"

    ran = python(tmp_path, program, bounds=Bounds(idle_seconds=5, cpu_seconds=0.5, total_seconds=60))

    assert ran.overrun == "cpu"


def test_a_program_that_writes_too_much_is_ended(tmp_path):
    program = "n = 0\nwhile True:\n    n += 1\n    open(f'{n}', 'wb').write(bytes(50000))"

    ran = python(tmp_path, program, bounds=Bounds(output_bytes=200_000, total_seconds=60))

    assert ran.overrun == "output"


@LINUX
def test_one_file_that_grows_too_large_is_stopped_by_the_system(tmp_path):
    program = "out = open('made', 'wb', buffering=0)\nfor n in range(10**6): out.write(bytes(1000))"

    ran = python(tmp_path, program, bounds=Bounds(output_bytes=100_000, total_seconds=60))

    assert ran.overrun == "output"
    assert size_below(tmp_path) <= 100_001


@LINUX
def test_a_program_gets_no_more_memory_than_it_may_have(tmp_path):
    program = "print(len(bytearray(300 << 20)))"

    refused = python(tmp_path, program, bounds=Bounds(memory_bytes=128 << 20, total_seconds=60))
    allowed = python(tmp_path, program, bounds=Bounds(memory_bytes=1 << 30, total_seconds=60))

    assert "MemoryError" in refused.stderr
    assert allowed.done


@POSIX
@pytest.mark.parametrize(("rest", "overrun"), [("time.sleep(600)", "total"), ("", None)], ids=["ended", "done"])
def test_what_it_started_ends_with_it(tmp_path, rest, overrun):
    # The pipe's other end is held by the child, and closes with it.
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        ran = python(tmp_path, HOLD % str(pipe) + rest, bounds=Bounds(total_seconds=2.0 if overrun else 30))
        ready, _, _ = select.select([reading], [], [], 10)
        left = os.read(reading, 1) if ready else None
    finally:
        os.close(reading)

    assert ran.overrun == overrun
    assert left == b""


def test_who_listens_can_end_it(tmp_path):
    class Enough(Exception):
        pass

    heard = []

    def hear():
        heard.append(1)
        if len(heard) == 3:
            raise Enough

    with pytest.raises(Enough):
        run([sys.executable, "-c", "import time; time.sleep(600)"], tmp_path, bounds=SOON, heard=hear)


def test_links_count_as_themselves(tmp_path):
    large = tmp_path / "large"
    large.write_bytes(bytes(100_000))
    folder = tmp_path / "folder" / "inner"
    folder.mkdir(parents=True)
    try:
        (folder / "link").symlink_to(large)
    except OSError:
        pytest.skip("no symbolic links here")
    (folder / "small").write_bytes(b"12345")

    assert size_below(tmp_path / "folder") < 1000
