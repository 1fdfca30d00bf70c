"""Proxies as processes of their own: tinyproxy for HTTP, microsocks for SOCKS 5, each with a user and a password."""

import contextlib
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.peers.ports import end, free_port, wait_until_listening

_TINYPROXY = """\
Port {port}
Listen 127.0.0.1
Timeout 60
LogFile "{log}"
LogLevel Connect
MaxClients 50
Allow 127.0.0.1
BasicAuth {user} {password}
"""


@dataclass(frozen=True)
class RunningProxy:
    """A proxy's address, who may use it, and what it noted of each connection."""

    address: str
    user: str
    password: str
    log: Path

    def noted(self) -> str:
        return self.log.read_text(errors="replace")


@contextlib.contextmanager
def tinyproxy(program: str, folder: Path, *, user: str, password: str) -> Iterator[RunningProxy]:
    """An HTTP proxy that wants Basic: requests of http:// pass it whole, those of https:// by CONNECT."""
    port = free_port()
    conf, log = folder / "tinyproxy.conf", folder / "tinyproxy.log"
    conf.write_text(_TINYPROXY.format(port=port, log=log, user=user, password=password))
    with _running([program, "-d", "-c", str(conf)], port, log=folder / "tinyproxy.out"):
        yield RunningProxy(f"127.0.0.1:{port}", user, password, log)


@contextlib.contextmanager
def microsocks(program: str, folder: Path, *, user: str, password: str) -> Iterator[RunningProxy]:
    """A SOCKS 5 proxy that wants a user and a password."""
    port, log = free_port(), folder / "microsocks.log"
    words = ["-i", "127.0.0.1", "-p", str(port), "-u", user, "-P", password]
    with _running([program, *words], port, log=log):
        yield RunningProxy(f"127.0.0.1:{port}", user, password, log)


@contextlib.contextmanager
def _running(command: list[str], port: int, *, log: Path) -> Iterator[None]:
    with log.open("wb") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=stream)
    try:
        wait_until_listening(process, port)
        yield
    finally:
        end(process)
