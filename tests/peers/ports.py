"""Ports of this machine: a free one, and waiting until somebody listens."""

import socket
import subprocess
import time


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_listening(process: "subprocess.Popen[bytes]", port: int, *, seconds: float = 15.0) -> None:
    """Returns when a process answers on its port; fails if it ended, or did not get there in time."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert process.poll() is None, f"{process.args!r} ended with {process.returncode}"
            assert time.monotonic() < deadline, f"{process.args!r} did not start"
            time.sleep(0.02)
        else:
            return


def end(process: "subprocess.Popen[bytes]") -> None:
    """Ends a server, by force if it does not go."""
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
