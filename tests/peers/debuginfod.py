"""elfutils' debuginfod as a process of its own, over a folder of programs; it has scanned them when it is given."""

import contextlib
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from tests.peers.ports import end, free_port, wait_until_listening

_SCAN_SECONDS = 30.0


@contextlib.contextmanager
def debuginfod_server(program: str, folder: Path, *, files: Path, build_id: str) -> Iterator[str]:
    """Starts it over `files`; gives its URL once it knows the file with a build id."""
    port, log = free_port(), folder / "debuginfod.log"
    command = [
        program,
        "-F",
        "-p",
        str(port),
        "-d",
        str(folder / "debuginfod.sqlite"),
        "-t",
        "0",
        "-g",
        "0",
        str(files),
    ]
    with log.open("wb") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=stream)
    try:
        wait_until_listening(process, port)
        url = f"http://127.0.0.1:{port}"
        _until_scanned(f"{url}/buildid/{build_id}/executable", log=log)
        yield url
    finally:
        end(process)


def _until_scanned(url: str, *, log: Path) -> None:
    deadline = time.monotonic() + _SCAN_SECONDS
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except urllib.error.HTTPError as error:
            error.close()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        else:
            return
