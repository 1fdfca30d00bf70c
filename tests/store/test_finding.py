"""Finding answers in any case and any dialect, from the index and from what merely lies there."""

import os
import shutil

import pytest

from symsrv.layouts import parse_any
from symsrv.model.identity import Identity
from symsrv.model.ids import MSFZ, SymbolId
from symsrv.model.records import StoredFile
from symsrv.store.finding import Absence, FoldedFolders, _tried
from tests.crash.publishing import draft, image
from tests.made.elf_builder import BUILD_ID, build_elf
from tests.store.stores import HOME, add_as_symstore_does

CASES = (HOME, HOME.upper(), HOME.lower(), "A.Dll/5ab380779000/a.DLL")


def found(store, path) -> list[str]:
    return [file.home for file in store.find(parse_any(path))]


def bare(root, path, home=HOME):
    target = root / home
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(path, target)
    return target


@pytest.mark.parametrize("path", CASES)
def test_what_was_published_is_found_in_any_case(anywhere, opened, tmp_path, path):
    store = opened(anywhere)
    store.commit(draft(store, image(tmp_path, "a.dll")))
    store.catch_up()

    assert found(store, path) == [HOME]
    assert found(store, path.replace("5", "6")) == []


@pytest.mark.parametrize("path", CASES)
def test_a_bare_folder_answers_in_any_case(opened, tmp_path, path):
    bare(tmp_path / "store", image(tmp_path, "a.dll"))
    store = opened(create=False)

    assert not store.known_files()
    assert found(store, path) == [HOME]


@pytest.mark.parametrize("name", ["A.DLL/5AB380779000/A.DLL", "a.dll/5ab380779000/A.dll"])
def test_a_bare_folder_in_another_case_answers(opened, tmp_path, name):
    bare(tmp_path / "store", image(tmp_path, "a.dll"), name)

    assert found(opened(create=False), HOME) == [name]


def test_a_bare_folder_of_two_tiers_answers(opened, tmp_path):
    root = tmp_path / "store"
    bare(root, image(tmp_path, "a.dll"), f"a./{HOME}")
    bare(root, image(tmp_path, "crash.dll"), "cr/crash.dll/5AB380779000/crash.dll")
    (root / "index2.txt").touch()
    store = opened(create=False)

    assert store.two_tier()
    assert found(store, HOME) == [f"a./{HOME}"]
    assert found(store, "CR/crash.dll/5AB380779000/crash.dll") == ["cr/crash.dll/5AB380779000/crash.dll"]
    assert found(store, "crash.dll/5ab380779000/crash.dll") == ["cr/crash.dll/5AB380779000/crash.dll"]


def test_what_is_copied_in_by_hand_is_found_at_once(opened, tmp_path):
    store = opened()
    store.commit(draft(store, image(tmp_path, "b.dll")))
    store.catch_up()
    assert found(store, HOME.lower()) == []

    bare(tmp_path / "store", image(tmp_path, "a.dll"))

    assert found(store, HOME.lower()) == [HOME]


def test_what_symstore_just_added_is_found_before_it_is_read(opened, tmp_path):
    store = opened()
    store.catch_up()

    add_as_symstore_does(tmp_path / "store", image(tmp_path, "a.dll"))

    assert found(store, HOME) == [HOME]


def test_a_build_id_is_found_in_a_bare_folder_once_it_is_indexed(opened, tmp_path):
    home = f"lib.so/elf-buildid-{BUILD_ID.hex()}/lib.so"
    target = tmp_path / "store" / home
    target.parent.mkdir(parents=True)
    target.write_bytes(build_elf())
    store = opened(create=False)
    ask = f"buildid/{BUILD_ID.hex()}/executable"
    assert found(store, ask) == []

    assert store.reindex() == 1

    assert found(store, ask) == [home]
    store._ensure_format()  # as the first commit does
    assert found(opened(), ask) == [home], "what is known of a folder stays known when it becomes a store"


def test_on_a_bucket_only_the_index_is_asked(bucket, opened, tmp_path):
    store = opened(bucket)
    store._backend.write(HOME, image(tmp_path, "a.dll").read_bytes())
    assert found(store, HOME) == []

    assert store.reindex() == 1

    assert found(store, HOME) == [HOME]


def test_a_folder_is_listed_again_when_it_changed(tmp_path):
    folders = FoldedFolders(tmp_path)
    (tmp_path / "A.dll").mkdir()
    (tmp_path / "A.dll" / "5AB3").mkdir()
    assert folders.resolve("a.DLL/5ab3") == "A.dll/5AB3"
    assert folders.resolve("b.dll") is None

    (tmp_path / "B.dll").mkdir()
    os.utime(tmp_path, ns=(0, 1))

    assert folders.resolve("b.dll") == "B.dll"
    assert folders.resolve("b.dll/nothing/here") is None
    assert folders.resolve(".symsrv") is None


