"""Damaged stores of other tools: each fault is named, and what can be mended is, without inventing anything."""

import os
import shutil

import pytest

from symsrv.store import microsoft
from symsrv.upkeep.repair import repair
from tests.crash.publishing import draft, image
from tests.store.stores import HOME, add_as_symstore_does, faults

REFS = "a.dll/5AB380779000/refs.ptr"
LIST = "000Admin/0000000001"
OTHER = "b.dll/5AB380779000"


@pytest.fixture
def root(tmp_path):
    """1 has a.dll, 2 has a.dll and b.dll: as symstore.exe leaves them."""
    folder = tmp_path / "store"
    add_as_symstore_does(folder, image(tmp_path, "a.dll"))
    add_as_symstore_does(folder, image(tmp_path, "a.dll"), number=2)
    place = folder / OTHER
    place.mkdir(parents=True)
    shutil.copy(image(tmp_path, "b.dll"), place / "b.dll")
    (place / "refs.ptr").write_bytes(b'0000000002,file,"C:\\theirs\\b.dll",bin,,N,,')
    with (folder / "000Admin/0000000002").open("ab") as listed:
        listed.write(b'"b.dll\\5AB380779000","C:\\theirs\\b.dll"\r\n')
    return folder


def told(store) -> list[tuple[str, str]]:
    return sorted((fault.kind, fault.path) for fault in faults(store))


def contents(root) -> dict[str, bytes]:
    files = {path.relative_to(root).as_posix(): path for path in root.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in files.items() if not name.startswith(".symsrv")}


def mend(store, root) -> list[str]:
    """Repairs; a dry run before changes nothing, and a second run finds nothing."""
    before = contents(root)
    foreseen = [one.path for one in repair(store, dry_run=True, scratch="sqlite://")]
    assert contents(root) == before
    done = [one.path for one in repair(store, scratch="sqlite://")]
    assert set(foreseen) <= set(done)
    after = contents(root)
    assert list(repair(store, scratch="sqlite://")) == []
    assert contents(root) == after
    return done


def aside(root) -> list[bytes]:
    return [path.read_bytes() for path in (root / ".symsrv" / "displaced").rglob("*") if path.is_file()]


def test_a_good_store_is_left_alone(root, opened):
    store = opened()

    assert told(store) == []
    assert mend(store, root) == []


def test_a_good_store_of_two_tiers_is_left_alone(root, opened):
    (root / "index2.txt").touch()
    for name in ("a.dll", "b.dll"):
        (root / name[0]).mkdir()
        (root / name).rename(root / name[0] / name)
    store = opened()

    assert told(store) == []
    assert mend(store, root) == []


def edit(path, before, after):
    def do(root):
        data = (root / path).read_bytes()
        assert before in data
        (root / path).write_bytes(data.replace(before, after, 1))

    return do


def cut(path, count):
    return lambda root: (root / path).write_bytes((root / path).read_bytes()[:-count])


def gone(path):
    return lambda root: (root / path).unlink()


@pytest.mark.parametrize(
    ("harm", "fault"),
    [
        (edit(microsoft.LASTID, b"2", b"1"), ("admin", microsoft.LASTID)),
        (gone(microsoft.LASTID), ("admin", microsoft.LASTID)),
        (gone(microsoft.HISTORY), ("admin", microsoft.HISTORY)),
        (gone(microsoft.SERVER), ("admin", microsoft.SERVER)),
        (cut(microsoft.HISTORY, 9), ("torn", microsoft.HISTORY)),
        (cut(microsoft.SERVER, 30), ("torn", microsoft.SERVER)),
        (cut(microsoft.SERVER, 1), ("torn", microsoft.SERVER)),
        (cut(microsoft.SERVER, 2), ("torn", microsoft.SERVER)),
        (cut("000Admin/0000000002", 35), ("torn", "000Admin/0000000002")),
        (cut("000Admin/0000000002", 39), ("torn", "000Admin/0000000002")),
        (cut("000Admin/0000000002", 2), ("torn", "000Admin/0000000002")),
        (gone("000Admin/0000000002"), ("admin", "000Admin/0000000002")),
        (gone(f"{OTHER}/refs.ptr"), ("admin", f"{OTHER}/refs.ptr")),
        (cut(REFS, 20), ("torn", REFS)),
    ],
    ids=lambda one: "-".join(one) if isinstance(one, tuple) else "",
)
def test_what_the_store_tells_elsewhere_comes_back_as_it_was(root, opened, harm, fault):
    before = contents(root)
    harm(root)
    store = opened()
    found = told(store)
    assert fault in found or (fault[1] == microsoft.SERVER and ("torn", microsoft.SERVER) in found)

    mend(store, root)

    after = contents(root)
    assert {path: sorted(data.splitlines()) for path, data in after.items() if "Admin" in path or "refs" in path} == {
        path: sorted(data.splitlines()) for path, data in before.items() if "Admin" in path or "refs" in path
    }
    assert told(store) == []


def test_line_and_file_of_a_torn_line_are_named(root, opened):
    edit(microsoft.HISTORY, b',18:50:24,"prod","1.0.1","theirs",\r', b"\r")(root)

    (fault,) = faults(opened())

    assert (fault.kind, fault.path) == ("torn", microsoft.HISTORY)
    assert fault.sentence == "line 1 is torn: '0000000001,add,file,08/10/2020'"


def test_a_tail_of_which_nothing_tells_the_rest_is_put_aside(root, opened):
    for path, tail in ((LIST, b'"nobody.dl'), (microsoft.HISTORY, b"\r\n00000"), (REFS, b"\r\n000")):
        (root / path).write_bytes((root / path).read_bytes() + tail)
    before = contents(root)
    store = opened()
    assert told(store) == [("torn", path) for path in sorted((LIST, microsoft.HISTORY, REFS))]

    assert sorted(mend(store, root)) == sorted((LIST, microsoft.HISTORY, REFS))

    assert sorted(aside(root)) == sorted(before[path] for path in (LIST, microsoft.HISTORY, REFS))
    assert told(store) == []


