"""Whether somebody is writing a file."""

import os
import subprocess
import sys
import threading

import pytest

from symsrv.ingest.writing import being_written
from tests.ingest.files import written

linux = pytest.mark.skipif(sys.platform != "linux", reason="leases are Linux's")


@linux
def test_a_file_that_is_open_for_writing_is_seen(tmp_path):
    path = written(tmp_path / "a", b"x")

    assert not being_written(str(path))
    with open(path, "ab"):
        assert being_written(str(path))
    with open(path, "rb"):
        assert not being_written(str(path))


@linux
def test_a_writer_in_another_process_is_seen(tmp_path):
    path = written(tmp_path / "a", b"x")
    program = "import sys; f = open(sys.argv[1], 'ab'); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as writer:
        writer.stdout.readline()

        assert being_written(str(path))
        writer.stdin.close()
    assert not being_written(str(path))


@linux
def test_a_writer_that_breaks_the_lease_does_not_end_us(tmp_path):
    path = written(tmp_path / "a", b"x")
    stop = threading.Event()

    def write():
        while not stop.is_set():
            with open(path, "ab"):
                pass

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert any(being_written(str(path)) for _ in range(5000))
    finally:
        stop.set()
        writer.join()


def test_where_the_system_does_not_say_nobody_writes(tmp_path, monkeypatch):
    assert not being_written(str(tmp_path / "gone"))
    monkeypatch.setattr("symsrv.ingest.writing.fcntl", None)
    with open(tmp_path / "a", "wb"):
        assert not being_written(str(tmp_path / "a"))


@pytest.mark.skipif(sys.platform != "linux" or os.getuid() != 0, reason="only root can own a file and become another")
def test_a_file_of_somebody_else_is_taken_as_finished(tmp_path):
    path = written(tmp_path / "a", b"x")
    tmp_path.chmod(0o755)
    program = (
        "import os, sys\n"
        "from symsrv.ingest.writing import being_written\n"
        "os.chdir(sys.argv[1])\n"
        "os.setuid(65534)\n"
        "print(being_written('a'))\n"
    )
    with open(path, "ab"):
        done = subprocess.run(
            [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True
        )
    assert done.stdout.strip() == "False"
