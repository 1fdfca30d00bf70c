"""What a library raises becomes a reason word, and nothing of its own sentence is passed on."""

import http.client
import ssl

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

from symsrv.mirror.base import Refused, Unavailable
from symsrv.mirror.settings import UpstreamOptions
from symsrv.mirror.troubles import trouble

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
