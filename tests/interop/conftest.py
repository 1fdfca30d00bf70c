"""Real peers: where they are, each started once, and a symsrv of our own for them to talk to."""

import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.interop.pulling import Symbols, make_symbols
from tests.peers import ceph, gcs, moto, proxies
from tests.peers.certificates import Authority
from tests.peers.ports import free_port

PLACES = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])


@pytest.fixture(scope="session")
def peer() -> Callable[..., str]:
    """The path of a peer's program, the first of the names that is there: `peer("llvm-symbolizer-16", "…-19")`.

    Without one the test is skipped; in CI, on a machine that could install it, it fails.
    """

    def find(*names: str) -> str:
        for name in names:
            if name.startswith("/"):
                matches = sorted(Path("/").glob(name[1:]))
                if matches:
                    return str(matches[-1])
            elif found := shutil.which(name, path=PLACES):
                return found
        reason = f"{' or '.join(names)} is not installed; tests/interop/install.sh installs it"
        if os.environ.get("CI") == "true" and shutil.which("apt-get"):
            pytest.fail(reason)
        pytest.skip(reason)

    return find


@pytest.fixture(scope="session")
def ceph_url(peer: Callable[..., str]) -> Iterator[str]:
    for program in ceph.PROGRAMS:
        peer(program)
    with ceph.ceph_server() as url:
        yield url


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    with moto.moto_server() as url:
        yield url


@pytest.fixture(scope="session")
def gcs_url() -> Iterator[str]:
    with gcs.gcs_server() as url:
        yield url


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A certificate authority that no system trusts."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def http_proxy(peer: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[proxies.RunningProxy]:
    program, folder = peer("tinyproxy"), tmp_path_factory.mktemp("tinyproxy")
    with proxies.tinyproxy(program, folder, user="proxy-user", password="proxy-word") as running:
        yield running


@pytest.fixture(scope="session")
def socks_proxy(peer: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[proxies.RunningProxy]:
    program, folder = peer("microsocks"), tmp_path_factory.mktemp("microsocks")
    with proxies.microsocks(program, folder, user="socks-user", password="socks-word") as running:
        yield running


@pytest.fixture(scope="session")
def symbols(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Symbols]:
    """A store to pull from; nobody changes it."""
    made = make_symbols(tmp_path_factory.mktemp("symbols"))
    yield made
    made.store.close()


@pytest.fixture
def symsrv() -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Runs symsrv as a process of its own and checks that it did what it was told."""

    def run(*arguments: object, code: int = 0) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "symsrv", *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == code, done.stderr + done.stdout
        return done

    return run


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Starts `symsrv serve` on a store and returns its URL; stops it after the test."""
    processes: list[subprocess.Popen[bytes]] = []

    def start(store: object, *arguments: object) -> str:
        port = free_port()
        log = tmp_path / f"serve-{port}.log"
        command = [sys.executable, "-m", "symsrv", "serve", "--store", str(store), "--listen", f"127.0.0.1:{port}"]
        with log.open("wb") as stream:
            process = subprocess.Popen([*command, *map(str, arguments)], stdout=stream, stderr=stream)
        processes.append(process)
        url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 30
        while not answers(f"{url}/-/readyz"):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        return url

    yield start
    for process in processes:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False
