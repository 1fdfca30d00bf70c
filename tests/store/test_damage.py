"""Damage is told by its place; what is whole in any form that a tool writes is not called damaged."""

import os

import pytest

from symsrv.backends import open_backend
from symsrv.backends.disk import Disk
from symsrv.ledger.index import Index
from symsrv.store import damage as room
from tests.crash.publishing import image
from tests.store.stores import HOME, add_as_symstore_does


@pytest.mark.parametrize(
    ("check", "line"),
    [
        ("list", '"a.dll\\1","C:\\a.dll"'),
        ("list", '"a.dll\\1","/tmp/a.dll'),
        ("list", "a.dll\\1\\msfz0,C:\\a.dll"),
        ("server", '0000000001,add,file,08/10/2020,18:50:24,"p","1","c",'),
        ("history", "0000000001,add,ptr,10/09/99,00:08:32,Windows XP,x86,Added from \\\\mybuilds\\symbols,"),
        ("history", "0000000004,del,0000000001"),
        ("refs", '0000000001,file,"C:\\a.dll",bin,,N,,'),
        ("refs", "0000000001,ptr,C:\\a.dll"),
    ],
)
def test_a_line_in_each_form_is_whole_and_not_before_its_last_column_begins(check, line):
    assert room.whole_line(line, check)

    last = line.rindex(",0") if ",del," in line else line.rindex(",C") if ",C" in line else line.rindex(",")
    assert not [cut for cut in range(last) if room.whole_line(line[:cut], check)]


def test_a_torn_line_has_its_number_and_an_unended_last_one_is_told():
    data = b'"a.dll\\1","x"\r\n"b.d\r\n\r\n"c.dll\\1","x"'

    found = list(room.torn_lines("000Admin/1", data, "list"))

    assert [(one.kind, one.sentence) for one in found] == [
        ("torn", "line 2 is torn: '\"b.d'"),
        ("torn", "line 4, the last, has no end"),
    ]
    assert list(room.torn_lines("000Admin/1", b"", "list")) == []


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("a.dll.tmp", True),
        ("~a.pdb", True),
        (".tmp-1", True),
        ("a.pdb.part", True),
        ("download.error", True),
        (".nfs0001f", True),
        ("a.dll", False),
        ("tmp", False),
        ("partial.pdb", False),
    ],
)
def test_leftovers_are_known_by_their_names_and_only_when_they_are_old(tmp_path, name, is_one):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / name).write_bytes(b"")
    assert not room.leftover(Disk(tmp_path), f"a/{name}")

    os.utime(tmp_path / "a" / name, (0, 0))
    assert room.leftover(Disk(tmp_path), f"a/{name}") == is_one


def test_an_empty_folder_is_deserted_after_a_day(tmp_path):
    (tmp_path / "a").mkdir()
    assert not any(room.deserted(folder) for folder in room.folders_of(Disk(tmp_path)))

    os.utime(tmp_path / "a", (0, 0))
    assert [folder.path for folder in room.folders_of(Disk(tmp_path)) if room.deserted(folder)] == ["a"]


def test_twins_are_told_together():
    assert room.twins(["a", "B", "b", "A", "c"]) == [["A", "a"], ["B", "b"]]


def test_what_is_wrong_with_bytes(tmp_path):
    store = Disk(tmp_path)
    whole = image(tmp_path / "made", "a.dll").read_bytes()
    for data, kind in ((whole, None), (b"", "empty"), (whole[:100], "broken"), (b"what nobody reads", None)):
        store.write(HOME, data)
        found = room.broken(store, HOME)
        assert (found and found.kind) == kind
    assert room.broken(store, "nothing/1/nothing") is None


def test_what_is_kept_compressed_is_unpacked_to_be_judged(tmp_path):
    store = Disk(tmp_path)
    home = "a.dll/5AB380779000/a.dl_"
    store.write(home, b"MSCF\0\0\0\0and no more")

    assert room.broken(store, home) is None
    assert room.broken_packed(store, home).kind == "broken"
    assert room.broken_packed(store, HOME) is None
    assert room.broken_packed(open_backend("memory://packed"), home) is None


def test_a_bucket_has_no_folders_and_its_lines_are_read(tmp_path):
    backend = open_backend("memory://damage")
    backend.write("000Admin/history.txt", b"0000000001,add")
    index = Index("sqlite://")
    try:
        assert [one.kind for one in room.find_damage(backend, index)] == ["torn"]
        assert list(room.folders_of(backend)) == []
    finally:
        index.close()


def test_our_own_folders_and_links_are_not_walked(tmp_path):
    root = tmp_path / "store"
    add_as_symstore_does(root, image(tmp_path, "a.dll"))
    (root / ".symsrv" / "empty").mkdir(parents=True)
    (root / "link").symlink_to(tmp_path)

    assert [folder.path for folder in room.folders_of(Disk(root))] == ["a.dll/5AB380779000", "a.dll", ""]
