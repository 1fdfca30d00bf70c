"""Finding answers in any case and any dialect, from the index and from what merely lies there."""

import os
import shutil

import pytest

from symsrv.layouts import parse_any
from symsrv.store.finding import FoldedFolders
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

    assert store.knows_nothing()
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
