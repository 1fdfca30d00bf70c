"""An upstream of kind http: a Try becomes a request, and its body a file."""

import threading

import pytest

from symsrv.mirror.base import Absent, Refused, Try, Unavailable, WrongContent
from symsrv.mirror.http import open_http
from symsrv.mirror.settings import Credentials, UpstreamOptions
from symsrv.model.ask import Ask, Wants
from symsrv.model.errors import UsageError
from symsrv.model.ids import debug_id
from symsrv.options import Secret
from tests.made.pdb_builder import GUID_TEXT, build_pdb
from tests.mirror.answering import Answering, ok, redirect

PDB = build_pdb()
ASK = Ask(Wants.DEBUG, (debug_id(GUID_TEXT, 1),), "a b+c.pdb")


@pytest.fixture
def opened(request):
    """Opens upstreams with little patience, and closes them."""

    def opened(url, **options):
        short = {"pause": 0.01, "tries": 2, "connect_timeout": 5, "first_byte_timeout": 5, "idle_timeout": 5}
        upstream = open_http(UpstreamOptions(name="a", url=url, **{**short, **options}), contact="https://me.example")
        request.addfinalizer(upstream.close)
        return upstream

    return opened


def test_a_file_comes_as_it_was_asked_for(opened, tmp_path):
    stages = []
    with Answering(lambda _request: ok(PDB)) as server:
        upstream = opened(f"{server.url}/symbols/")
        one = upstream.tries(ASK)[0]
        fetched = upstream.fetch(one, tmp_path, stage=lambda *stage: stages.append(stage))

    assert fetched.path.read_bytes() == PDB
    assert fetched.path.parent == tmp_path
    assert (fetched.received, fetched.encoding, fetched.address) == (len(PDB), None, one.address)
    assert server.requests[0].target == f"/symbols/a%20b%2Bc.pdb/{GUID_TEXT.upper()}1/a%20b%2Bc.pdb"
    assert stages == [("downloading", 0), ("receiving", len(PDB))]


def test_what_goes_along_with_a_request(opened, tmp_path):
    with Answering(lambda _request: ok(PDB)) as server:
        opened(server.url).fetch(Try("a", "", headers=(("SymbolChecksum", "SHA256:00"),)), tmp_path)
    sent = server.requests[0].headers

    assert sent["user-agent"].startswith("symsrv/")
    assert sent["user-agent"].endswith("(+https://me.example)")
    assert sent["x-tfs-fedauthredirect"] == "Suppress"
    assert sent["symbolchecksum"] == "SHA256:00"
    assert sent["host"] == f"127.0.0.1:{server.port}"
    assert not {"authorization", "cookie", "range"} & set(sent)


def test_a_whole_file_is_not_fetched_twice(opened, tmp_path):
    with Answering(lambda _request: ok(PDB, 'ETag: "1"')) as server:
        upstream = opened(server.url)
        first = upstream.fetch(Try("a", ""), tmp_path)
        again = upstream.fetch(Try("a", ""), tmp_path)
        upstream.fetch(Try("b", ""), tmp_path)

    assert first.path == again.path
    assert again.received == 0
    assert [request.target for request in server.requests] == ["/a", "/b"]


@pytest.mark.parametrize(
    ("answer", "kind", "reason", "requests"),
    [
        (ok(b"no", status="404 Not Found"), Absent, "absent", 1),
        (ok(b"no", status="403 Forbidden"), Refused, "forbidden", 1),
        (ok(b"no", status="500 Oops"), Unavailable, "server-error", 2),
        (ok(b"<!doctype html><html>sign in"), WrongContent, "login-page", 1),
        (ok(b"<html>sign in", status="203 Non-Authoritative"), Refused, "login-page", 1),
        (ok(b"x" * 10, length=20) + b"", WrongContent, "cut", 2),
        (b"what is this\r\n\r\n", Unavailable, "cut", 2),
        (None, Unavailable, "cut", 2),
        (ok(b"x", "Content-Range: bytes 0-0/5", status="206 Partial"), WrongContent, "bad-answer", 1),
    ],
)
def test_every_answer_has_a_clear_end(opened, tmp_path, answer, kind, reason, requests):
    def once(connection):
        if answer is not None:
            connection.sendall(answer)

    with Answering(lambda _request: once) as server, pytest.raises(kind) as caught:
        opened(server.url).fetch(Try("a", ""), tmp_path)

    assert type(caught.value) is kind
    assert caught.value.reason == reason
    assert len(server.requests) == requests


