"""A server that leads to a private address, by names that the system resolves: nobody is asked there."""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.interop.pulling import Symbols
from tests.peers.nginx import nginx_server, server

pytestmark = pytest.mark.interop

REPOSITORY = Path(__file__).resolve().parents[2]
HOSTS = "127.0.0.1 localhost symbols.far.example cdn.far.example\n::1 six.far.example\n"
FETCH = """\
import json, sys
from pathlib import Path
from symsrv.mirror.base import FetchError
from symsrv.mirror.settings import UpstreamOptions
from tests.interop.pulling import fetch
every, key, into = sys.argv[1:]
for options in json.loads(every):
    try:
        print(json.dumps(len(fetch(UpstreamOptions(**options), key, Path(into)))))
    except FetchError as error:
        print(json.dumps(error.reason))
"""


@pytest.fixture
def resolved(tmp_path: Path, symbols: Symbols) -> Callable[..., list[object]]:
    """Fetches from upstreams in a process whose resolver reads a hosts file of ours; the sizes, or the reasons."""
    hosts, program = tmp_path / "hosts", tmp_path / "fetch.py"
    hosts.write_text(HOSTS)
    program.write_text(FETCH)
    line = f"mount --bind {hosts} /etc/hosts && "
    unshare = shutil.which("unshare")
    tried = unshare and subprocess.run(
        [unshare, "--mount", "sh", "-c", f"{line} true"], capture_output=True, check=False
    )
    if not tried or tried.returncode:
        pytest.skip("this user may not give a process a hosts file of its own")

    def run(*options: dict[str, object]) -> list[object]:
        command = [unshare, "--mount", "sh", "-c", f'{line} exec "$@"', "sh"]
        command += [sys.executable, str(program), json.dumps(options), symbols.pdb, str(tmp_path / "into")]
        environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, env=environment)
        return [json.loads(line) for line in done.stdout.splitlines()]

    return run


@pytest.fixture
def inside() -> Iterator[socket.socket]:
    """Something on this machine that nobody outside should reach; it notes who connects."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0)
        yield listening


def was_asked(listening: socket.socket) -> bool:
    try:
        listening.accept()[0].close()
    except BlockingIOError:
        return False
    return True


def test_a_redirect_to_a_private_address_is_not_followed(peer, resolved, inside, tmp_path):
    port = inside.getsockname()[1]
    hosts = ["cdn.far.example", "127.0.0.1", "127.1", "0x7f000001", "[::ffff:127.0.0.1]", "[::1]", "six.far.example"]
    leads = [f"location /{at}/ {{ return 302 http://{host}:{port}$request_uri; }}" for at, host in enumerate(hosts)]
    (tmp_path / "nginx").mkdir()
    with nginx_server(peer("nginx"), tmp_path / "nginx", f"server {{ listen 80; {' '.join(leads)} }}") as (_, own):
        url = f"http://symbols.far.example:{own}"

        said = resolved(*({"name": "far", "url": f"{url}/{at}", "tries": 1} for at in range(len(hosts))))

    assert said == ["private-address"] * len(hosts)
    assert not was_asked(inside)


def test_what_the_administrator_named_is_asked(peer, resolved, symbols, tmp_path):
    (tmp_path / "nginx").mkdir()
    (tmp_path / "cdn").mkdir()
    with nginx_server(peer("nginx"), tmp_path / "cdn", server(symbols.folder)) as (_, cdn):
        text = f"server {{ listen 80; location / {{ return 302 http://cdn.far.example:{cdn}$request_uri; }} }}"
        with nginx_server(peer("nginx"), tmp_path / "nginx", text) as (_, own):
            named = {"name": "near", "url": f"http://cdn.far.example:{cdn}"}
            allowed = {"name": "far", "url": f"http://symbols.far.example:{own}", "private_addresses": True}

            assert resolved(named, allowed) == [len(symbols.bytes(symbols.pdb))] * 2
