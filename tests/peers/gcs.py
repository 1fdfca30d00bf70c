"""fake-gcs-server as a process of its own: conditions, ranges, resumable uploads and paging are right for any number
of writers; `docs/decisions/0008-gcs.md` says what is not. Credentials are not looked at.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from google.auth.credentials import AnonymousCredentials
from google.auth.transport.requests import AuthorizedSession

CACHE = Path(
    os.environ.get("SYMSRV_INTEROP_CACHE")
    or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "symsrv-interop")
)
_START_SECONDS = 30.0


def program() -> str:
    """Where install.sh built it, or anywhere on the path. It can be built only where Go is."""
    name = "fake-gcs-server"
    place = shutil.which(name) or shutil.which(name, path=str(CACHE / "go" / "bin"))
    if place:
        return place
    reason = f"{name} is not installed; tests/interop/install.sh builds it where Go is"
    if os.environ.get("CI") == "true" and shutil.which("go"):
        pytest.fail(reason)
    pytest.skip(reason)


@contextlib.contextmanager
def gcs_server() -> Iterator[str]:
    """Starts the server, in memory, on a free port; gives its URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    options = {
        "backend": "memory",
        "scheme": "http",
        "host": "127.0.0.1",
        "port": address.rpartition(":")[2],
        "public-host": address,
        "log-level": "error",
    }
    command = [program(), *(word for name, value in options.items() for word in (f"-{name}", value))]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(process, f"http://{address}")
        yield f"http://{address}"
    finally:
        process.kill()
        process.wait()


def new_bucket(endpoint: str) -> str:
    """Makes a bucket nobody else has; returns its name."""
    name = f"store-{uuid.uuid4().hex[:12]}"
    requests.post(f"{endpoint}/storage/v1/b", json={"name": name}, timeout=10).raise_for_status()
    return name


def put(endpoint: str, bucket: str, *, name: str, data: bytes) -> None:
    """Puts an object, apart from symsrv's own client."""
    place = f"{endpoint}/upload/storage/v1/b/{bucket}/o"
    requests.post(place, params={"uploadType": "media", "name": name}, data=data, timeout=10).raise_for_status()


def session() -> AuthorizedSession:
    """A plain session, apart from symsrv's own."""
    return AuthorizedSession(AnonymousCredentials())


@contextlib.contextmanager
def environment(endpoint: str) -> Iterator[None]:
    """Points Google's library at the server, as a user would."""
    before = os.environ.get("STORAGE_EMULATOR_HOST")
    os.environ["STORAGE_EMULATOR_HOST"] = endpoint
    try:
        yield
    finally:
        if before is None:
            os.environ.pop("STORAGE_EMULATOR_HOST")
        else:
            os.environ["STORAGE_EMULATOR_HOST"] = before


def _wait(process: "subprocess.Popen[bytes]", url: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            requests.get(f"{url}/storage/v1/b", timeout=1).raise_for_status()
            return
        except requests.RequestException:
            assert process.poll() is None, f"fake-gcs-server ended with {process.returncode}"
            assert time.monotonic() < deadline, "fake-gcs-server did not start"
            time.sleep(0.02)
