"""Tar archives that are not compressed."""

import tarfile

import pytest

from symsrv.packing.base import Limits
from symsrv.packing.tar import Tar
from tests.made.archive_builder import FILES, tar_header, tar_of
from tests.packing.checks import survives, unpacked, written


@pytest.mark.parametrize("dialect", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_every_dialect_of_the_standard_library(tmp_path, dialect):
    files = {**FILES, "long/" + "n" * 90 + "/a": b"x"}

    assert unpacked(written(tmp_path, tar_of(files, dialect=dialect))) == list(files.items())


@pytest.mark.parametrize("dialect", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_names_of_any_length_and_alphabet(tmp_path, dialect):
    files = {"ü/" + "n" * 300: b"x"}

    assert unpacked(written(tmp_path, tar_of(files, dialect=dialect))) == list(files.items())


def test_sniff_takes_the_magic_or_the_checksum_and_no_zeros():
    old = bytearray(tar_header())
    old[257:265] = bytes(8)
    old[148:156] = b" " * 8
    old[148:156] = b"%06o\0 " % sum(old)

    assert Tar().sniff(tar_of())
    assert Tar().sniff(bytes(old))
    assert not Tar().sniff(bytes(512))
    assert not Tar().sniff(tar_of()[:511])


def test_a_member_that_is_not_wanted_is_not_read(tmp_path):
    path = tmp_path / "big.tar"
    with path.open("wb") as file:
        file.write(tar_header(size=7 << 30))
        file.seek(7 << 30, 1)
        file.write(bytes(1024))

    names = [member.name for member in Tar().members(path, Limits())]

    assert names == ["a"]


def test_a_size_beyond_the_file_is_damage(tmp_path):
    assert survives(written(tmp_path, tar_header(size=1 << 32) + bytes(1024)))[-1] == (None, "archive-damaged")
