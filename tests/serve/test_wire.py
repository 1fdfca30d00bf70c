"""The app behind the real server, over sockets: nonsense, clients that vanish, that stall, that send too much."""

import contextlib
import os
import re
import socket
import time

import pytest

from symsrv.serve import wire
from tests.serve.site import BIG, BIG_BYTES, PDB, exchange, live

EXE_ID = b"/0A1B2C3D3000/"
CLOSE = b"\r\nHost: h\r\nConnection: close\r\n\r\n"


@pytest.fixture(scope="module")
def running(shared):
    with live(shared.store) as found:
        yield found


@pytest.fixture
def address(running):
    return running[0]


@pytest.fixture
def metrics(running):
    return running[1].metrics


def statuses(data):
    """The statuses of answers that follow each other, going by their lengths."""
    found = []
    while data:
        head, _, data = data.partition(b"\r\n\r\n")
        status, *lines = head.split(b"\r\n")
        found.append(int(status.split()[1]))
        length = [int(line.split(b":")[1]) for line in lines if line.lower().startswith(b"content-length")]
        data = data[length[0] if length else 0 :]
    return found


@pytest.mark.parametrize(
    "request_line",
    [
        b"GET /\xff\xfe/a/b HTTP/1.1",
        b"GET /\x01/a HTTP/1.1",
        b"GET /a b/c HTTP/1.1",
        b"GET //index2.txt HTTP/1.1",
        b"GET //foo.pdb/x/foo.pdb HTTP/1.1",
        b"GET http://h/nothing HTTP/1.1",
        b"GET http:///nothing HTTP/1.1",
        b"GET nothing HTTP/1.1",
        b"GET * HTTP/1.1",
        b"OPTIONS * HTTP/1.1",
        b"CONNECT h:443 HTTP/1.1",
        b"GET /a HTTP/9.9",
        b"get /a HTTP/1.1",
        b"BREW /a HTTP/1.1",
        b"GET /a",
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1",
        b"GET /a#b HTTP/1.1",
        b"GET /a?b#c HTTP/1.1",
        b"GET /%zz/%/% HTTP/1.1",
        b"GET /a HTTP/1.1\r\nBad Header: x",
        b"GET /a HTTP/1.1\r\nContent-Length: x",
        b"GET /a HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked",
        b"GET /a HTTP/1.1\r\nTransfer-Encoding: rubbish",
        b"GET /a HTTP/1.1\r\n: x",
        b"GET /a HTTP/1.1\r\nX: \x00\x01",
        b"GET /a HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13",
        b"GET /a HTTP/1.1\r\nUpgrade: h2c\r\nHTTP2-Settings: x",
        b"GET /a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 0",
        b"POST /a HTTP/1.1\r\nContent-Length: 3",
        b"PRI * HTTP/2.0",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
def test_whatever_comes_is_at_worst_a_miss(address, request_line):
    answer = exchange(address, request_line + CLOSE)

    assert re.match(rb"HTTP/1\.1 404 ", answer), answer[:100]
    assert b"\r\ncontent-length: " in answer


def test_requests_on_one_connection_are_answered_in_order(address, shared):
    pdb = (shared.root / PDB).read_bytes()
    one = b"GET /%b HTTP/1.1\r\nHost: h\r\n"
    asked = (
        one % PDB.encode() + b"\r\n" + one % b"nothing" + b"\r\n" + one % PDB.encode() + b"Range: bytes=0-9\r\n\r\n"
        + b"HEAD" + (one % PDB.encode())[3:] + b"\r\n" + one % BIG.encode() + b"Connection: close\r\n\r\n"
    )  # fmt: skip

    answer = exchange(address, asked)

    at = 0
    for status, size in [(200, len(pdb)), (404, None), (206, 10), (200, 0), (200, BIG_BYTES)]:
        end = answer.index(b"\r\n\r\n", at) + 4
        assert int(answer[at:].split(b" ", 2)[1]) == status
        length = int(re.search(rb"content-length: (\d+)", answer[at:end])[1])
        at = end + (length if size is None else size)
    assert at == len(answer)


def test_a_connection_is_kept_whichever_way_it_is_answered(address, shared):
    simple = f"GET /{PDB} HTTP/1.1\r\nHost: h\r\nUser-Agent: x\r\n\r\n".encode()
    ranged = f"GET /{PDB} HTTP/1.1\r\nHost: h\r\nRange: bytes=5-9\r\n\r\n".encode()
    page = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
    whole = (shared.root / PDB).read_bytes()

    with socket.create_connection(address, timeout=10) as sock:
        stream = sock.makefile("rb")
        for request in (simple, simple, ranged, page, simple, ranged, ranged, simple):
            sock.sendall(request)
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += stream.readline()
            body = stream.read(int(re.search(rb"content-length: (\d+)", head)[1]))
            if request is simple:
                assert body == whole
            elif request is ranged:
                assert body == whole[5:10]
            assert head.count(b"\r\ndate: ") == 1
            assert b"\r\nserver:" not in head.lower()


@pytest.mark.parametrize("name", [b"no such.exe", "kein\u00fc.exe".encode(), b"x\r\nX:y", b"x\x01"])
def test_a_target_is_looked_at_as_strictly_after_a_simple_request_as_before(address, name):
    simple, odd = (b"GET /%b HTTP/1.1\r\nHost: h\r\n\r\n" % path for path in (PDB.encode(), name + EXE_ID + name))

    with socket.create_connection(address, timeout=10) as sock:
        stream = sock.makefile("rb")
        for request in (simple, odd):
            sock.sendall(request)
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += stream.readline()
            stream.read(int(re.search(rb"content-length: (\d+)", head)[1]))

    assert head.startswith(b"HTTP/1.1 404")
    assert b"x-symsrv-reason: not-found" not in head  # that would be: looked up, though no request has such a target


def test_a_request_may_come_in_pieces(address):
    data = f"GET /{PDB} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n".encode()

    with socket.create_connection(address, timeout=10) as sock:
        for at in range(0, len(data), 7):
            sock.sendall(data[at : at + 7])
            time.sleep(0.001)
        assert sock.recv(15) == b"HTTP/1.1 200 OK"


def test_headers_of_64_kib_are_fine(address):
    header = b"SymbolChecksum: " + b"SHA256:" + b"a" * 100_000

    assert exchange(address, b"GET /" + PDB.encode() + b" HTTP/1.1\r\n" + header + CLOSE).startswith(b"HTTP/1.1 200")
    many = b"\r\n".join(b"X-%d: %b" % (number, b"v" * 100) for number in range(800))
    assert exchange(address, b"GET /" + PDB.encode() + b" HTTP/1.1\r\n" + many + CLOSE).startswith(b"HTTP/1.1 200")


def test_headers_without_end_are_not_listened_to(address):
    endless = b"GET / HTTP/1.1\r\n" + (b"X-More: " + b"x" * 1000 + b"\r\n") * 20_000

    with (
        socket.create_connection(address, timeout=10) as sock,
        pytest.raises((ConnectionResetError, BrokenPipeError)),
    ):
        sock.sendall(endless)


def test_a_body_that_nobody_wants_is_taken(address):
    body = b"x" * 3_000_000
    head = b"POST /a/b/c HTTP/1.1\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body)

    assert exchange(address, head + body).startswith(b"HTTP/1.1 404")


def test_clients_that_close_after_the_headers_leave_nothing_behind(address, metrics, descriptors, caplog):
    exchange(address, b"GET /" + BIG.encode() + b" HTTP/1.1" + CLOSE)
    before = descriptors()

    for _ in range(50):
        with socket.create_connection(address, timeout=10) as sock:
            sock.sendall(b"GET /" + BIG.encode() + b" HTTP/1.1\r\nHost: h\r\n\r\n")
            assert sock.recv(100).startswith(b"HTTP/1.1 200")

    deadline = time.monotonic() + 10
    while (descriptors() > before or metrics.in_flight) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert descriptors() <= before
    assert metrics.in_flight == 0
    assert not [one for one in caplog.records if one.levelname in ("WARNING", "ERROR")]


def test_a_client_that_takes_nothing_is_let_go(shared, monkeypatch):
    monkeypatch.setattr(wire, "STALL_SECONDS", 0.2)
    with live(shared.store) as (address, app), socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.connect(address)
        sock.sendall((b"GET /" + BIG.encode() + b" HTTP/1.1\r\nHost: h\r\n\r\n") * 20)
        deadline = time.monotonic() + 10
        while not app.metrics.in_flight:
            assert time.monotonic() < deadline
        while app.metrics.in_flight or app.metrics.connections() > 0:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_a_slow_client_gets_every_byte(address, shared):
    whole = (shared.root / BIG).read_bytes()

    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
        sock.settimeout(10)
        sock.connect(address)
        sock.sendall(b"GET /" + BIG.encode() + b" HTTP/1.1\r\nRange: bytes=1-\r\nConnection: close\r\n\r\n")
        data = bytearray()
        while part := sock.recv(100_000):
            data += part
            time.sleep(0.0005)

    head, _, body = bytes(data).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 206")
    assert body == whole[1:]


def test_a_file_that_becomes_shorter_breaks_the_transfer_off(site, descriptors):
    from tests.made.pe_builder import build_pe

    site.publish(("app.exe", build_pe().ljust(64 << 20, b"a")))
    path = site.root / "app.exe/0A1B2C3D3000/app.exe"
    with live(site.store) as (address, app):
        before = descriptors()
        with socket.create_connection(address, timeout=10) as sock:
            sock.sendall(b"GET /app.exe/0A1B2C3D3000/app.exe HTTP/1.1\r\nHost: h\r\n\r\n")
            size = len(sock.recv(1000))
            os.truncate(path, 32 << 20)
            with contextlib.suppress(ConnectionResetError):
                while part := sock.recv(1 << 20):
                    size += len(part)
        assert size < 64 << 20
        deadline = time.monotonic() + 10
        while (app.metrics.in_flight or descriptors() > before) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert (app.metrics.in_flight, descriptors()) == (0, before)


def test_simple_requests_are_known_exactly():
    yes = [
        b"GET /a HTTP/1.1\r\n\r\n",
        b"GET /a?b HTTP/1.1\r\nHost: h\r\nUser-Agent: \xfc\r\nAccept: */*\r\nConnection: Keep-Alive\r\n\r\n",
        b"GET /a HTTP/1.1\r\nAccept-Encoding: gzip\r\nCache-Control: no-cache\r\n\r\n",
    ]
    no = [
        b"GET /a HTTP/1.1\r\nRange: bytes=0-1\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: h\r\nrAnge: bytes=0-1\r\n\r\n",
        b"GET /a HTTP/1.1\r\nIf-None-Match: *\r\n\r\n",
        b"GET /a HTTP/1.1\r\nX-Debuginfod-Maxsize: 1\r\n\r\n",
        b"GET /a HTTP/1.1\r\nConnection: close\r\n\r\n",
        b"GET /a HTTP/1.1\r\nAccept: application/json\r\n\r\n",
        b"GET /a HTTP/1.1\r\nContent-Length: 1\r\n\r\n",
        b"GET /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET /a HTTP/1.1\r\nExpect: 100-continue\r\n\r\n",
        b"GET /a HTTP/1.1\r\nUpgrade: h2c\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: h\nRange: bytes=0-1\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost : h\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: h\r\n folded\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: h\r\n",
        b"GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n",
        b"GET /a HTTP/1.0\r\n\r\n",
        b"HEAD /a HTTP/1.1\r\n\r\n",
        b"GET /\xfc HTTP/1.1\r\n\r\n",
        b"GET a HTTP/1.1\r\n\r\n",
        b"\r\nGET /a HTTP/1.1\r\n\r\n",
    ]
    assert all(wire._SIMPLE.fullmatch(one) for one in yes)
    assert not any(wire._SIMPLE.fullmatch(one) for one in no)
