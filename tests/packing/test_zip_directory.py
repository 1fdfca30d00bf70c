"""The directory of a zip: its end, its width, its bounds."""

import io
import struct

import pytest

from symsrv.model.errors import ArchiveError
from symsrv.packing.base import Limits
from symsrv.packing.zip_directory import Directory
from tests.made.archive_builder import zip64_end, zip_by_hand, zip_end, zip_entry, zip_of
from tests.packing.checks import reason, survives, unpacked, written


def test_entries_in_the_directory_s_order(tmp_path):
    path = written(tmp_path, zip_of({"b": b"1", "a": b"2"}))

    with path.open("rb") as file:
        found = [(one.name, one.size) for one in Directory(file, Limits()).entries()]

    assert found == [("b", 1), ("a", 1)]


def test_zip64_numbers_come_from_the_wide_records(tmp_path):
    wide = struct.pack("<2H3Q", 1, 24, 5, 5, 0)
    own, _ = zip_entry(b"a", b"hello")
    _, entry = zip_entry(b"a", b"hello", extra=wide)
    entry = bytearray(entry)
    entry[20:28] = b"\xff" * 8
    entry[42:46] = b"\xff" * 4

    made = own + bytes(entry) + zip64_end(1, len(entry), len(own))

    assert unpacked(written(tmp_path, made)) == [("a", b"hello")]


def test_a_zip64_end_that_is_not_there(tmp_path):
    own, entry = zip_entry(b"a", b"hello")
    end = zip64_end(1, len(entry), len(own)).replace(b"PK\6\6", b"PK\6\5")

    assert reason(written(tmp_path, own + entry + end)) == "archive-damaged"


def test_ten_million_members_are_refused_before_the_directory_is_read(tmp_path):
    made = b"PK\3\4" + bytes(100) + zip64_end(10_000_000, 100, 4)

    assert survives(written(tmp_path, made), peak_bytes=1 << 20) == [(None, "archive-limit")]


def test_a_directory_that_is_too_large_is_refused(tmp_path):
    path = tmp_path / "big.zip"
    with path.open("wb") as file:
        file.write(b"PK\3\4")
        file.truncate(1 << 30)
        file.seek(0, io.SEEK_END)
        file.write(zip64_end(5, (1 << 30) - 4, 4))

    assert survives(path, Limits(members=10), peak_bytes=1 << 20) == [(None, "archive-limit")]


def test_more_entries_than_the_limit_are_refused_whatever_the_end_says(tmp_path):
    made = zip_by_hand(*({"name": b"a", "data": b""} for _ in range(20)), count=2)

    assert reason(written(tmp_path, made), Limits(members=10)) == "archive-limit"


@pytest.mark.parametrize("count", [0, 3])
def test_another_count_than_entries_is_damage(tmp_path, count):
    made = zip_by_hand({"name": b"a", "data": b""}, {"name": b"b", "data": b""}, count=count)

    assert reason(written(tmp_path, made)) == "archive-damaged"


def test_a_part_of_several_is_not_supported(tmp_path):
    made = bytearray(zip_of({"a": b"x"}))
    made[-18:-16] = b"\1\0"

    assert reason(written(tmp_path, bytes(made))) == "archive-unsupported"


def test_an_entry_on_another_disk_is_not_supported(tmp_path):
    made = bytearray(zip_by_hand({"name": b"a", "data": b"x"}))
    made[32 + 34] = 1

    assert reason(written(tmp_path, bytes(made))) == "archive-unsupported"


def test_a_directory_that_starts_before_the_file_is_damage(tmp_path):
    assert reason(written(tmp_path, b"PK\3\4" + zip_end(1, 500, 0))) == "archive-damaged"


def test_a_member_behind_the_directory_is_damage(tmp_path):
    assert reason(written(tmp_path, zip_by_hand({"name": b"a", "data": b"x", "offset": 40}))) == "archive-damaged"


def test_an_end_without_room_is_no_end(tmp_path):
    with (
        pytest.raises(ArchiveError, match="without a directory"),
        written(tmp_path, b"PK\3\4PK\5\6").open("rb") as file,
    ):
        Directory(file, Limits())