def test_a_folder_too_large_to_list_is_not_listed(tmp_path, monkeypatch):
    monkeypatch.setattr("symsrv.store.finding._LISTED_NAMES", 2)
    folders = FoldedFolders(tmp_path)
    for name in ("A", "B"):
        (tmp_path / name).mkdir()
    assert folders.resolve("a") == "A"
    for name in ("C", "D"):
        (tmp_path / name).mkdir()
    os.utime(tmp_path, ns=(0, 1))

    assert folders.resolve("a") is None
    for number in range(9):
        folders.resolve(f"x{number}")


PACKED = "a.dll/5AB380779000/a.dl_"


def settled(root) -> None:
    """Makes every folder look as if it had not changed for long."""
    for folder in (root, *root.rglob("*")):
        if folder.is_dir():
            os.utime(folder, (1_000_000_000, 1_000_000_000))


def absence(store, *paths):
    return store.absence([parse_any(path) for path in paths])


@pytest.mark.parametrize("spelled", [PACKED, PACKED.upper(), "a./" + PACKED])
def test_a_packed_ask_is_answered_by_the_packed_file_and_by_no_other(opened, tmp_path, spelled):
    store = opened()
    store.commit(draft(store, image(tmp_path, "a.dll")))
    store.catch_up()
    assert found(store, spelled) == []

    (tmp_path / "store" / PACKED).write_bytes(b"packed")

    assert found(store, spelled) == [PACKED]
    assert found(store, HOME) == [HOME]


@pytest.mark.parametrize("lies", [PACKED, PACKED.upper(), f"a./{PACKED}"])
def test_a_file_that_lies_there_packed_alone_is_found_by_its_plain_name(opened, tmp_path, lies):
    bare(tmp_path / "store", image(tmp_path, "a.dll"), lies)
    store = opened(create=False)

    assert found(store, HOME) == [lies]
    assert found(store, HOME.lower()) == [lies]
    assert [one.encoding for one in store.find(parse_any(HOME))] == ["cab"]


@pytest.mark.parametrize("there_before", ["", "a.dll", "A.DLL", "a.dll/5ab380779000", "a."])
@pytest.mark.parametrize("appears", [HOME, HOME.upper(), f"a./{HOME}"])
def test_an_absence_ends_when_a_file_that_would_be_found_appears(opened, tmp_path, there_before, appears):
    store, root = opened(), tmp_path / "store"
    (root / there_before).mkdir(parents=True, exist_ok=True)
    assert found(store, HOME) == []
    settled(root)

    vouched = absence(store, HOME)
    assert vouched.holds()
    (root / appears).parent.mkdir(parents=True, exist_ok=True)
    if vouched.holds():  # the folders were there, and only the file is missing
        (root / appears).write_bytes(b"by hand")

    assert not vouched.holds()


def test_an_absence_does_not_end_by_what_happens_elsewhere(opened, tmp_path):
    store, root = opened(), tmp_path / "store"
    for folder in ("a.dll/5AB380779000", "b.dll/5AB380779000"):
        (root / folder).mkdir(parents=True)
    settled(root)
    vouched = absence(store, HOME)

    bare(root, image(tmp_path, "b.dll"), "b.dll/5AB380779000/b.dll")
    (root / "b.dll" / "more").mkdir()

    assert vouched.holds()


def test_an_absence_ends_with_a_folder_that_it_watches(opened, tmp_path):
    store, root = opened(), tmp_path / "store"
    (root / "a.dll").mkdir()
    settled(root)
    vouched = absence(store, HOME)

    (root / "a.dll").rmdir()

    assert not vouched.holds()


def test_of_several_asks_the_absence_watches_all(opened, tmp_path):
    store, root = opened(), tmp_path / "store"
    other = HOME.replace("a.dll", "b.dll")
    for folder in ("a.dll", "b.dll"):
        (root / folder).mkdir()
    settled(root)
    vouched = absence(store, HOME, other)
    assert vouched.holds()

    bare(root, image(tmp_path, "b.dll"), other)

    assert not vouched.holds()


def test_nobody_vouches_while_a_folder_has_just_changed(opened, tmp_path):
    store, root = opened(), tmp_path / "store"
    (root / "a.dll").mkdir()
    settled(root)
    os.utime(root / "a.dll")

    assert absence(store, HOME) is None
    assert absence(store, HOME.replace("a.dll", "b.dll")) is not None


def test_nobody_vouches_for_a_folder_that_is_not_there(tmp_path):
    assert Absence.of([str(tmp_path / "nothing")]) is None


def test_on_a_bucket_nobody_vouches(bucket, opened):
    assert absence(opened(bucket), HOME) is None


