"""What marks a store: made once, never changed, and two tiers only where nothing lies yet."""

import json

from symsrv.store import open_store
from symsrv.store.marking import id_by_place, mark, read_id
from tests.crash.publishing import draft, image


def test_a_mark_is_made_once(opened, anywhere):
    backend = opened(anywhere)._backend
    before = read_id(backend)

    mark(backend, two_tier=True)

    assert read_id(backend) == before
    assert backend.stat("index2.txt") is None


def test_an_adopted_folder_keeps_the_id_that_it_went_by_and_its_tier(opened, tmp_path):
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "pingme.txt").touch()
    before = opened(create=False).id

    store = opened(two_tier=True)

    assert store.id == before == str(id_by_place(store._backend))
    assert not store.two_tier()


def test_a_new_store_can_have_two_tiers(anywhere, tmp_path):
    store = open_store(anywhere, create=True, state=tmp_path / "state", two_tier=True)
    try:
        assert store.two_tier()
        assert json.loads(store._backend.read(".symsrv/store.json"))["format"] == 1
        store.commit(draft(store, image(tmp_path, "a.dll")))
        assert [stat.path for stat in store.files()] == ["a/a.dll/5AB380779000/a.dll"]
    finally:
        store.close()
