"""A hundred thousand requests that nobody would send: no path and no header may bring any other status."""

import asyncio
import random
import re

from tests.serve.site import BIG, EXE, HEX, PDB, PLUS, SPACED, call, exchange, live

ALLOWED = {200, 206, 304, 404, 416}
COUNT = 100_000
OVER_SOCKETS = 3_000

REAL = [
    PDB,
    EXE,
    PLUS,
    SPACED.replace(" ", "%20"),
    BIG,
    f"buildid/{HEX}/debuginfo",
    f"buildid/{HEX}/executable",
    f"buildid/{HEX}/section/.text",
    f"fo/{PDB}",
    "pingme.txt",
    "index2.txt",
    "000Admin/lastid.txt",
    "000Admin/0000000001",
    ".symsrv/store.json",
    "_.debug/elf-buildid-sym-" + HEX + "/_.debug",
    "app/elf-buildid-" + HEX + "/app",
    "-/healthz",
    "metrics",
    "-",
    "",
]
BITS = [
    b"/",
    b"//",
    b"..",
    b".",
    b"%2e",
    b"%2E%2e/",
    b"%2f",
    b"%5c",
    b"\\",
    b"%00",
    b"\x00",
    b"%",
    b"%%",
    b"%f",
    b"%zz",
    b"+",
    b"%20",
    b"?",
    b"#",
    b"a" * 300,
    b"%ff",
    b"%C3%BC",
    b"\xc3\xbc",
    b"\xff",
    b"%E2%84%AA",
    b"%u0041",
    b":",
    b"*",
    b"con",
    b"nul.txt",
    b"file.ptr",
    b"refs.ptr",
    b".symsrv",
    b"000Admin",
    b"-",
    b"~",
    b"_",
    b".pd_",
    b"ffffffff",
    b"0" * 40,
    b"\r",
    b"\n",
    b"\t",
    b" ",
    b";",
    b"&",
    b"=",
    b"\x7f",
    b"%0d%0a",
    b"%ED%A0%80",
    b"%F4%90%80%80",
    b"section/",
    b"%25",
    b"'",
    b'"',
    b"<",
    b"|",
    b"\xe2\x80\xae",
]
NAMES = [
    b"range",
    b"if-range",
    b"if-none-match",
    b"if-modified-since",
    b"accept",
    b"accept-encoding",
    b"host",
    b"symbolchecksum",
    b"if-match",
    b"if-unmodified-since",
    b"connection",
    b"x-forwarded-proto",
    b"cookie",
    b"authorization",
    b"content-type",
]
VALUES = [
    b"",
    b"*",
    b"bytes=0-",
    b"bytes=-1",
    b"bytes=0-0",
    b"bytes=5-2",
    b"bytes=0-134217727",
    b"bytes=99999999999-",
    b"bytes=-0",
    b"bytes=0-1,4-5",
    b"bytes=" + b"9" * 5000,
    b"bytes=--",
    b"bytes",
    b'"x"',
    b'W/"x"',
    b'"',
    b"W/",
    b"Tue, 14 Nov 2023 22:13:20 GMT",
    b"Tue, 31 Feb 0000 99:99:99 GMT",
    b"0",
    b"-1",
    b"\xff\xfe",
    b"application/json",
    b"text/html;q=x",
    b"gzip, br;q=0",
    b"a" * 10_000,
    b"Thu, 01 Jan 1970 00:00:00 -9999",
    b",,,,",
    b'""',
    b"Mon, 1 Jan 99999 00:00:00 GMT",
    b"1 2 3 4 5 6 7",
    b"\x00",
    b"%s%n",
    b"bytes=\xd9\xa1-",
]


class Chaos:
    """Requests by one seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def path(self) -> bytes:
        chance = self.random
        kind = chance.randrange(10)
        if kind == 0:
            return b"/" + bytes(chance.randrange(256) for _ in range(chance.randrange(60)))
        if kind == 1:
            return b"/" + b"".join(chance.choice(BITS) for _ in range(chance.randrange(8)))
        path = bytearray(b"/" + chance.choice(REAL).encode())
        for _ in range(chance.randrange(4)):
            at = chance.randrange(len(path))
            deed = chance.randrange(5)
            if deed == 0:
                path[at] = chance.randrange(256)
            elif deed == 1:
                del path[at : at + chance.randrange(1, 9)]
            elif deed == 2:
                path[at:at] = chance.choice(BITS)
            elif deed == 3:
                path[at:at] = path[at : at + 20]
            else:
                path[at : at + 1] = b"%%%02X" % path[at]
            path = path or bytearray(b"/")
        return bytes(path)

    def headers(self) -> list[tuple[bytes, bytes]]:
        chance = self.random
        return [(chance.choice(NAMES), chance.choice(VALUES)) for _ in range(chance.choice((0, 0, 1, 1, 2, 5)))]

    def method(self) -> str:
        return self.random.choice(("GET", "GET", "GET", "GET", "HEAD", "POST", "PUT", "OPTIONS", "FOO"))


def test_only_five_statuses(shared, descriptors):
    chaos = Chaos(20260101)
    before = descriptors()
    seen: dict[int, int] = {}

    async def run():
        for _ in range(COUNT):
            path, headers, method = chaos.path(), chaos.headers(), chaos.method()
            answer = await call(shared.app, path, headers, method=method)
            assert answer.status in ALLOWED, (path, headers, method)
            if answer.status == 404:
                assert answer.reason, path
            if method == "GET" and answer.status in (200, 206):
                assert len(answer.body) == int(answer.headers["content-length"]), path
            seen[answer.status] = seen.get(answer.status, 0) + 1

    shared.loop.run_until_complete(run())

    assert set(seen) == ALLOWED  # otherwise the generator would prove nothing
    assert descriptors() <= before + 2


def test_only_five_statuses_on_the_wire(shared):
    chaos = Chaos(20260102)

    with live(shared.store) as (address, _):
        for _ in range(OVER_SOCKETS):
            path, method = chaos.path(), chaos.method()
            lines = [b"%b %b HTTP/1.1" % (method.encode(), path)]
            lines += [name + b": " + value for name, value in chaos.headers()]
            lines += [b"Connection: close", b"", b""]
            answer = exchange(address, b"\r\n".join(lines))
            assert re.match(rb"HTTP/1\.1 (200|206|304|404|416) ", answer), (lines, answer[:200])


def test_asking_at_once_is_the_same_as_asking(shared):
    chaos = Chaos(20260103)

    async def run():
        compared = 0
        for _ in range(5_000):
            path = chaos.path().partition(b"?")[0]
            quick = shared.app.at_once(path)
            if quick is not None:
                slow = await call(shared.app, path, [])
                assert quick[0] == slow.status
                assert quick[2] == slow.body
                compared += 1
        assert compared > 500

    shared.loop.run_until_complete(asyncio.wait_for(run(), 300))
