"""The assembly builds from the configuration what is asked for, once, and closes it."""

import pytest

from symsrv.assembly import Assembly
from symsrv.config import Config
from symsrv.model.errors import NoStore, StoreLocked, UsageError
from symsrv.store import Draft, open_store


def test_a_store_is_opened_once_as_configured(tmp_path):
    config = Config(store=str(tmp_path / "store"), state=tmp_path / "state", lock_timeout=0.1, semaphore=True)
    assembly = Assembly(config)

    store = assembly.new_store

    assert assembly.new_store is store
    store.catch_up()
    assert [path.suffix for path in (tmp_path / "state").glob("*.sqlite")] == [".sqlite"]
    (tmp_path / "store" / "_lockfile.sem").write_text("somebody else")
    with pytest.raises(StoreLocked, match="_lockfile"):
        store.commit(Draft(()))
    assembly.close()


def test_another_database_is_used_where_one_is_named(tmp_path):
    config = Config(store=str(tmp_path / "store"), index=f"sqlite:///{tmp_path}/index.sqlite", state=tmp_path / "state")
    assembly = Assembly(config)
    assembly.new_store.catch_up()
    assembly.close()

    assert (tmp_path / "index.sqlite").exists()
    assert not (tmp_path / "state").exists()


def test_a_store_is_made_only_where_that_is_asked_for(tmp_path):
    config = Config(store=str(tmp_path / "store"), state=tmp_path / "state")

    with pytest.raises(NoStore):
        Assembly(config).store.close()
    assert not (tmp_path / "store").exists()
    Assembly(config).new_store.close()
    open_store(str(tmp_path / "store")).close()


def test_no_store_is_wrong_usage():
    with pytest.raises(UsageError, match="no store is named"):
        Assembly(Config()).store.close()


def test_a_store_that_is_made_now_may_have_two_tiers(tmp_path):
    config = Config(store=str(tmp_path / "store"), state=tmp_path / "state")
    assembly = Assembly(config)

    assert assembly.new_two_tier_store.two_tier()
    assembly.close()


def test_pointers_are_followed_where_the_configuration_says(tmp_path):
    config = Config(store=str(tmp_path / "store"), state=tmp_path / "state", pointer_roots=(tmp_path,))
    assembly = Assembly(config)

    assert assembly.new_store.pointer_roots == (tmp_path,)
    assembly.close()


def test_the_state_lies_in_the_state_folder_by_the_stores_id(tmp_path):
    config = Config(store=str(tmp_path / "store"), state=tmp_path / "state")
    assembly = Assembly(config)
    store_id = assembly.new_store.id

    assembly.state.marks.put("a", 1)

    assert assembly.state is assembly.state
    assembly.close()
    assert (tmp_path / "state" / f"state-{store_id}.sqlite").is_file()
    again = Assembly(config)
    assert again.state.marks.number("a") == 1
    again.close()


def test_the_state_lies_where_it_is_named_and_then_needs_no_store(tmp_path):
    assembly = Assembly(Config(database=f"sqlite:///{tmp_path}/kept.sqlite"))

    assembly.state.marks.put("a", 1)

    assembly.close()
    assert (tmp_path / "kept.sqlite").is_file()


def test_no_store_is_made_for_its_state(tmp_path):
    assembly = Assembly(Config(store=str(tmp_path / "store"), state=tmp_path / "state"))

    with pytest.raises(NoStore):
        assembly.state.close()
    assert not (tmp_path / "state").exists()


def test_two_stores_do_not_share_a_state(tmp_path):
    database = f"sqlite:///{tmp_path}/kept.sqlite"
    for name in ("one", "one", "two"):
        assembly = Assembly(Config(store=str(tmp_path / name), database=database))
        assembly.new_store.catch_up()
        if name == "two":
            with pytest.raises(UsageError, match="that of another store; name another database"):
                assembly.state.marks.get("a")
        else:
            assembly.state.marks.put("a", 1)
        assembly.close()


def test_the_state_of_an_empty_folder_is_that_of_the_store_it_becomes(tmp_path):
    (tmp_path / "store").mkdir()
    config = Config(store=str(tmp_path / "store"), state=tmp_path / "state")
    looking, serving, adding = Assembly(config), Assembly(config), Assembly(config)

    assert looking.state_if_made is None
    assert list((tmp_path / "store").iterdir()) == []
    serving.state.marks.put("mark", 7)
    assert adding.new_store.id == serving.store.id

    assert adding.state_if_made.marks.number("mark") == 7
    for one in (looking, serving, adding):
        one.close()


def test_a_folder_of_somebody_elses_is_not_marked_for_a_state(tmp_path):
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "readme.txt").write_text("mine")
    assembly = Assembly(Config(store=str(tmp_path / "store"), state=tmp_path / "state"))

    assembly.state.marks.put("mark", 7)

    assert [one.name for one in (tmp_path / "store").iterdir()] == ["readme.txt"]
    assert assembly.new_store.id == assembly.store.id
    assembly.close()
