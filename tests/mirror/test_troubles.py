"""What a library raises becomes a reason word, and nothing of its own sentence is passed on."""

import http.client
import socket
import ssl
import threading
from contextlib import suppress

import pytest
from urllib3.connection import HTTPConnection
from urllib3.exceptions import (
    ConnectTimeoutError,
    LocationParseError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ProxyError,
    ReadTimeoutError,
    SSLError,
)

from symsrv.mirror.base import Refused, Try, Unavailable
from symsrv.mirror.http import open_http
from symsrv.mirror.settings import Proxy, UpstreamOptions
from symsrv.mirror.troubles import trouble
from symsrv.options import Secret

OPTIONS = UpstreamOptions(name="a", url="https://symbols.example/")
CONNECTION = HTTPConnection("symbols.example")
UNTRUSTED = ssl.SSLCertVerificationError(1, "hush")
UNTRUSTED.verify_message = "self-signed certificate"


@pytest.mark.parametrize(
    ("error", "kind", "reason"),
    [
        (ConnectTimeoutError(CONNECTION, "hush"), Unavailable, "connect-timeout"),
        (NewConnectionError(CONNECTION, "hush"), Unavailable, "unreachable"),
        (NameResolutionError("hush", CONNECTION, OSError("hush")), Unavailable, "no-such-host"),
        (ReadTimeoutError(None, "hush", "hush"), Unavailable, "first-byte-timeout"),
        (TimeoutError("hush"), Unavailable, "first-byte-timeout"),
        (SSLError(UNTRUSTED), Refused, "certificate"),
        (UNTRUSTED, Refused, "certificate"),
        (SSLError(ssl.SSLError(1, "hush")), Unavailable, "tls"),
        (ProxyError("hush", OSError("Tunnel connection failed: 407 hush")), Refused, "proxy-credentials"),
        (ProxyError("hush", OSError("Tunnel connection failed: 403 hush")), Refused, "proxy-refused"),
        (ProxyError("hush", OSError("hush")), Unavailable, "proxy"),
        (ProtocolError("hush"), Unavailable, "cut"),
        (ConnectionResetError("hush"), Unavailable, "cut"),
        (http.client.BadStatusLine("hush"), Unavailable, "cut"),
        (LocationParseError("hush"), Refused, "bad-address"),
    ],
)
def test_every_error_has_its_word(error, kind, reason):
    found = trouble(error, "symbols.example", OPTIONS)

    assert type(found) is kind
    assert found.reason == reason
    assert "hush" not in str(found)
    assert "symbols.example" in str(found) or reason == "proxy-credentials"


@pytest.mark.parametrize(
    ("answers", "kind", "reason"),
    [
        ([b"\x05\x02", b"\x01\x01"], Refused, "proxy-credentials"),  # RFC 1929: a password is wanted, ours is wrong
        ([b"\x05\xff"], Refused, "proxy-credentials"),
        ([b"\x05\x00", b"\x05\x02\x00\x01\x00\x00\x00\x00\x00\x00"], Refused, "proxy-refused"),
        ([b"\x05\x00", b"\x05\x05\x00\x01\x00\x00\x00\x00\x00\x00"], Unavailable, "unreachable"),
        ([b"HTTP/1.0 400 Bad Request\r\n\r\n"], Unavailable, "proxy"),
        (None, Unavailable, "proxy"),
    ],
    ids=["another password", "no way to sign in", "its rules", "it cannot reach it", "no SOCKS", "not there"],
)
def test_what_a_socks_proxy_says(answers, kind, reason, monkeypatch, tmp_path):
    monkeypatch.setenv("WORD", "hush")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        if answers is None:
            server.close()
        thread = threading.Thread(target=answer, args=(server, answers or []))
        thread.start()
        proxy = Proxy(url=f"socks5h://127.0.0.1:{port}", user="me", password=Secret(env="WORD"))
        upstream = open_http(UpstreamOptions(name="a", url="http://symbols.example/", proxy=proxy, tries=1))
        try:
            with pytest.raises(kind) as caught:
                upstream.fetch(Try("a", "a"), tmp_path)
        finally:
            upstream.close()
            thread.join(10)

    assert caught.value.reason == reason
    assert "hush" not in str(caught.value)


def answer(server, answers):
    """Answers one connection, one read at a time, and closes it."""
    with suppress(OSError):
        connection, _ = server.accept()
        with connection:
            for one in answers:
                connection.recv(1024)
                connection.sendall(one)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(1024):
                pass
