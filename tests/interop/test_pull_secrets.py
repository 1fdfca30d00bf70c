"""Credentials of every kind, through fetches that succeed and fail, with all logs on: no secret is written anywhere."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import yaml

from symsrv.store import open_store
from tests.interop.pulling import Symbols
from tests.peers import ceph, moto
from tests.peers.certificates import Authority
from tests.peers.nginx import nginx_server, server
from tests.peers.proxies import RunningProxy

pytestmark = pytest.mark.interop

SECRETS = {
    "BASIC_WORD": "basic+word/2c41",
    "WRONG_WORD": "wrong-word-77e0",
    "BEARER": "bearer.token.91ab",
    "HEADER": "header-key-5d3f",
    "QUERY": "signature%2Fof-a-url-6be2",
    "WRONG_SECRET": "wrong-secret-of-s3-08fd",
    "TELL": "whsec_c2VjcmV0LW9mLWEtd2ViaG9vaw==",
}
ABSENT = "absent.pdb/3249D99D0C4049318610F4E4FB0B69361/absent.pdb"


def spellings(secret: str, users: tuple[str, ...]) -> Iterator[str]:
    """Every form in which a secret may get out."""
    yield from {secret, quote(secret, safe="")}
    for pair in (f"{user}:{secret}" for user in users):
        yield base64.b64encode(pair.encode()).decode().rstrip("=")
    yield base64.b64encode(secret.encode()).decode().rstrip("=")


@pytest.fixture
def hosts(peer, symbols: Symbols, authority: Authority, tmp_path: Path) -> Iterator[dict[str, str]]:
    """nginx with a password over TLS, and plain; and one that breaks off in the middle."""
    (tmp_path / "users").write_text(f"reader:{{PLAIN}}{SECRETS['BASIC_WORD']}\n")
    texts = {
        "tls": server(symbols.folder, tls=authority.issue("server"), users=tmp_path / "users"),
        "plain": server(symbols.folder),
        "busy": "server { listen 80; location / { return 503; } }",
        "leading": "server { listen 80; location / { return 302 http://127.0.0.1:9$request_uri; } }",
    }
    with ExitStack() as stack:
        found = {}
        for name, text in texts.items():
            (tmp_path / name).mkdir()
            _, port = stack.enter_context(nginx_server(peer("nginx"), tmp_path / name, text))
            found[name] = f"{'https' if name == 'tls' else 'http'}://localhost:{port}"
        yield found


@pytest.fixture
def upstreams(
    hosts: dict[str, str],
    authority: Authority,
    http_proxy: RunningProxy,
    socks_proxy: RunningProxy,
    ceph_url: str,
    symbols: Symbols,
) -> list[dict[str, Any]]:
    bucket = moto.new_bucket(ceph_url, ceph.CREDENTIALS)
    client = moto.client(ceph_url, ceph.CREDENTIALS)
    client.put_object(Bucket=bucket, Key=symbols.elf, Body=symbols.bytes(symbols.elf))
    client.close()
    s3 = {"access_key": ceph.CREDENTIALS["AWS_ACCESS_KEY_ID"], "region": "us-east-1", "endpoint": ceph_url}
    basic = {"user": "reader", "ca_bundle": str(authority.bundle)}
    proxy = {"url": f"http://{http_proxy.address}", "user": http_proxy.user}
    socks = {"url": f"socks5h://{socks_proxy.address}", "user": socks_proxy.user}
    no_programs = {"block": [{"name": "*.exe"}]}
    every: dict[str, dict[str, Any]] = {
        "wrong-basic": {"url": hosts["tls"], "credentials": basic | {"password": {"env": "WRONG_WORD"}}},
        "wrong-proxy": {"url": hosts["plain"], "proxy": proxy | {"password": {"env": "WRONG_WORD"}}},
        "wrong-socks": {"url": hosts["plain"], "proxy": socks | {"password": {"env": "WRONG_WORD"}}},
        "wrong-bucket": {"url": f"s3://{bucket}", "credentials": s3 | {"secret_key": {"env": "WRONG_SECRET"}}},
        "bearer": {"url": hosts["busy"], "credentials": {"token": {"env": "BEARER"}}},
        "header": {"url": hosts["leading"], "credentials": {"headers": {"X-Api-Key": {"env": "HEADER"}}}},
        "query": {"url": f"{hosts['busy']}/a?sig={SECRETS['QUERY']}"},
        "away": {"url": "https://127.0.0.1:9/", "credentials": {"user": "me", "password": {"env": "BASIC_WORD"}}},
        "bucket": {"url": f"s3://{bucket}", "credentials": s3 | {"secret_key": {"env": "S3_SECRET"}}},
        "by-proxy": {"url": hosts["plain"], "proxy": proxy | {"password": {"env": "PROXY_WORD"}}, **no_programs},
        "by-socks": {"url": hosts["plain"], "proxy": socks | {"password": {"env": "SOCKS_WORD"}}, **no_programs},
        "basic": {"url": hosts["tls"], "credentials": basic | {"password": {"env": "BASIC_WORD"}}},
    }  # fmt: skip
    return [
        {"name": name, "order": at, "tries": 2, "pause": "10ms", **said}
        for at, (name, said) in enumerate(every.items())
    ]


@pytest.fixture
def said(upstreams, http_proxy, socks_proxy, tmp_path) -> Callable[..., str]:
    """Runs symsrv with everything logged; its whole output."""
    config = tmp_path / "symsrv.yaml"
    values = {
        "store": str(tmp_path / "ours"),
        "state": str(tmp_path / "state"),
        "log": {"format": "json", "level": "debug"},
        "mirror": {
            "tell": [{"name": "ci", "url": "http://127.0.0.1:9/hook", "secret": {"env": "TELL"}, "patience": "1s"}]
        },
        "upstreams": upstreams,
    }
    config.write_text(yaml.safe_dump(values))
    environment = {
        **os.environ,
        **SECRETS,
        "S3_SECRET": ceph.CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        "PROXY_WORD": http_proxy.password,
        "SOCKS_WORD": socks_proxy.password,
        "SYMSRV_CONFIG": str(config),
    }

    def run(*words: str, codes: tuple[int, ...] = (0,)) -> str:
        command = [sys.executable, "-m", "symsrv", *words, "-vv"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environment)
        assert done.returncode in codes, done.stdout + done.stderr
        return f"$ symsrv {' '.join(words)}\n{done.stdout}\n{done.stderr}"

    return run


def test_no_secret_is_written_anywhere(said, upstreams, symbols, http_proxy, socks_proxy, tmp_path):
    keys = [symbols.exe, symbols.pdb, symbols.elf, ABSENT]
    (tmp_path / "texts").mkdir()
    open_store(str(tmp_path / "ours"), create=True, state=tmp_path / "state").close()

    plan = said("pull", *keys, "--plan", "--json")
    texts = [
        said("config"),
        plan,
        said("pull", *keys, "--json", codes=(3,)),
        said("pull", ABSENT, "--again", codes=(1, 3)),
        said("missing", "--json"),
        said("why", ABSENT, "--json", codes=(0, 1)),
        said("upstream", "list", "--json"),
        said("upstream", "stats", "--json"),
        said("upstream", "log", "--json"),
        *(
            said("upstream", "test", name, "--json", codes=(0, 1, 3))
            for name in ("wrong-basic", "wrong-socks", "basic")
        ),
        said("status", "--json"),
        said("history", "--json"),
    ]
    for at, text in enumerate(texts):
        (tmp_path / "texts" / f"{at}.txt").write_text(text)

    fetched = {json.loads(line).get("upstream") for line in texts[2].splitlines() if line.startswith('{"name"')}
    tried = texts[8]
    assert {"bucket", "by-proxy", "basic"} <= fetched
    for one in upstreams:
        assert one["name"] in plan
        assert one["name"] in tried or one["name"] == "by-socks", f"{one['name']} was not asked"
    known = {*SECRETS.values(), ceph.CREDENTIALS["AWS_SECRET_ACCESS_KEY"], http_proxy.password, socks_proxy.password}
    users = ("reader", "me", http_proxy.user, socks_proxy.user)
    written = [path for place in ("texts", "ours", "state") for path in (tmp_path / place).rglob("*") if path.is_file()]
    assert any(path.suffix == ".sqlite" and path.name.startswith("state") for path in written)
    leaks = [
        (path.name, spelling)
        for path in written
        for secret in sorted(known)
        for spelling in spellings(secret, users)
        if spelling.encode() in path.read_bytes()
    ]
    assert leaks == []
