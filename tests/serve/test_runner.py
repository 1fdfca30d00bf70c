"""The server as a process: its address, its signals, its workers."""

import os
import re
import signal
import subprocess
import sys
import textwrap
import time
import urllib.request

import pytest

from symsrv.serve.runner import serve
from tests.serve.site import BIG, Site, standard_files

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")

PROGRAM = textwrap.dedent("""
    import sys
    from functools import partial
    from pathlib import Path
    from symsrv.serve import create_app, serve
    from symsrv.store import open_store

    def make(root, state):
        return create_app(open_store(root, state=Path(state)))

    if __name__ == "__main__":
        root, state, workers = sys.argv[1:]
        number = serve(partial(make, root, state), factory=True, port=0, workers=int(workers),
                       ready=lambda url, port: print(url, port, flush=True))
        print("signal", number, flush=True)
""")


@pytest.fixture
def start(tmp_path):
    site = Site(tmp_path)
    site.publish(*standard_files())
    site.close()
    os.truncate(site.root / BIG, 300 << 20)  # more than the sockets between us hold
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    processes = []

    def run(workers=1):
        command = [sys.executable, str(program), str(site.root), str(tmp_path / "state"), str(workers)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
        processes.append(process)
        url, port = process.stdout.readline().split()
        assert url == f"http://127.0.0.1:{port}"
        return process, url

    yield run
    for process in processes:
        process.kill()
        process.wait()
        process.stdout.close()


def test_port_0_takes_a_free_one_and_a_signal_ends_it(start):
    process, url = start()

    assert urllib.request.urlopen(f"{url}/-/readyz").read() == b"ready\n"
    process.send_signal(signal.SIGTERM)

    assert process.wait(10) == 0
    assert process.stdout.read() == f"signal {int(signal.SIGTERM)}\n"


def test_the_first_signal_lets_an_answer_finish_and_the_second_one_does_not(start):
    for second in (False, True):
        process, url = start()
        with urllib.request.urlopen(f"{url}/{BIG}") as response:
            first = response.read(1)
            process.send_signal(signal.SIGINT)
            time.sleep(0.3)
            assert process.poll() is None
            if second:
                process.send_signal(signal.SIGTERM)
                assert process.wait(10) == 0
            else:
                assert len(first + response.read()) == int(response.headers["content-length"])
        assert process.wait(10) == 0


def test_several_workers(start):
    process, url = start(workers=2)

    pids = set()
    deadline = time.monotonic() + 30
    while len(pids) < 2 and time.monotonic() < deadline:
        children = subprocess.run(
            ["ps", "--ppid", str(process.pid), "-o", "pid="], capture_output=True, text=True
        ).stdout
        pids = {int(line) for line in children.split()}
        time.sleep(0.1)
    assert urllib.request.urlopen(f"{url}/-/healthz").read() == b"ok\n"
    metrics = urllib.request.urlopen(f"{url}/metrics").read().decode()
    assert re.search(r"^symsrv_open_connections [1-9]", metrics, re.MULTILINE)
    process.send_signal(signal.SIGTERM)

    assert process.wait(20) == 0
    assert process.stdout.read() == f"signal {int(signal.SIGTERM)}\n"


def test_ctrl_c_lets_the_answers_of_several_workers_finish(start):
    process, url = start(workers=2)

    with urllib.request.urlopen(f"{url}/{BIG}") as response:
        first = response.read(1)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the supervisor and to its workers
        time.sleep(1)

        assert len(first + response.read()) == int(response.headers["content-length"])
    assert process.wait(20) == 0
    assert process.stdout.read() == f"signal {int(signal.SIGINT)}\n"


def test_an_address_that_is_taken(start):
    _, url = start()

    with pytest.raises(OSError, match="in use"):
        serve(lambda: None, factory=True, port=int(url.rpartition(":")[2]))


def test_several_workers_need_a_factory():
    with pytest.raises(ValueError, match="factory"):
        serve(object(), workers=2)
