"""Zip files: real ones, and every lie that was thought of."""

import zipfile

import pytest
import zstandard

from symsrv.packing import ArchiveError, Limits, members
from symsrv.packing.zip import Zip
from tests.made.archive_builder import FILES, deflated, zip_by_hand, zip_of
from tests.packing.checks import reason, unpacked, written


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_every_method_of_the_standard_library(tmp_path, method):
    assert unpacked(written(tmp_path, zip_of(method=method))) == list(FILES.items())


def test_zstd(tmp_path):
    data = b"symbols" * 1000
    packed = zstandard.ZstdCompressor().compress(data)

    path = written(tmp_path, zip_by_hand({"name": b"a", "data": data, "packed": packed, "method": 93}))

    assert unpacked(path) == [("a", data)]


def test_an_unknown_method_is_the_member_s_problem_only(tmp_path):
    path = written(tmp_path, zip_by_hand({"name": b"a", "data": b"x", "method": 9}, {"name": b"b", "data": b"y"}))

    assert unpacked(path) == [("a", "archive-unsupported"), ("b", b"y")]


@pytest.mark.parametrize("flags", [1, 0x40, 0x2000])
def test_an_encrypted_member_is_a_problem(tmp_path, flags):
    path = written(tmp_path, zip_by_hand({"name": b"a", "data": b"x", "flags": flags}, {"name": b"b", "data": b"y"}))

    assert unpacked(path) == [("a", "archive-encrypted"), ("b", b"y")]


@pytest.mark.parametrize("mode", [0o120777, 0o020600, 0o060600, 0o010600, 0o140600])
def test_links_and_devices_are_no_files(tmp_path, mode):
    path = written(tmp_path, zip_by_hand({"name": b"a", "data": b"b", "mode": mode}, {"name": b"b", "data": b"y"}))

    assert unpacked(path) == [("a", "not-a-file"), ("b", b"y")]


def test_folders_are_left_out(tmp_path):
    made = zip_by_hand(
        {"name": b"out/", "data": b""}, {"name": b"d", "data": b"", "mode": 0o40755}, {"name": b"d\\", "data": b""}
    )

    assert unpacked(written(tmp_path, made)) == []


def test_backslashes_separate_folders(tmp_path):
    assert unpacked(written(tmp_path, zip_by_hand({"name": b"out\\a.pdb", "data": b"x"}))) == [("out/a.pdb", b"x")]


def test_names_are_utf_8_by_the_flag_else_of_the_old_code_page(tmp_path):
    old, new = {"name": b"\x81", "data": b""}, {"name": "ü".encode(), "data": b"", "flags": 0x800}

    assert [name for name, _ in unpacked(written(tmp_path, zip_by_hand(old, new)))] == ["ü", "ü"]


def test_the_same_name_twice_is_two_members(tmp_path):
    path = written(tmp_path, zip_by_hand({"name": b"a", "data": b"1"}, {"name": b"a", "data": b"2"}))

    assert unpacked(path) == [("a", b"1"), ("a", b"2")]


def test_a_wrong_checksum_shows_behind_the_last_piece(tmp_path):
    path = written(tmp_path, zip_by_hand({"name": b"a", "data": b"x", "crc": 1}, {"name": b"b", "data": b"y"}))

    assert unpacked(path) == [("a", "archive-damaged"), ("b", b"y")]


@pytest.mark.parametrize("size", [0, 999, 1001])
def test_a_member_of_another_size_than_stated_is_damaged(tmp_path, size):
    data = bytes(1000)
    member = {"name": b"a", "data": data, "packed": deflated(data), "method": 8, "size": size}

    assert unpacked(written(tmp_path, zip_by_hand(member))) == [("a", "archive-damaged")]


def test_a_member_that_lies_about_its_size_is_cut_off_where_it_said(tmp_path):
    data = bytes(50 << 20)
    path = written(
        tmp_path, zip_by_hand({"name": b"a", "data": b"", "packed": deflated(data), "method": 8, "size": 10})
    )
    archive = members(path)
    member = next(archive)

    with pytest.raises(ArchiveError, match="another size"):
        assert sum(map(len, member.pieces())) <= 10


def test_members_that_share_bytes_are_refused(tmp_path):
    data = bytes(1 << 20)
    bomb = {"name": b"a", "data": data, "packed": deflated(data), "method": 8}

    assert (
        reason(written(tmp_path, zip_by_hand(bomb, *({**bomb, "offset": 0} for _ in range(50))))) == "archive-damaged"
    )


def test_members_that_quote_each_other_are_refused(tmp_path):
    """The kernel's header lies inside of the member before it (Fifield's better bomb)."""
    inner = zip_by_hand({"name": b"k", "data": b"kernel"})[:37]
    outer = {"name": b"a", "data": inner}

    made = zip_by_hand(outer, {"name": b"k", "data": b"kernel", "offset": 31})

    assert reason(written(tmp_path, made)) == "archive-damaged"


def test_a_header_whose_own_fields_reach_into_the_next_member_is_damaged(tmp_path):
    made = bytearray(zip_by_hand({"name": b"a", "data": b"x"}, {"name": b"b", "data": b"y"}))
    made[28:30] = b"\x20\0"

    assert unpacked(written(tmp_path, bytes(made))) == [("a", "archive-damaged"), ("b", b"y")]


def test_a_header_that_is_not_where_the_directory_says(tmp_path):
    made = bytearray(zip_by_hand({"name": b"a", "data": b"x"}))
    made[0:4] = b"PK\3\5"

    path = written(tmp_path, bytes(made))
    archive = Zip().members(path, Limits())

    with pytest.raises(ArchiveError, match="not where"):
        list(next(archive).pieces())


def test_a_comment_that_looks_like_an_end(tmp_path):
    comment = b"PK\5\6" + bytes(18) + b"more"

    assert unpacked(written(tmp_path, zip_by_hand({"name": b"a", "data": b"x"}, comment=comment))) == [("a", b"x")]


def test_bytes_behind_the_archive_do_no_harm(tmp_path):
    assert unpacked(written(tmp_path, zip_of({"a": b"x"}) + b"signature")) == [("a", b"x")]


def test_a_program_with_a_zip_behind_it_is_a_program(tmp_path):
    assert not Zip().sniff(b"MZ" + bytes(100) + zip_of()[:200])


def test_an_empty_zip_has_no_members(tmp_path):
    assert unpacked(written(tmp_path, zip_of({}))) == []


def test_sniff_knows_the_first_records():
    assert Zip().sniff(zip_of({}))
    assert Zip().sniff(b"PK\7\x08PK\3\4")
    assert not Zip().sniff(b"PK")
    assert not Zip().sniff(b"")


def test_lzma_of_the_zip_kind_may_not_ask_for_much_memory(tmp_path):
    packed = b"\x09\x14\x05\x00\x5d" + (0xFFFFFFFF).to_bytes(4, "little") + bytes(20)

    path = written(tmp_path, zip_by_hand({"name": b"a", "data": b"x", "packed": packed, "method": 14}))

    assert reason(path) == "archive-limit"


@pytest.mark.parametrize("head", [b"", b"\x09\x14\x06\x00\x5d\0\0\1\0", b"\x09\x14\x05\x00\xff\0\0\1\0"])
def test_wrong_properties_of_lzma(tmp_path, head):
    path = written(tmp_path, zip_by_hand({"name": b"a", "data": b"x", "packed": head, "method": 14}))

    assert unpacked(path) == [("a", "archive-damaged")]