def test_an_absence_that_cannot_be_looked_at_any_more_does_not_hold(tmp_path):
    (tmp_path / "a.dll").mkdir()
    settled(tmp_path)
    vouched = Absence.of([str(tmp_path / "a.dll")])
    assert vouched.holds()

    (tmp_path / "a.dll").rmdir()

    assert not vouched.holds()


def test_a_file_where_a_folder_is_looked_for_is_no_way_to_anything(tmp_path):
    (tmp_path / "A.dll").write_bytes(b"a file")
    folders = FoldedFolders(tmp_path)

    assert folders.resolve("a.dll/5ab3/a.dll") is None
    assert list(folders.on_the_way("a.dll/5ab3/a.dll")) == ["", "", "A.dll"]


def test_what_is_remembered_of_folders_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr("symsrv.store.finding._LISTED_NAMES", 6)
    folders = FoldedFolders(tmp_path)
    for number in range(6):
        (tmp_path / f"A{number}" / "ID").mkdir(parents=True)
    assert [folders.resolve(f"a{number}/id") for number in range(6)] == [f"A{number}/ID" for number in range(6)]
    assert len(folders._listed) == 7

    assert folders.resolve("A0/ID/none") is None  # the folders of ids are not remembered, and one more look makes room

    assert len(folders._listed) < 7
    assert folders.resolve("a5/id") == "A5/ID"


TREES = {
    f"buildid/{BUILD_ID.hex()}/debuginfo": f".build-id/{BUILD_ID.hex()[:2]}/{BUILD_ID.hex()[2:]}.debug",
    f"_.debug/elf-buildid-sym-{BUILD_ID.hex()}/_.debug": f"{BUILD_ID.hex()[:2]}/{BUILD_ID.hex()[2:]}.debug",
    f"{BUILD_ID.hex()[:2]}/{BUILD_ID.hex()[2:]}": f"{BUILD_ID.hex()[:2]}/{BUILD_ID.hex()[2:]}/executable",
    "67E9/247C/814E/392B/A027/DBDE6748FCBF": "67E9/247C/814E/392B/A027/DBDE6748FCBF",
}


@pytest.mark.parametrize("ask", TREES)
def test_trees_of_ids_answer_who_gives_no_name_before_they_are_indexed(opened, tmp_path, ask):
    bare(tmp_path / "store", image(tmp_path, "a.dll"), TREES[ask])

    assert found(opened(create=False), ask) == [TREES[ask]]


def test_who_gives_a_name_costs_no_look_into_trees_without_names():
    ask = parse_any("crash.pdb/3249D99D0C4049318610F4E4FB0B69361/crash.pdb")

    assert _tried(ask) == [
        "crash.pdb/3249D99D0C4049318610F4E4FB0B69361/crash.pdb",
        "crash.pdb/3249d99d0c4049318610f4e4fb0b69361/crash.pdb",
        "cr/crash.pdb/3249D99D0C4049318610F4E4FB0B69361/crash.pdb",
        "cr/crash.pdb/3249d99d0c4049318610f4e4fb0b69361/crash.pdb",
    ]


@pytest.mark.parametrize("path", ["a.pdb/3249D99D0C4049318610F4E4FB0B69361/a.sym", "A.PDB/{}1/A.PDB.sym"])
def test_text_symbols_of_a_bare_folder_answer(opened, tmp_path, path):
    path = path.format("3249d99d0c4049318610f4e4fb0b6936")
    bare(tmp_path / "store", image(tmp_path, "a.dll"), path)

    assert found(opened(create=False), "A.PDB/3249D99D0C4049318610F4E4FB0B69361/a.sym") == [path]


PLAIN = "a.pdb/3249D99D0C4049318610F4E4FB0B69361/a.pdb"


@pytest.mark.parametrize("path", [PLAIN, PLAIN.lower()])
def test_a_compressed_container_at_the_place_of_a_plain_pdb_is_no_plain_pdb(opened, tmp_path, path):
    bare(tmp_path / "store", image(tmp_path, "a.dll"), path)
    store = opened(create=False)
    assert found(store, PLAIN) == [path], "nobody knows yet what it is"

    ids = (SymbolId(MSFZ, "3249d99d0c4049318610f4e4fb0b69361"),)
    store.index.put_files([StoredFile(path, 1, identities=(Identity("msfz", "debug", "a.pdb", ids),))])

    assert found(store, PLAIN) == []
    assert found(store, PLAIN.replace("/a.pdb", "/msfz0/a.pdb")) == [path]


def test_only_names_that_the_root_has_a_folder_for_may_have_a_pointer(tmp_path):
    folders = FoldedFolders(tmp_path)
    assert folders.may_have("a.dll")  # an empty listing tells nothing: the root may be too large for one
    for name in ("Foo.pdb", "ba", "c"):
        (tmp_path / name).mkdir()

    assert [folders.may_have(name) for name in ("foo.PDB", "BAR.pdb", "c.dll", "d.dll")] == [True, True, True, False]
