"""Each quirk does what it says, with no server around it."""

import gzip

import pytest

from symsrv.mirror.faking import QUIRKS
from symsrv.mirror.faking.base import Got
from symsrv.mirror.faking.folder import Folder
from symsrv.packing import members

FILE = bytes(range(256)) * 4
OTHER = b"other" * 100
PATH = "a.pdb/1/a.pdb"


@pytest.fixture
def ask(tmp_path):
    for name, data in ((PATH, FILE), ("b.pdb/2/b.pdb", OTHER)):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_bytes(data)
    folder = Folder(tmp_path)

    def ask(quirk, path=PATH, number=0, value=None, **headers):
        one = QUIRKS[quirk]
        sent = {name.replace("_", "-"): text for name, text in headers.items()}
        return one.act(Got("GET", f"/{path}", path, sent, number), folder.answer, one.value if value is None else value)

    return ask


def test_every_quirk_answers_for_what_is_there_and_what_is_not(ask):
    for quirk in QUIRKS:
        assert ask(quirk).status >= 200
        assert ask(quirk, "none/1/none").status in (200, 203, 302, 401, 403, 404, 429, 500)


def test_slow(ask):
    assert ask("slow-first-byte").pause == 2
    assert ask("slow-first-byte", value="100ms").pause == 0.1
    assert (ask("trickle").piece, ask("trickle").step) == (100, 0.01)


@pytest.mark.parametrize("quirk", ["stall", "reset"])
def test_half_of_a_file_for_the_first_requests(ask, quirk):
    assert (ask(quirk).cut, ask(quirk).ending) == (512, quirk)
    assert ask(quirk, number=1).cut is None
    assert ask(quirk, number=1, value="2").cut == 512
    assert ask(quirk, number=99, value="always").cut == 512
    assert ask(quirk, "none/1/none").cut is None


def test_lengths(ask):
    assert (ask("wrong-length").length, ask("wrong-length").cut) == (1124, 1024)
    assert ask("short-length").length == 512
    assert ask("chunked").chunked
    assert ask("no-length").length == -1
    assert ask("empty").size == 0


def test_pages(ask):
    assert ask("html").body().startswith(b"<!DOCTYPE html>")
    assert ask("html-for-absent").body() == FILE
    assert ask("html-for-absent", "none/1/none").body().startswith(b"<!DOCTYPE html>")
    assert ask("203").status == 203
    assert ask("sign-in").headers["Location"] == "/~sign-in"
    assert ask("sign-in", "~sign-in").status == 200


def test_refusals(ask):
    assert (ask("forbidden").status, ask("forbidden", "none/1/none").status) == (200, 403)
    assert [ask("errors", number=number).status for number in range(3)] == [500, 502, 200]
    assert [ask("errors", number=number, value="always").status for number in range(5)] == [500, 502, 503, 504, 500]
    assert (ask("busy").status, ask("busy").headers["Retry-After"], ask("busy", number=1).status) == (429, "1", 200)
    assert ask("ntlm").headers["WWW-Authenticate"] == "Negotiate, NTLM"
    assert ask("basic").status == 401
    assert ask("basic", authorization="Basic bWU6c2VjcmV0").status == 200


def test_redirects(ask):
    assert ask("redirect").headers["Location"] == f"/~moved/{PATH}"
    assert ask("redirect", f"~moved/{PATH}").body() == FILE
    assert ask("redirect-loop").headers["Location"] == "/~a"
    assert ask("redirect-loop", "~a").headers["Location"] == "/~b"
    assert ask("redirect-endless").headers["Location"] == "/~0"
    assert ask("redirect-endless", "~7").headers["Location"] == "/~8"
    assert ask("redirect-private").headers["Location"] == "http://10.0.0.1/"


def test_encodings(ask):
    said = {quirk: ask(quirk).headers.get("Content-Encoding") for quirk in QUIRKS}

    assert gzip.decompress(ask("gzip").body()) == gzip.decompress(ask("gzip-unsaid").body()) == FILE
    assert ask("gzip-lie").body() == ask("encoding-unknown").body() == FILE
    assert gzip.compress(FILE, mtime=0).startswith(ask("gzip-cut").body())
    assert (said["gzip"], said["gzip-lie"], said["gzip-cut"]) == ("gzip", "gzip", "gzip")
    assert (said["gzip-unsaid"], said["encoding-unknown"]) == (None, "br")
    part = ask("gzip", range="bytes=5-9")
    assert (part.status, part.body()) == (206, ask("gzip").body()[5:10])


def test_cabinets_in_place_of_files(ask, tmp_path):
    reply = ask("cab-only", "a.pdb/1/a.pd_")
    (tmp_path / "a.cab").write_bytes(reply.body())
    (inside,) = [(member.name, b"".join(member.pieces())) for member in members(tmp_path / "a.cab")]

    assert inside == ("a.pdb", FILE)
    assert ask("cab-only").status == ask("cab-only", "none/1/non_").status == 404


def test_two_tiers(ask):
    assert ask("two-tier", "index2.txt").status == 200
    assert ask("two-tier", f"a./{PATH}").body() == FILE
    assert ask("two-tier").status == ask("two-tier", f"ab/{PATH}").status == ask("two-tier", "a.").status == 404


def test_wrong_bytes(ask, tmp_path):
    assert ask("wrong-file").body() == OTHER
    assert ask("wrong-file", range="bytes=0-4").body() == b"other"
    (tmp_path / "b.pdb/2/b.pdb").unlink()
    assert ask("wrong-file").body() == FILE[::-1]


def test_case(ask):
    assert ask("case-sensitive").status == 200
    assert ask("case-sensitive", "A.PDB/1/A.PDB").status == 404


def test_ranges(ask):
    asked = {"range": "bytes=100-199"}

    assert ask("range-ignored", **asked).status == 200
    assert ask("range-wrong", **asked).headers["Content-Range"] == "bytes 101-199/1024"
    assert ask("range-wrong", **asked).body() == FILE[101:200]
    assert ask("range-lie", **asked).headers["Content-Range"] == "bytes 100-199/1024"
    assert ask("range-lie", **asked).body() == FILE[:100]
    assert ask("range-wrong").body() == ask("range-lie").body() == FILE


def test_validators(ask):
    assert [ask("changing", number=number).headers["ETag"] for number in range(2)] == ['"0"', '"1"']
    assert ask("changing", range="bytes=5-", if_range='"other"').status == 206
    assert not {"ETag", "Last-Modified"} & set(ask("no-validator").headers)
