"""Limits, names and errors, whatever the kind of archive."""

import zlib

import pytest

from symsrv.model.errors import ArchiveError
from symsrv.packing.base import Limits, Member
from symsrv.packing.guard import guarded


def made(*pieces, name="a", size=None):
    return Member(name, size, source=lambda: iter(pieces))


def read(*members, limits=None, archive_bytes=1000):
    return [b"".join(member.pieces()) for member in guarded(iter(members), limits or Limits(), archive_bytes)]


def refused(*members, **how):
    with pytest.raises(ArchiveError) as caught:
        read(*members, **how)
    return caught.value.reason


def test_members_pass():
    assert read(made(b"a", b"b"), made(), made(b"c")) == [b"ab", b"", b"c"]


@pytest.mark.parametrize(
    "limits",
    [
        Limits(members=1),
        Limits(member_bytes=7),
        Limits(total_bytes=11),
        Limits(ratio=1, free_bytes=11),
    ],
)
def test_beyond_a_limit(limits):
    pair = made(b"1234", b"5678"), made(b"1234")

    assert refused(*pair, limits=limits, archive_bytes=11) == "archive-limit"


def test_at_a_limit():
    limits = Limits(members=2, member_bytes=8, total_bytes=12, ratio=1, free_bytes=0)

    assert read(made(b"1234", b"5678"), made(b"1234"), limits=limits, archive_bytes=12) == [b"12345678", b"1234"]


def test_a_stated_size_beyond_the_limit_is_refused_unread():
    assert refused(made(b"x", size=9), limits=Limits(member_bytes=8)) == "archive-limit"


def test_a_limit_met_in_a_member_ends_the_archive():
    archive = guarded(iter([made(b"123"), made(b"4")]), Limits(member_bytes=2), 10)
    member = next(archive)

    with pytest.raises(ArchiveError, match="more than 2 bytes"):
        list(member.pieces())
    with pytest.raises(ArchiveError, match="more than 2 bytes"):
        next(archive)


def test_a_member_is_read_once_and_before_the_next():
    archive = guarded(iter([made(b"1"), made(b"2"), made(b"3")]), Limits(), 10)
    first, second = next(archive), next(archive)

    assert list(second.pieces()) == [b"2"]
    with pytest.raises(ValueError, match="read once"):
        second.pieces()
    with pytest.raises(ValueError, match="read once"):
        first.pieces()


def test_a_piece_after_the_next_member_is_taken_is_refused():
    archive = guarded(iter([made(b"1", b"2"), made(b"3")]), Limits(), 10)
    pieces = next(archive).pieces()
    next(pieces)
    next(archive)

    with pytest.raises(ValueError, match="read once"):
        next(pieces)


@pytest.mark.parametrize(
    "name",
    [
        "/a",
        "\\a",
        "//host/a",
        "C:/a",
        "c:a",
        "../a",
        "a/../b",
        "a\\..\\b",
        "a/..",
        "",
        "/",
        "a\0b",
        "a\nb",
        "\x7f",
        "\x9b",
        "\ud800",
    ],
)
def test_bad_names_are_problems(name):
    (member,) = guarded(iter([made(b"x", name=name)]), Limits(), 10)

    assert member.name == name
    assert member.problem is not None
    assert member.problem.reason == "bad-name"
    with pytest.raises(ArchiveError):
        member.pieces()


@pytest.mark.parametrize("name", ["a", "./a", "a/b.pdb", "a..b/...", "ab:c", "ü", "a b"])
def test_other_names_are_not(name):
    (member,) = guarded(iter([made(b"x", name=name)]), Limits(), 10)

    assert member.problem is None


def test_a_kind_s_own_problem_comes_first():
    problem = ArchiveError("archive-encrypted", "sealed")
    (member,) = guarded(iter([Member("/a", problem=problem)]), Limits(), 10)

    assert member.problem is problem


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (zlib.error("x"), "archive-damaged"),
        (EOFError(), "archive-damaged"),
        (UnicodeDecodeError("utf-8", b"", 0, 1, "x"), "archive-damaged"),
        (IndexError(), "archive-damaged"),
        (RecursionError(), "archive-damaged"),
        (MemoryError(), "archive-limit"),
    ],
)
def test_errors_of_libraries_become_ours(error, word):
    def broken():
        yield b"x"
        raise error

    assert refused(Member("a", source=broken)) == word


def test_an_error_of_the_disk_stays_one():
    def broken():
        raise OSError(5, "input/output error")
        yield b""

    with pytest.raises(OSError, match="input/output"):
        read(Member("a", source=broken))
