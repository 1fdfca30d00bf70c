"""Without a quirk, a fake upstream answers as a plain web server does."""

import pytest

from symsrv.mirror.faking.base import Got
from symsrv.mirror.faking.folder import Folder, plain, ranged


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "a.pdb" / "1"
    place.mkdir(parents=True)
    (place / "a.pdb").write_bytes(b"0123456789")
    (tmp_path / "b.pdb").write_bytes(b"b")
    (tmp_path / "c.exe").write_bytes(b"c")
    return Folder(tmp_path)


def got(path, method="GET", **headers):
    return Got(method, f"/{path}", path, {name.replace("_", "-"): value for name, value in headers.items()})


def test_a_file_is_found_in_any_case(folder):
    for path in ("a.pdb/1/a.pdb", "A.PDB/1/A.pdb"):
        reply = folder.answer(got(path))
        assert (reply.status, reply.body(), reply.size) == (200, b"0123456789", 10)
    assert folder.find("A.pdb/1/a.pdb", exact=True) is None
    assert folder.find("a.pdb/1/a.pdb", exact=True) is not None


@pytest.mark.parametrize(
    "path", ["none", "a.pdb", "a.pdb/1", "", "../b.pdb", "a.pdb/../b.pdb", "a.pdb//1/a.pdb", "a\0"]
)
def test_what_is_no_file_is_404(folder, path):
    assert folder.answer(got(path)).status == 404


def test_only_reading_is_answered(folder):
    assert folder.answer(got("a.pdb/1/a.pdb", "HEAD")).status == 200
    assert folder.answer(got("a.pdb/1/a.pdb", "POST")).status == 405


@pytest.mark.parametrize(
    ("wanted", "status", "body", "told"),
    [
        ("bytes=2-4", 206, b"234", "bytes 2-4/10"),
        ("bytes=8-", 206, b"89", "bytes 8-9/10"),
        ("bytes=8-99", 206, b"89", "bytes 8-9/10"),
        ("bytes=-3", 206, b"789", "bytes 7-9/10"),
        ("bytes=10-", 416, b"Requested Range Not Satisfiable\n", "bytes */10"),
        ("bytes=-", 200, b"0123456789", None),
        ("bytes=1-2,4-5", 200, b"0123456789", None),
        ("lines=1-2", 200, b"0123456789", None),
    ],
)
def test_ranges(folder, wanted, status, body, told):
    reply = folder.answer(got("a.pdb/1/a.pdb", range=wanted))

    assert (reply.status, reply.body(), reply.headers.get("Content-Range")) == (status, body, told)


def test_a_condition_that_does_not_hold_gives_the_whole(folder):
    tag = folder.answer(got("a.pdb/1/a.pdb")).headers["ETag"]

    assert folder.answer(got("a.pdb/1/a.pdb", range="bytes=2-", if_range=tag)).status == 206
    assert folder.answer(got("a.pdb/1/a.pdb", range="bytes=2-", if_range='"other"')).status == 200


def test_a_range_of_what_is_in_memory():
    assert ranged(got("a", range="bytes=1-2"), plain(200, "abc")).body() == b"bc"


def test_another_file_is_of_the_same_ending_if_there_is_one(folder):
    assert folder.another(folder.root / "b.pdb") == folder.root / "a.pdb" / "1" / "a.pdb"
    assert folder.another(folder.root / "c.exe").name == "a.pdb"
    (folder.root / "b.pdb").unlink()
    (folder.root / "c.exe").unlink()
    assert folder.another(folder.root / "a.pdb" / "1" / "a.pdb") is None
