"""Files compressed as a whole: tars and single files."""

import gzip
import io

import pytest

from symsrv.packing import ArchiveError, Limits, members
from symsrv.packing.compressed import Compressed
from tests.made.archive_builder import COMPRESSORS, FILES, tar_of
from tests.packing.checks import measured, reason, unpacked, written


@pytest.mark.parametrize("ending", COMPRESSORS)
def test_a_tar_is_its_members(tmp_path, ending):
    path = written(tmp_path, COMPRESSORS[ending](tar_of()), f"a.tar.{ending}")

    assert unpacked(path) == list(FILES.items())


@pytest.mark.parametrize("ending", COMPRESSORS)
def test_a_single_file_is_named_without_the_ending(tmp_path, ending):
    path = written(tmp_path, COMPRESSORS[ending](b"MODULE Linux"), f"foo.sym.{ending.upper()}")

    assert unpacked(path) == [("foo.sym", b"MODULE Linux")]


@pytest.mark.parametrize("ending", COMPRESSORS)
def test_what_is_no_compressed_file(ending):
    head = COMPRESSORS[ending](b"x" * 1000)

    assert Compressed().sniff(head)
    assert not Compressed().sniff(head[:2])
    assert not Compressed().sniff(b"BZh9 is a word")
    assert not Compressed().sniff(b"BZhx1AY&SY")
    assert not Compressed().sniff(b"")


@pytest.mark.parametrize(
    ("name", "expected"), [("foo", "inside.pdb"), (".gz", "inside.pdb"), ("foo.sym.gz", "foo.sym")]
)
def test_gzip_s_own_name_is_used_when_the_file_has_no_ending(tmp_path, name, expected):
    held = io.BytesIO()
    with gzip.GzipFile("C:\\out\\inside.pdb", "wb", fileobj=held) as file:
        file.write(b"x")

    assert unpacked(written(tmp_path, held.getvalue(), name)) == [(expected, b"x")]


def test_gzip_s_own_name_lies_behind_the_extra_field(tmp_path):
    plain = gzip.compress(b"x")
    made = plain[:3] + b"\x0c" + plain[4:10] + b"\2\0ab" + b"n\0" + plain[10:]

    assert unpacked(written(tmp_path, made, "foo")) == [("n", b"x")]
    assert unpacked(written(tmp_path, COMPRESSORS["xz"](b"x"), "foo")) == [("foo", b"x")]


@pytest.mark.parametrize("ending", COMPRESSORS)
def test_two_streams_are_one_file(tmp_path, ending):
    pack = COMPRESSORS[ending]

    assert unpacked(written(tmp_path, pack(b"one") + pack(b"two"), f"a.{ending}")) == [("a", b"onetwo")]


@pytest.mark.parametrize("ending", COMPRESSORS)
def test_a_large_member_is_held_by_pieces_only(tmp_path, ending):
    size = 200 << 20
    path = written(tmp_path, COMPRESSORS[ending](bytes(size)), f"a.{ending}")
    lengths = []

    def read():
        for member in members(path, Limits(ratio=1 << 40)):
            lengths.extend(map(len, member.pieces()))

    assert measured(read) < 16 << 20
    assert sum(lengths) == size


@pytest.mark.parametrize("ending", COMPRESSORS)
def test_a_bomb_ends_at_the_limit_even_when_its_member_is_passed_over(tmp_path, ending):
    path = written(tmp_path, COMPRESSORS[ending](tar_of({"bomb": bytes(20 << 20)})))

    with pytest.raises(ArchiveError) as caught:
        list(members(path, Limits(free_bytes=1 << 20)))

    assert caught.value.reason == "archive-limit"


@pytest.mark.parametrize("ending", COMPRESSORS)
def test_damage_behind_the_tar_s_end_is_seen(tmp_path, ending):
    """The closing blocks come before the checksum of the stream."""
    made = COMPRESSORS[ending](tar_of({"a": b"x"}))

    assert reason(written(tmp_path, made[:-1])) == "archive-damaged"


def test_garbage_behind_a_stream_is_damage(tmp_path):
    assert unpacked(written(tmp_path, gzip.compress(b"x") + b"garbage")) == [(None, "archive-damaged")]


def test_zeros_behind_a_stream_are_padding(tmp_path):
    assert unpacked(written(tmp_path, gzip.compress(b"x") + bytes(100_000))) == [("made.bin", b"x")]
