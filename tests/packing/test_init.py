"""The door: kinds by content, errors by reason, and every kind held to the same."""

import hashlib

import pytest

from symsrv.packing import ArchiveError, kind_of, members
from tests.made.archive_builder import COMPRESSORS, tar_of, zip_of
from tests.made.corpus import FOLDER, entries
from tests.packing.checks import reason, unpacked, written


def test_kinds_are_known_by_content():
    assert kind_of(zip_of()[:512]).name == "zip"
    assert kind_of(tar_of()[:512]).name == "tar"
    assert {kind_of(pack(tar_of())[:512]).name for pack in COMPRESSORS.values()} == {"compressed"}


@pytest.mark.parametrize(
    "head", [b"", b"MZ", b"\x7fELF", b"P", bytes(512), b"\xff" * 512, b"Microsoft C/C++ MSF 7.00\r\n\x1aDS"]
)
def test_other_files_are_no_archives(head):
    assert kind_of(head) is None


def test_no_archive_is_refused(tmp_path):
    assert reason(written(tmp_path, b"MZ")) == "archive-unsupported"


def test_a_file_that_is_gone_is_an_error_of_the_system(tmp_path):
    with pytest.raises(FileNotFoundError):
        list(members(tmp_path / "gone.zip"))


def test_an_archive_that_is_left_is_closed(tmp_path):
    path = written(tmp_path, zip_of())
    archive = members(path)
    next(archive)
    archive.close()

    path.unlink()


def test_an_archive_in_an_archive_is_a_member(tmp_path):
    inner = zip_of({"a": b"x"})

    assert unpacked(written(tmp_path, zip_of({"inner.zip": inner}))) == [("inner.zip", inner)]


@pytest.mark.parametrize("name", ["../a", "/a", "C:\\a", "a/../../b"])
@pytest.mark.parametrize("pack", [zip_of, tar_of])
def test_names_that_lead_out_are_problems_and_the_rest_is_had(tmp_path, name, pack):
    found = unpacked(written(tmp_path, pack({name: b"evil", "b": b"good"})))

    assert [what for _, what in found] == ["bad-name", b"good"]


@pytest.mark.parametrize("entry", entries("other"))
def test_the_zips_of_the_corpus(entry):
    if entry is None or not entry.name.endswith(".zip"):
        pytest.skip("no zip")
    expected = {one["path"]: (one["size"], one["sha256"]) for one in entry.expected["members"]}

    found = {name: (len(data), hashlib.sha256(data).hexdigest()) for name, data in unpacked(FOLDER / entry.where)}

    assert found == expected


def test_what_comes_out_is_an_archive_error():
    assert issubclass(ArchiveError, Exception)
