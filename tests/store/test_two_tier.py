"""A store of two tiers, from the first file to the last delete."""

from dataclasses import replace

import pytest

from symsrv.layouts import parse_any
from symsrv.model.records import Status
from tests.crash.publishing import draft, image
from tests.store.stores import faults

KEY = "Foo.dll/5AB380779000/Foo.dll"
TIERED = f"Fo/{KEY}"


@pytest.fixture
def store(opened, anywhere):
    return opened(anywhere, two_tier=True)


def found(store, path) -> list[str]:
    store.catch_up()
    return [one.home for one in store.find(parse_any(path))]


@pytest.mark.parametrize("compress", [False, True])
def test_new_homes_have_the_prefix_and_are_found_by_every_path(store, tmp_path, compress):
    home = TIERED[:-1] + "_" if compress else TIERED

    (entry,) = store.commit(replace(draft(store, image(tmp_path, "Foo.dll")), compress=compress)).entries

    assert entry.home == home
    for path in (KEY, TIERED, KEY.lower(), f"fo/{KEY}"):
        assert found(store, path) == [home]
    assert found(store, KEY[:-1] + "_") == ([home] if compress else [])
    assert faults(store) == []


def test_what_the_other_tools_read_is_in_the_id_folder_and_without_the_prefix(opened, tmp_path):
    store, root = opened(two_tier=True), tmp_path / "store"
    store.commit(draft(store, image(tmp_path, "Foo.dll")))

    assert (root / "000Admin/0000000001").read_bytes() == b'"Foo.dll\\5AB380779000","C:\\build\\Foo.dll"\r\n'
    assert (root / "Fo/Foo.dll/5AB380779000/refs.ptr").exists()
    assert (root / "index2.txt").read_bytes() == b""


def test_a_file_in_one_tier_counts_where_it_is(opened, tmp_path):
    store, root, path = opened(), tmp_path / "store", image(tmp_path, "Foo.dll")
    store.commit(draft(store, path))
    (root / "index2.txt").touch()

    present, new = store.commit(draft(store, path, image(tmp_path, "Bar.dll"))).entries

    assert (present.status, present.home) == (Status.PRESENT, KEY)
    assert new.home == "Ba/Bar.dll/5AB380779000/Bar.dll"
    assert found(store, KEY) == [KEY]
    assert found(store, TIERED) == [KEY]
    assert faults(store) == []


def test_reindex_and_verify_know_the_homes(opened, tmp_path):
    store = opened(two_tier=True)
    store.commit(draft(store, image(tmp_path, "Foo.dll")))
    (tmp_path / "store" / "Ba/Bar.dll/5AB380779000").mkdir(parents=True)
    (tmp_path / "store" / "Ba/Bar.dll/5AB380779000/Bar.dll").write_bytes(image(tmp_path, "Bar.dll").read_bytes())

    assert store.reindex() == 2

    assert {one.home for one in store.search("5AB380779000", limit=9)} == {TIERED, "Ba/Bar.dll/5AB380779000/Bar.dll"}
    assert store.rewrite_admin() == 0
    assert faults(store) == []


def test_the_last_delete_leaves_no_folder(opened, tmp_path):
    store, root = opened(two_tier=True), tmp_path / "store"
    store.commit(draft(store, image(tmp_path, "Foo.dll"), image(tmp_path, "Fob.dll")))
    store.commit(draft(store, image(tmp_path, "Foo.dll")))

    store.delete([1])
    assert not (root / "Fo/Fob.dll").exists()
    assert (root / TIERED).exists()
    store.delete([2])

    assert not (root / "Fo").exists()
    assert faults(store) == []