def test_what_is_too_big_is_not_read(opened, tmp_path):
    with Answering(lambda _request: ok(PDB)) as server, pytest.raises(Refused) as told:
        opened(server.url, size_limit=len(PDB) - 1).fetch(Try("a", ""), tmp_path)
    endless = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1000\r\n" + b"x" * 4096 + b"\r\n"
    with Answering(lambda _request: endless) as server, pytest.raises(Refused) as untold:
        opened(server.url, size_limit=1000).fetch(Try("a", ""), tmp_path)

    assert told.value.reason == untold.value.reason == "too-big"
    assert not list(tmp_path.glob("*.json"))


def test_credentials_go_to_the_upstreams_own_host_only(opened, tmp_path, monkeypatch):
    monkeypatch.setenv("HUSH", "hush")
    credentials = Credentials(user="me", password=Secret(env="HUSH"), headers={"X-Key": Secret(env="HUSH")})
    with Answering(lambda _request: ok(PDB)) as other:
        elsewhere = f"http://127.0.0.1:{other.port}/b"
        with Answering(lambda _request: redirect(elsewhere)) as server:
            upstream = opened(server.url, credentials=credentials)
            upstream.fetch(Try("a", "", headers=(("SymbolChecksum", "SHA256:00"),)), tmp_path)

    assert server.requests[0].headers["authorization"] == "Basic bWU6aHVzaA=="
    assert server.requests[0].headers["x-key"] == "hush"
    assert not {"authorization", "x-key"} & set(other.requests[0].headers)


def test_a_token_is_a_bearer(opened, tmp_path, monkeypatch):
    monkeypatch.setenv("HUSH", "hush")
    with Answering(lambda _request: ok(PDB)) as server:
        opened(server.url, credentials=Credentials(token=Secret(env="HUSH"))).fetch(Try("a", ""), tmp_path)

    assert server.requests[0].headers["authorization"] == "Bearer hush"


def test_a_secret_that_goes_away_is_told_without_it(opened, tmp_path, monkeypatch):
    monkeypatch.setenv("HUSH", "hush")
    upstream = opened("http://127.0.0.1:9/", credentials=Credentials(token=Secret(env="HUSH")))
    monkeypatch.delenv("HUSH")

    with pytest.raises(Refused) as caught:
        upstream.fetch(Try("a", ""), tmp_path)
    with pytest.raises(UsageError, match="HUSH"):
        opened("http://127.0.0.1:9/", credentials=Credentials(token=Secret(env="HUSH")))

    assert caught.value.reason == "no-secret"


def test_a_header_that_cannot_be_sent_is_refused_without_its_value(opened, monkeypatch):
    monkeypatch.setenv("HUSH", "hush\r\nX: y")

    with pytest.raises(UsageError) as caught:
        opened("http://127.0.0.1:9/", credentials=Credentials(headers={"X-Key": Secret(env="HUSH")}))

    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("sent", [b"", ok(b"x" * 100_000, length=200_000)])
def test_closing_ends_what_is_under_way(opened, tmp_path, sent):
    asked, ended = threading.Event(), []

    def half(connection):
        connection.sendall(sent)
        asked.set()
        connection.recv(1)  # until it goes away

    with Answering(lambda _request: half) as server:
        upstream = opened(server.url, first_byte_timeout=60, idle_timeout=60)

        def fetch():
            try:
                upstream.fetch(Try("a", ""), tmp_path)
            except Unavailable as error:
                ended.append(error.reason)

        thread = threading.Thread(target=fetch)
        thread.start()
        assert asked.wait(10)
        upstream.close()
        thread.join(10)

    assert ended == ["closed"]
