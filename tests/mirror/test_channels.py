"""Answers begin in time, however they trickle, and their bodies are read in pieces into a buffer."""

import time

import pytest

from symsrv.mirror.base import Unavailable
from symsrv.mirror.connections import Connections
from symsrv.mirror.settings import UpstreamOptions
from tests.mirror.answering import Answering, ok


@pytest.fixture
def connections(request):
    def made(url, **options):
        found = Connections(UpstreamOptions(name="a", url=url, **options))
        request.addfinalizer(found.close)
        return found

    return made


def body_of(answer, size=1000):
    buffer, parts = memoryview(bytearray(size)), []
    try:
        while count := answer.take(buffer):
            parts.append(bytes(buffer[:count]))
        return b"".join(parts), answer.whole
    finally:
        answer.close()


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (ok(b"x" * 5000), (b"x" * 5000, True)),
        (ok(b""), (b"", True)),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", (b"abcde", True)),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabcde", (b"abcde", True)),
        (b"HTTP/1.0 200 OK\r\n\r\nabcde", (b"abcde", True)),
        (ok(b"abc", length=5), (b"abc", False)),
    ],
)
def test_bodies_of_every_kind(connections, answer, expected):
    with Answering(lambda _request: lambda connection: connection.sendall(answer)) as server:
        assert body_of(connections(server.url).get(f"{server.url}/a", {}, own=True)) == expected


def test_a_chunk_that_breaks_off_is_no_end(connections):
    cut = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n9\r\nde"
    with (
        Answering(lambda _request: lambda connection: connection.sendall(cut)) as server,
        pytest.raises(Unavailable) as caught,
    ):
        body_of(connections(server.url).get(f"{server.url}/a", {}, own=True))

    assert caught.value.reason == "cut"


def test_a_connection_is_used_again_if_nothing_is_left_in_it(connections):
    peers = []

    def answer(_request):
        def send(connection):
            peers.append(connection.getpeername())
            return ok(b"x" * 10)

        return send

    with Answering(answer) as server:
        found = connections(server.url)
        for _ in range(3):
            body_of(found.get(f"{server.url}/a", {}, own=True))
        found.get(f"{server.url}/a", {}, own=True).close()
        body_of(found.get(f"{server.url}/a", {}, own=True))

    assert len(set(peers)) == 2
    assert len(peers) == 5


def test_a_head_that_trickles_has_no_more_time_than_one_that_waits(connections):
    def trickle(connection):
        for _ in range(1000):
            connection.sendall(b"HTTP/1.1 200 OK\r\nX: y\r\n"[:1] if _ == 0 else b"T")
            time.sleep(0.02)

    with Answering(lambda _request: trickle) as server:
        before = time.monotonic()
        with pytest.raises(Unavailable) as caught:
            connections(server.url, first_byte_timeout=0.3).get(f"{server.url}/a", {}, own=True)
        took = time.monotonic() - before

    assert caught.value.reason == "first-byte-timeout"
    assert took < 5
