"""The server sends what a reply says, breaks it as it says, and writes down who asked."""

import http.client
import io
import json
import socket
import ssl
import time

import pytest

from symsrv.mirror.faking import QUIRKS, FakeUpstream
from symsrv.mirror.faking.base import CLOSE, RESET, Quirk, Reply
from symsrv.mirror.faking.certificate import AUTHORITY

BODY = bytes(range(256)) * 4000


def fake(tmp_path, *replies, **more):
    """A server that gives these replies in turn."""
    left = list(replies)
    return FakeUpstream(tmp_path, [(Quirk(lambda _got, _answer, _value: left.pop(0)), "")], **more)


def ask(server, path="/a", method="GET", **headers):
    connection = http.client.HTTPConnection(*server.url.removeprefix("http://").split(":"), timeout=10)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def test_bodies_and_their_lengths(tmp_path):
    (tmp_path / "file").write_bytes(BODY)
    whole = Reply(file=tmp_path / "file", start=5, end=len(BODY), headers={"ETag": '"1"'})
    with fake(tmp_path, whole, Reply(data=b"abc", chunked=True), Reply(data=b"abc", length=-1), Reply()) as server:
        assert ask(server)[2] == BODY[5:]
        assert ask(server)[2] == b"abc"
        status, headers, body = ask(server)
        assert (status, headers, body) == (200, {"Connection": "close"}, b"abc")
        assert ask(server)[2] == b""


def test_a_connection_is_kept(tmp_path):
    with FakeUpstream(tmp_path) as server:
        connection = http.client.HTTPConnection(*server.url.removeprefix("http://").split(":"))
        for _ in range(3):
            connection.request("GET", "/none", body=b"what is this")
            assert connection.getresponse().read() == b"Not Found\n"
        connection.close()


def test_head_has_the_head_alone(tmp_path):
    (tmp_path / "file").write_bytes(BODY)
    with FakeUpstream(tmp_path) as server:
        _, headers, body = ask(server, "/file", "HEAD")

    assert (headers["Content-Length"], body) == (str(len(BODY)), b"")


@pytest.mark.parametrize(("ending", "error"), [(RESET, ConnectionResetError), (CLOSE, http.client.IncompleteRead)])
def test_a_body_ends_early(tmp_path, ending, error):
    with fake(tmp_path, Reply(data=BODY, cut=1000, ending=ending)) as server:
        connection = http.client.HTTPConnection(*server.url.removeprefix("http://").split(":"), timeout=10)
        connection.request("GET", "/a")
        answer = connection.getresponse()
        assert answer.read(1000) == BODY[:1000]
        with pytest.raises(error):
            answer.read()
        connection.close()

    assert server.requests[0]["sent"] == 1000


def test_a_stalled_body_ends_with_the_server(tmp_path):
    with fake(tmp_path, Reply(data=BODY, cut=1000, ending="stall")) as server:
        connection = http.client.HTTPConnection(*server.url.removeprefix("http://").split(":"), timeout=0.2)
        connection.request("GET", "/a")
        answer = connection.getresponse()
        assert answer.read(1000) == BODY[:1000]
        with pytest.raises(TimeoutError):
            answer.read()
        before = time.monotonic()
    connection.close()

    assert time.monotonic() - before < 5


def test_pauses_and_pieces(tmp_path):
    with fake(tmp_path, Reply(data=b"x" * 10, pause=0.1, piece=5, step=0.1)) as server:
        before = time.monotonic()
        assert ask(server)[2] == b"x" * 10

    assert time.monotonic() - before >= 0.2


def test_requests_are_written_down_without_secrets(tmp_path):
    log = io.StringIO()
    with FakeUpstream(tmp_path, log=log) as server:
        ask(server, "/a%20b?c=d", Authorization="Basic hush")
        ask(server, "/a%20b")
    lines = [json.loads(line) for line in log.getvalue().splitlines()]

    assert lines == server.requests
    assert [(line["path"], line["number"], line["status"]) for line in lines] == [("a b", 0, 404), ("a b", 1, 404)]
    assert lines[0]["target"] == "/a%20b?c=d"
    assert lines[0]["headers"]["authorization"] == "Basic ***"


def test_what_is_not_http_is_hung_up_on(tmp_path):
    with FakeUpstream(tmp_path) as server:
        host, port = server.url.removeprefix("http://").split(":")
        for nonsense in (b"what\r\n\r\n", b"\r\n", b"GET /\r\n"):
            with socket.create_connection((host, int(port)), timeout=10) as connection:
                connection.sendall(nonsense)
                assert connection.recv(100) == b""
        assert ask(server)[0] == 404


def test_tls_is_trusted_by_who_has_the_authority_and_by_nobody_else(tmp_path):
    with FakeUpstream(tmp_path, [(QUIRKS["tls"], "")]) as server:
        port = int(server.url.rpartition(":")[2])
        assert server.url == f"https://127.0.0.1:{port}"
        for host in ("127.0.0.1", "localhost"):
            context = ssl.create_default_context(cadata=AUTHORITY)
            context.verify_flags |= ssl.VERIFY_X509_STRICT
            connection = http.client.HTTPSConnection(host, port, context=context, timeout=10)
            connection.request("GET", "/a")
            assert connection.getresponse().status == 404
            connection.close()
        stranger = http.client.HTTPSConnection("127.0.0.1", port, timeout=10)
        with pytest.raises(ssl.SSLCertVerificationError):
            stranger.request("GET", "/a")
        stranger.close()


def test_an_ipv6_address(tmp_path):
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 here")
    with FakeUpstream(tmp_path, host="::1") as server:
        assert server.url.startswith("http://[::1]:")
