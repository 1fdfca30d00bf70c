"""What tar headers say, and lie."""

import gzip
import io
import subprocess
import sys
import tarfile

import pytest

from symsrv.packing.base import Limits
from symsrv.packing.tar_entries import looks_like_tar
from tests.made.archive_builder import tar_header, tar_of
from tests.packing.checks import reason, survives, unpacked, written

END = bytes(1024)
AFTER = tar_header(b"z", 1) + b"z" + bytes(511) + END


def pax(**records):
    data = b""
    for key, value in records.items():
        line = f" {key.replace('__', '.')}={value}\n".encode()
        length = len(line) + 1
        while len(str(length)) + len(line) != length:
            length += 1
        data += str(length).encode() + line
    return tar_header(b"pax", len(data), b"x") + data + bytes(-len(data) % 512)


@pytest.mark.parametrize("kind", [b"1", b"2", b"3", b"4", b"6"])
def test_links_devices_and_pipes_are_no_files(tmp_path, kind):
    assert unpacked(written(tmp_path, tar_header(b"a", 5, kind) + AFTER)) == [("a", "not-a-file"), ("z", b"z")]


def test_folders_are_left_out(tmp_path):
    made = tar_header(b"d/", 0, b"5") + tar_header(b"old/", 0, b"\0") + AFTER

    assert unpacked(written(tmp_path, made)) == [("z", b"z")]


def test_a_list_of_names_and_a_label_are_passed_over(tmp_path):
    made = tar_header(b"d", 3, b"D") + b"abc" + bytes(509) + tar_header(b"label", 0, b"V") + AFTER

    assert unpacked(written(tmp_path, made)) == [("z", b"z")]


@pytest.mark.parametrize("kind", [b"M", b"N", b"8", b"q"])
def test_other_kinds_are_not_supported_and_passed_over(tmp_path, kind):
    made = tar_header(b"a", 3, kind) + b"abc" + bytes(509) + AFTER

    assert unpacked(written(tmp_path, made)) == [("a", "archive-unsupported"), ("z", b"z")]


@pytest.mark.skipif(sys.platform != "linux", reason="GNU tar with --sparse")
@pytest.mark.parametrize(
    "dialect", ["gnu", "posix --sparse-version=0.0", "posix --sparse-version=0.1", "posix --sparse-version=1.0"]
)
def test_sparse_files_are_not_supported_and_passed_over(tmp_path, dialect):
    with (tmp_path / "holes").open("wb") as file:
        for at in range(0, 60 << 16, 1 << 16):
            file.seek(at)
            file.write(b"x" * 4096)
        file.truncate(5 << 20)
    written(tmp_path, b"z", "z")

    command = ["tar", "-C", str(tmp_path), "-S", f"--format={dialect.split()[0]}", *dialect.split()[1:]]
    made = subprocess.run([*command, "-cf", "-", "holes", "z"], check=True, capture_output=True).stdout

    assert unpacked(written(tmp_path, made)) == [("holes", "archive-unsupported"), ("z", b"z")]


def test_a_pax_size_is_the_size(tmp_path):
    made = pax(size="3", path="p/q") + tar_header(b"a", 0) + b"abc" + bytes(509) + AFTER

    assert unpacked(written(tmp_path, made)) == [("p/q", b"abc"), ("z", b"z")]


def test_a_global_header_names_nothing(tmp_path):
    made = pax(path="all").replace(b"x\0ustar", b"g\0ustar")
    made = tar_header(b"pax", 12, b"g") + made[512:] + AFTER

    assert unpacked(written(tmp_path, made)) == [("z", b"z")]


@pytest.mark.parametrize(
    "data", [b"5 a=b", b"99 a=b\n", b"x a=b\n", b"6 abc\n", b"0 a=b\n", b"1 a=b\n", b"3 a=b\n", b"abc", b"-6 a=b\n"]
)
def test_a_pax_header_without_records_is_damage(tmp_path, data):
    made = tar_header(b"pax", len(data), b"x") + data + bytes(-len(data) % 512) + AFTER

    assert reason(written(tmp_path, made)) == "archive-damaged"


