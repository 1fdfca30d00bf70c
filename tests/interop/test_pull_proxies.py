"""Real proxies on the way to an upstream: tinyproxy and microsocks with passwords, and who goes straight."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from symsrv.mirror.base import FetchError, Refused
from symsrv.mirror.settings import Credentials, Proxy, UpstreamOptions
from symsrv.options import Secret
from tests.interop.pulling import Symbols, fetch
from tests.peers.certificates import Authority
from tests.peers.nginx import nginx_server, server
from tests.peers.proxies import RunningProxy

pytestmark = pytest.mark.interop


@pytest.fixture(scope="module")
def hosts(
    peer: Callable[..., str], symbols: Symbols, authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """A store that nginx serves plain and over TLS."""
    plain, tls = tmp_path_factory.mktemp("plain"), tmp_path_factory.mktemp("tls")
    with (
        nginx_server(peer("nginx"), plain, server(symbols.folder)) as (_, plain_port),
        nginx_server(peer("nginx"), tls, server(symbols.folder, tls=authority.issue("server"))) as (_, tls_port),
    ):
        yield {"http": f"http://localhost:{plain_port}", "https": f"https://localhost:{tls_port}"}


@pytest.fixture
def proxies(http_proxy: RunningProxy, socks_proxy: RunningProxy, monkeypatch) -> dict[str, tuple[str, RunningProxy]]:
    monkeypatch.setenv("HTTP_PROXY_WORD", http_proxy.password)
    monkeypatch.setenv("SOCKS_PROXY_WORD", socks_proxy.password)
    monkeypatch.setenv("WRONG_WORD", "wrong-word")
    return {"http": ("http", http_proxy), "socks": ("socks5h", socks_proxy)}


def by(proxies, kind, **change) -> Proxy:
    scheme, running = proxies[kind]
    said = {"url": f"{scheme}://{running.address}", "user": running.user}
    return Proxy(**said | {"password": Secret(env=f"{kind.upper()}_PROXY_WORD")} | change)


@pytest.mark.parametrize("kind", ["http", "socks"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_by_a_proxy_with_a_password(hosts, authority, proxies, symbols, tmp_path: Path, kind, scheme):
    trust = Credentials(ca_bundle=authority.bundle)
    options = UpstreamOptions(name="far", url=hosts[scheme], credentials=trust, proxy=by(proxies, kind))
    before = len(proxies[kind][1].noted())

    assert fetch(options, symbols.pdb, tmp_path / "into") == symbols.bytes(symbols.pdb)

    noted = proxies[kind][1].noted()[before:]
    assert f"localhost:{hosts[scheme].rpartition(':')[2]}" in noted or "GET http" in noted


@pytest.mark.parametrize("kind", ["http", "socks"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_does_not_know_us(hosts, authority, proxies, symbols, tmp_path, kind, scheme):
    trust = Credentials(ca_bundle=authority.bundle)
    proxy = by(proxies, kind, password=Secret(env="WRONG_WORD"))
    options = UpstreamOptions(name="far", url=hosts[scheme], credentials=trust, proxy=proxy, tries=1)

    with pytest.raises(Refused) as caught:
        fetch(options, symbols.pdb, tmp_path / "into")

    assert caught.value.reason in ("proxy-credentials", "proxy-refused", "unauthorized")
    assert "wrong-word" not in str(caught.value)


@pytest.mark.parametrize("kind", ["http", "socks"])
def test_hosts_that_are_reached_without_the_proxy(hosts, proxies, symbols, tmp_path, kind):
    proxy = by(proxies, kind, password=Secret(env="WRONG_WORD"), except_for=(".example", "localhost"))
    before = proxies[kind][1].noted()

    got = fetch(UpstreamOptions(name="near", url=hosts["http"], proxy=proxy), symbols.pdb, tmp_path / "into")

    assert got == symbols.bytes(symbols.pdb)
    assert proxies[kind][1].noted() == before


def test_the_environment_names_the_proxy_and_who_needs_none(hosts, proxies, symbols, monkeypatch, tmp_path):
    running = proxies["http"][1]
    monkeypatch.setenv("http_proxy", f"http://{running.user}:{running.password}@{running.address}")
    monkeypatch.delenv("no_proxy", raising=False)
    options = UpstreamOptions(name="far", url=hosts["http"])
    before = len(running.noted())

    assert fetch(options, symbols.pdb, tmp_path / "by") == symbols.bytes(symbols.pdb)
    by_proxy = len(running.noted())
    monkeypatch.setenv("no_proxy", "localhost")
    assert fetch(options, symbols.pdb, tmp_path / "straight") == symbols.bytes(symbols.pdb)

    assert before < by_proxy == len(running.noted())


def test_a_proxy_that_is_not_there(hosts, symbols, tmp_path):
    proxy = Proxy(url="http://127.0.0.1:9")
    options = UpstreamOptions(name="far", url=hosts["http"], proxy=proxy, tries=1)

    with pytest.raises(FetchError):
        fetch(options, symbols.pdb, tmp_path / "into")