def test_files_that_are_not_what_they_should_be_are_put_aside(root, opened, tmp_path):
    good = (root / HOME).read_bytes()
    (root / HOME).write_bytes(b"")
    (root / OTHER / "b.dll").write_bytes(good[:100])
    wrong = root / "c.dll/000000019000/c.dll"
    wrong.parent.mkdir(parents=True)
    wrong.write_bytes(good)
    unpackable = root / "d.dll/000000019000/d.dl_"
    unpackable.parent.mkdir(parents=True)
    unpackable.write_bytes(b"MSCF\0\0\0\0rest")
    store = opened()
    named = told(store)
    assert {("empty", HOME), ("broken", f"{OTHER}/b.dll"), ("wrong-id", "c.dll/000000019000/c.dll")} <= set(named)

    mend(store, root)

    assert sorted(aside(root)) == sorted([b"", good[:100], good, b"MSCF\0\0\0\0rest"])
    assert not (root / "c.dll").exists()
    assert told(store) == [("missing", HOME), ("missing", f"{OTHER}/b.dll")]


def test_what_a_document_speaks_of_is_not_put_aside(root, opened, tmp_path):
    store = opened()
    store.commit(draft(store, image(tmp_path, "n.dll")))
    (root / "n.dll/5AB380779000/n.dll").write_bytes(b"MZ")

    assert mend(store, root) == []
    assert "changed" in [kind for kind, _ in told(store)]


def test_leftovers_and_empty_folders(root, opened):
    (root / "a.dll/5AB380779000/a.dll.tmp").write_bytes(b"half")
    (root / "e.dll/1").mkdir(parents=True)
    store = opened()
    assert told(store) == []  # somebody may be at work
    for old in ("a.dll/5AB380779000/a.dll.tmp", "e.dll/1"):
        os.utime(root / old, (0, 0))
    assert told(store) == [("leftover", "a.dll/5AB380779000/a.dll.tmp"), ("orphan", "e.dll/1")]

    mend(store, root)

    assert aside(root) == [b"half"]
    assert not (root / "e.dll").exists()
    assert told(store) == []


def test_references_to_nobody_are_named_and_kept(root, opened):
    (root / REFS).write_bytes((root / REFS).read_bytes() + b'\r\n0000000099,file,"x",bin,,N,,')
    store = opened()

    assert told(store) == [("unknown-reference", REFS)]
    assert mend(store, root) == []


@pytest.mark.parametrize("twin", ["A.dll/5AB380779000", "a.dll/5ab380779000", "A.DLL/5ab380779000"])
def test_twins_of_the_same_bytes_become_one(root, opened, tmp_path, twin):
    """A Windows store that was written to from Linux, or copied together there."""
    key = twin.replace("/", "\\")
    name = twin.split("/")[0]
    add_as_symstore_does(root, image(tmp_path, "a.dll"), number=3, key=key, stored=name)
    store = opened()
    assert "twins" in [kind for kind, _ in told(store)]

    mend(store, root)

    assert told(store) == []
    assert sorted(path.name for path in root.iterdir()) == [".symsrv", "000Admin", "a.dll", "b.dll", "pingme.txt"]
    assert (root / REFS).read_bytes().count(b"\r\n") == 2
    assert store.index.homes_of([3]) == [HOME]
    store.delete([1, 2])
    assert (root / HOME).exists()
    store.delete([3])
    assert not (root / "a.dll").exists()


def test_twins_of_other_bytes_are_left(root, opened, tmp_path):
    other = image(tmp_path / "2", "a.dll", payload=b"other")
    add_as_symstore_does(root, other, number=3, key="A.dll\\5AB380779000", stored="A.dll")
    store = opened()
    before = contents(root)

    assert mend(store, root) == []
    assert contents(root) == before


def test_what_only_one_of_two_twins_has_moves_to_the_other(root, opened, tmp_path):
    add_as_symstore_does(root, image(tmp_path, "a.dll", stamp=7), number=3, key="A.dll\\000000079000", stored="A.dll")
    store = opened()

    mend(store, root)

    assert (root / "a.dll/000000079000/a.dll").exists()
    assert store.index.homes_of([3]) == ["a.dll/000000079000/a.dll"]
    assert told(store) == []


def test_the_twin_that_a_document_holds_stays(root, opened, tmp_path):
    store = opened()
    store.commit(draft(store, image(tmp_path, "A.dll")))
    assert (root / "A.dll/5AB380779000/A.dll").exists()

    mend(store, root)

    assert [path.name for path in root.iterdir() if path.name.lower() == "a.dll"] == ["A.dll"]
    assert told(store) == []


def test_a_torn_reference_is_mended_before_those_of_a_twin_come_behind_it(root, opened, tmp_path):
    add_as_symstore_does(root, image(tmp_path, "A.dll"), number=3, key="A.dll\\5AB380779000")
    whole = (root / REFS).read_bytes()
    (root / REFS).write_bytes(whole[:-5])
    store = opened()

    mend(store, root)

    assert told(store) == []
    assert (root / REFS).read_bytes().startswith(whole)


def test_an_empty_twin_goes_however_young_it_is(root, opened):
    """As a merge leaves it that was broken off before its last step."""
    (root / "A.dll/5AB380779000").mkdir(parents=True)
    store = opened()

    assert mend(store, root) == ["A.dll/5AB380779000"]
    assert not (root / "A.dll").exists()
    assert told(store) == []
