"""Other people's folders are read in any case of letters, links and all, and are not empty when they are not there."""

import contextlib
import os
import sys
from pathlib import Path

import pytest

from symsrv.mirror.folders import FolderPlace, folder_of
from symsrv.model.errors import BackendError, Missing, UsageError


def write(folder, path, data=b"symbols"):
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_bytes(data)


def read(folder, key, start=0):
    with contextlib.closing(FolderPlace(folder).get(key, start)) as opened:
        return opened.stat.size, opened.stream.read()


@pytest.mark.parametrize("there", ["foo.pdb/ID1/foo.pdb", "FOO.PDB/id1/Foo.pdb", "Foo.pdb/Id1/foo.PDB"])
def test_case_makes_no_difference(tmp_path, there):
    write(tmp_path, there)

    assert read(tmp_path, "foo.pdb/ID1/foo.pdb") == (7, b"symbols")
    assert read(tmp_path, "foo.pdb/ID1/foo.pdb", 3) == (7, b"bols")


def test_the_name_as_asked_is_better_than_another_case(tmp_path):
    write(tmp_path, "FOO.PDB/ID1/FOO.PDB", b"other")
    write(tmp_path, "foo.pdb/ID1/foo.pdb", b"asked")

    assert read(tmp_path, "foo.pdb/ID1/foo.pdb") == (5, b"asked")


def test_a_folder_in_two_cases_is_searched_in_both(tmp_path):
    write(tmp_path, "foo.pdb/ID1/foo.pdb")
    write(tmp_path, "FOO.PDB/ID2/FOO.PDB", b"second")

    assert read(tmp_path, "foo.pdb/ID2/foo.pdb") == (6, b"second")


def test_what_is_new_is_found_though_the_folder_was_listed_before(tmp_path):
    place = FolderPlace(tmp_path)
    (tmp_path / "x").mkdir()
    os.utime(tmp_path, (1, 1))  # settled long ago, so its listing is kept
    assert place.head("foo.pdb/ID1/foo.pdb") is None

    write(tmp_path, "Foo.pdb/ID1/Foo.pdb")

    found = place.head("foo.pdb/ID1/foo.pdb")
    assert found is not None
    assert found.size == 7


def test_a_settled_folder_is_listed_once(tmp_path, monkeypatch):
    place = FolderPlace(tmp_path)
    os.utime(tmp_path, (1, 1))
    listed = []
    real = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: listed.append(path) or real(path))

    assert [place.head(f"{name}/ID/{name}") for name in "abc"] == [None] * 3
    assert len(listed) == 1


def test_links_are_followed(tmp_path):
    write(tmp_path, "usr/lib/real")
    (tmp_path / ".build-id" / "ab").mkdir(parents=True)
    (tmp_path / ".build-id" / "ab" / "cd.debug").symlink_to("../../usr/lib/real")
    (tmp_path / "loop").symlink_to("loop")

    assert read(tmp_path, ".build-id/ab/cd.debug") == (7, b"symbols")
    with pytest.raises(Missing):
        read(tmp_path, "loop")


@pytest.mark.skipif(sys.platform == "win32", reason="pipes are files on POSIX systems only")
def test_what_is_no_file_is_missing_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()

    for key in ("pipe", "folder", "folder/a", "a" * 300, "pipe/a", "a/b/c"):
        with pytest.raises(Missing):
            read(tmp_path, key)


def test_a_share_that_is_not_mounted_is_unavailable_and_not_empty(tmp_path):
    place = FolderPlace(tmp_path / "share")

    with pytest.raises(BackendError) as caught:
        place.head("foo.pdb/ID1/foo.pdb")

    assert caught.value.transient


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_no_missing_file(tmp_path):
    write(tmp_path, "a")
    (tmp_path / "a").chmod(0)

    with pytest.raises(BackendError) as caught:
        read(tmp_path, "a")

    assert (caught.value.reason, caught.value.transient) == ("no-access", False)


def test_a_folder_is_named_by_path_or_url(tmp_path, own_home):
    assert folder_of(str(tmp_path)) == tmp_path
    assert folder_of("~/symbols") == own_home / "symbols"
    assert folder_of("file:///srv/a%20b") == Path("/srv/a b")


@pytest.mark.parametrize("url", ["", "ftp://host/symbols", "file://host/symbols"])
def test_nothing_else_is_a_folder(url):
    with pytest.raises(UsageError, match="folder"):
        folder_of(url)
