"""A request goes through redirects, and takes to other hosts nothing that is not theirs."""

import time

import pytest

from symsrv.mirror.base import Refused, Unavailable
from symsrv.mirror.connections import Connections
from symsrv.mirror.pace import Pace
from symsrv.mirror.requesting import Requester, agent
from symsrv.mirror.settings import Credentials, UpstreamOptions
from symsrv.options import Secret
from tests.mirror.answering import Answering, ok, redirect


@pytest.fixture
def requester(request):
    def made(url, **more):
        options = UpstreamOptions(name="a", url=url, **more)
        connections = Connections(options)
        request.addfinalizer(connections.close)
        return Requester(options, connections, Pace(None))

    return made


def failing(requester, server, path="/a"):
    with pytest.raises(Refused) as caught:
        requester(server.url).get(f"{server.url}{path}", {})
    return caught.value.reason


def test_redirects_are_followed(requester):
    def answer(request):
        number = int(request.target[1:])
        return ok(b"here") if number == 8 else redirect(f"/{number + 1}#part")

    with Answering(answer) as server:
        got = requester(server.url).get(f"{server.url}/0", {"X": "y"})
        got.close()

    assert got.url == f"{server.url}/8"
    assert [request.headers["x"] for request in server.requests] == ["y"] * 9


def test_too_many_redirects_are_a_loop(requester):
    with Answering(lambda request: redirect(f"/{int(request.target[1:]) + 1}")) as server:
        assert failing(requester, server, "/0") == "redirect-loop"
    assert len(server.requests) == 9


def test_a_circle_is_seen_at_once(requester):
    with Answering(lambda request: redirect("/b" if request.target == "/a" else "/a")) as server:
        assert failing(requester, server) == "redirect-loop"
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("http://10.0.0.1/a", "private-address"),
        ("http://[::ffff:127.0.0.2]/a", "private-address"),
        ("http://127.0.0.2:1/a", "private-address"),
        ("ftp://symbols.example/a", "bad-redirect"),
        ("file:///etc/passwd", "bad-redirect"),
        ("http://me:hush@symbols.example/a", "bad-redirect"),
        ("http://symbols.example:99999/a", "bad-redirect"),
        ("http://[broken/a", "bad-redirect"),
        ("", "bad-redirect"),
    ],
)
def test_where_nobody_may_be_led(requester, location, reason):
    with Answering(lambda _request: redirect(location)) as server:
        assert failing(requester, server) == reason


def test_the_way_to_the_encrypted_port_keeps_credentials_and_the_way_back_is_refused(monkeypatch):
    monkeypatch.setenv("HUSH", "hush")

    class Scripted:
        def __init__(self, *locations):
            self.locations, self.sent = list(locations), []

        def get(self, url, headers, *, own):
            self.sent.append((url, headers.get("Authorization"), own))
            return Answer(url, self.locations.pop(0))

    class Answer:
        def __init__(self, url, location):
            self.url, self.status, self.headers = url, 301 if location else 200, {"Location": location}

        def close(self):
            pass

    credentials = Credentials(token=Secret(env="HUSH"))
    options = UpstreamOptions(name="a", url="http://symbols.example/", credentials=credentials)
    up = Scripted("https://symbols.example/a", "https://symbols.example:8443/a", None)
    Requester(options, up, Pace(None)).get("http://symbols.example/a", {})
    down = Scripted("https://symbols.example/a", "http://symbols.example/a")
    with pytest.raises(Refused) as caught:
        Requester(options, down, Pace(None)).get("http://symbols.example/a", {})

    assert up.sent == [
        ("http://symbols.example/a", "Bearer hush", True),
        ("https://symbols.example/a", "Bearer hush", True),
        ("https://symbols.example:8443/a", None, False),
    ]
    assert caught.value.reason == "insecure-redirect"


def test_an_upstream_that_asks_for_quiet_gets_it_from_all_requests(requester):
    answers = [ok(b"", "Retry-After: 1", status="429 Slow down"), ok(b"here")]
    with Answering(lambda request: answers[request.number]) as server:
        asking = requester(server.url)
        before = time.monotonic()
        with pytest.raises(Unavailable) as caught:
            asking.get(f"{server.url}/a", {})
        asking.get(f"{server.url}/b", {}).close()

    assert caught.value.retry_after == 1
    assert time.monotonic() - before >= 1


def test_a_refusal_leaves_the_connection_usable(requester):
    peers = set()

    def answer(_request):
        def send(connection):
            peers.add(connection.getpeername())
            return ok(b"no" * 100, status="404 Not Found")

        return send

    with Answering(answer) as server:
        asking = requester(server.url)
        for _ in range(3):
            with pytest.raises(Exception, match="no such file"):
                asking.get(f"{server.url}/a", {})

    assert len(peers) == 1


@pytest.mark.parametrize(
    ("contact", "expected"),
    [
        ("", ""),
        ("https://me.example/", " (+https://me.example/)"),
        ("me@example.com", " (+me@example.com)"),
        ("a\r\nX: y (z)", " (+a X: y z)"),
        ("ü", ""),
    ],
)
def test_who_we_are(contact, expected):
    assert agent(contact).partition(" ")[0].startswith("symsrv/")
    assert agent(contact) == agent("") + expected
