"""Where connections lead, through what, and what is trusted."""

import base64

import pytest

from symsrv.mirror.base import Refused, Unavailable
from symsrv.mirror.connections import Connections
from symsrv.mirror.settings import Credentials, Proxy, UpstreamOptions
from symsrv.model.errors import UsageError
from symsrv.options import Secret
from tests.mirror.answering import Answering, ok


@pytest.fixture
def connections(request):
    def made(url, **options):
        found = Connections(UpstreamOptions(name="a", url=url, connect_timeout=5, **options))
        request.addfinalizer(found.close)
        return found

    return made


def text_of(answer):
    buffer = memoryview(bytearray(1000))
    count = answer.take(buffer)
    answer.close()
    return bytes(buffer[:count])


def test_an_address_that_nobody_named_is_not_connected_to(connections):
    with Answering(lambda _request: ok(b"hello")) as server, pytest.raises(Refused) as caught:
        connections("http://symbols.example/").get(server.url, {}, own=False)

    assert caught.value.reason == "private-address"
    assert not server.requests


def test_who_says_so_connects_to_all(connections):
    with Answering(lambda _request: ok(b"hello")) as server:
        found = connections("http://symbols.example/", private_addresses=True)

        assert text_of(found.get(server.url, {}, own=False)) == b"hello"


def test_a_proxy_is_told_the_whole_url_and_who_we_are(connections, monkeypatch):
    monkeypatch.setenv("HUSH", "hush")
    with Answering(lambda _request: ok(b"hello")) as server:
        proxy = Proxy(url=server.url, user="me", password=Secret(env="HUSH"))
        found = connections("http://symbols.example/", proxy=proxy)

        assert text_of(found.get("http://symbols.example/a%20b", {"X": "y"}, own=True)) == b"hello"
    (request,) = server.requests

    assert request.target == "http://symbols.example/a%20b"
    assert request.headers["proxy-authorization"] == "Basic " + base64.b64encode(b"me:hush").decode()
    assert (request.headers["host"], request.headers["x"]) == ("symbols.example", "y")


def test_a_proxy_is_not_asked_for_what_is_private_by_its_spelling(connections):
    with Answering(lambda _request: ok(b"hello")) as server:
        found = connections("http://symbols.example/", proxy=Proxy(url=server.url))
        with pytest.raises(Refused) as caught:
            found.get("http://169.254.169.254/latest/meta-data", {}, own=False)

    assert caught.value.reason == "private-address"
    assert not server.requests


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [
        ("407 Proxy Authentication Required", Refused, "proxy-credentials"),
        ("403 Forbidden", Refused, "proxy-refused"),
        ("502 Bad Gateway", Unavailable, "proxy"),
    ],
)
def test_what_a_proxy_says_of_a_tunnel(connections, monkeypatch, status, kind, reason):
    monkeypatch.setenv("HUSH", "hush")
    with Answering(lambda _request: ok(b"", status=status)) as server:
        proxy = Proxy(url=server.url, user="me", password=Secret(env="HUSH"))
        with pytest.raises(kind) as caught:
            connections("https://symbols.example/", proxy=proxy).get("https://symbols.example/a", {}, own=True)
    (request,) = server.requests

    assert caught.value.reason == reason
    assert (request.method, request.target) == ("CONNECT", "symbols.example:443")
    assert request.headers["proxy-authorization"].startswith("Basic ")
    assert "hush" not in str(caught.value)


def test_who_is_excepted_goes_straight(connections):
    with Answering(lambda _request: ok(b"hello")) as server:
        proxy = Proxy(url="http://127.0.0.1:9", except_for=("127.0.0.1",))

        assert text_of(connections(server.url, proxy=proxy).get(server.url, {}, own=True)) == b"hello"


def test_a_proxy_that_is_not_there_is_told(connections):
    with Answering(lambda _request: ok(b"")) as server:
        url = server.url
    with pytest.raises(Unavailable):
        connections("http://symbols.example/", proxy=Proxy(url=url)).get("http://symbols.example/", {}, own=True)


@pytest.mark.parametrize("option", ["ca_bundle", "client_cert"])
def test_certificates_that_cannot_be_read_are_told_at_once(connections, tmp_path, option):
    text = tmp_path / "text.pem"
    text.write_text("hush")

    for path, why in ((tmp_path / "none.pem", "No such file"), (text, "no certificate")):
        with pytest.raises(UsageError, match=why) as caught:
            connections("https://symbols.example/", credentials=Credentials(**{option: path}))
        assert "hush" not in str(caught.value)