@pytest.mark.parametrize("size", ["-1", "x", "1" * 20, ""])
def test_a_pax_size_that_is_no_number_is_damage(tmp_path, size):
    assert reason(written(tmp_path, pax(size=size) + AFTER)) == "archive-damaged"


@pytest.mark.parametrize("kind", [b"x", b"g", b"L", b"K", b"X"])
def test_a_header_of_gigabytes_is_refused_unread(tmp_path, kind):
    made = tar_header(b"a", 0, kind, at124=b"\x80" + (10 << 30).to_bytes(11, "big")) + AFTER

    assert survives(written(tmp_path, made), peak_bytes=1 << 20) == [(None, "archive-limit")]


def test_sizes_in_base_256(tmp_path):
    made = tar_header(b"a", 0, at124=b"\x80" + (3).to_bytes(11, "big")) + b"abc" + bytes(509) + END

    assert unpacked(written(tmp_path, made)) == [("a", b"abc")]


@pytest.mark.parametrize("field", [b"\xff" * 12, b"\x80" + b"\xff" * 11, b"99999999999\0", b"-0000000001\0", b"+1\0"])
def test_impossible_sizes_are_damage(tmp_path, field):
    assert reason(written(tmp_path, tar_header(b"a", 0, at124=field) + END)) == "archive-damaged"


def test_a_wrong_checksum_is_damage(tmp_path):
    made = bytearray(tar_of({"a": b"x", "b": b"y"}, dialect=tarfile.USTAR_FORMAT))
    made[1024] ^= 1

    assert unpacked(written(tmp_path, bytes(made))) == [("a", b"x"), (None, "archive-damaged")]


def test_signed_checksums_of_old_tars(tmp_path):
    block = bytearray(tar_header("ü".encode()))
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(byte - 256 * (byte > 127) for byte in block)

    assert looks_like_tar(bytes(block))
    assert unpacked(written(tmp_path, bytes(block) + END)) == [("ü", b"")]


@pytest.mark.parametrize("cut", [512, 1024, 1100])
def test_an_archive_without_its_closing_block_is_damaged(tmp_path, cut):
    made = tar_of({"a": b"x", "b": b"y"}, dialect=tarfile.USTAR_FORMAT)[:cut]

    assert unpacked(written(tmp_path, made))[-1] == (None, "archive-damaged")


def test_names_that_are_not_utf_8_are_kept_readable(tmp_path):
    assert unpacked(written(tmp_path, tar_header(b"\xff.pdb") + END)) == [("\ufffd.pdb", b"")]


def test_ten_million_headers_end_at_the_limit(tmp_path):
    path = tmp_path / "many.tgz"
    block = gzip.compress(tar_header() * 10_000)
    with path.open("wb") as file:
        for _ in range(1000):
            file.write(block)

    assert survives(path, Limits(members=1000), seconds=10, peak_bytes=16 << 20)[-1] == (None, "archive-limit")


def test_folders_and_long_names_count_too(tmp_path):
    made = tar_header(b"d/", 0, b"5") * 20 + END
    chained = tar_header(b"x", 0, b"g") * 20 + END

    assert reason(written(tmp_path, made), Limits(members=10)) == "archive-limit"
    assert reason(written(tmp_path, chained), Limits(members=10)) == "archive-limit"


def test_a_real_link_by_the_standard_library(tmp_path):
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as archive:
        info = tarfile.TarInfo("link")
        info.type, info.linkname = tarfile.SYMTYPE, "n" * 200
        archive.addfile(info)

    assert unpacked(written(tmp_path, held.getvalue())) == [("link", "not-a-file")]


def test_long_names_of_ustar_are_in_two_fields(tmp_path):
    name = "d" * 90 + "/" + "n" * 90

    assert unpacked(written(tmp_path, tar_of({name: b"x"}, dialect=tarfile.USTAR_FORMAT))) == [(name, b"x")]


def test_a_pax_header_with_nothing_behind_it(tmp_path):
    assert unpacked(written(tmp_path, pax(path="p") + END)) == []


def test_a_pax_header_that_is_cut(tmp_path):
    assert reason(written(tmp_path, pax(path="p")[:520])) == "archive-damaged"
