"""The Python symstore package reads our stores, and what it writes beside us is adopted and respected."""

import shutil

import pytest

from tests.crash.publishing import image

symstore = pytest.importorskip("symstore")

HOME = "a.dll/5AB380779000/a.dll"


@pytest.fixture
def store(run, tmp_path):
    folder = tmp_path / "store"
    for number, names in enumerate(("ab", "a", "c"), 1):
        paths = [image(tmp_path, f"{name}.dll") for name in names]
        words = ["--product", f"app{number}", "--version", "1.0", "--comment", f"comment {number}"]
        assert run("add", *paths, "--store", folder, *words).code == 0
    assert run("delete", "3", "--store", folder).code == 0
    return folder


def add_with_package(folder, path, product="theirs"):
    theirs = symstore.Store(str(folder))
    transaction = theirs.new_transaction(product, "7", "beside")
    transaction.add_entry(transaction.new_entry(str(path)))
    theirs.commit(transaction)
    return int(transaction.id)


def test_it_reads_our_transactions_entries_and_history(store):
    theirs = symstore.Store(str(store))

    live = dict(theirs.transactions.items())

    assert {number: (one.product, one.version, one.comment) for number, one in live.items()} == {
        "0000000001": ("app1", "1.0", "comment 1"),
        "0000000002": ("app2", "1.0", "comment 2"),
    }
    entries = [(one.file_name, one.file_hash, one.exists()) for one in live["0000000001"].entries]
    assert entries == [("a.dll", "5AB380779000", True), ("b.dll", "5AB380779000", True)]
    assert live["0000000001"].entries[0].read() == (store / HOME).read_bytes()
    history = [(theirs.history[place].id, theirs.history[place].type) for place in range(len(theirs.history))]
    assert history == [
        ("0000000001", "add"),
        ("0000000002", "add"),
        ("0000000003", "add"),
        ("0000000004", "del"),
    ]
    assert theirs.history[3].deleted_id == "0000000003"
    assert theirs.modify_timestamp.timestamp() == pytest.approx((store / "pingme.txt").stat().st_mtime)


def test_what_it_adds_beside_us_is_adopted_and_held(run, store, tmp_path):
    assert add_with_package(store, image(tmp_path, "a.dll")) == 5

    lines = run("history", "--store", store, "--json").lines
    assert [line["transaction"][-1] for line in lines] == ["1", "2", "3", "4", "5"]
    assert (lines[4]["product"], lines[4]["version"], lines[4]["comment"]) == ("theirs", "7", "beside")
    assert run("delete", "1", "2", "--store", store).code == 0
    assert (store / HOME).exists()
    assert not (store / "b.dll").exists()

    assert run("delete", "5", "--store", store).code == 0
    assert not (store / "a.dll").exists()
    assert run("verify", "--store", store).code == 0
    assert symstore.Store(str(store)).transactions.items() == {}.items()


def test_we_and_it_take_turns(run, store, tmp_path):
    numbers = [add_with_package(store, image(tmp_path, "d.dll"))]
    assert run("add", image(tmp_path, "e.dll"), "--store", store).code == 0
    numbers.append(add_with_package(store, image(tmp_path, "f.dll")))

    assert numbers == [5, 7]
    assert [line["transaction"][-1] for line in run("history", "--store", store, "--json").lines] == list("1234567")
    assert len(symstore.Store(str(store)).transactions.items()) == 5
    assert run("verify", "--store", store).code == 0


def test_what_it_deletes_of_ours_is_deleted(run, store):
    """It removes whole folders, and knows who holds them by its own lists."""
    symstore.Store(str(store)).delete_transaction("0000000001")

    lines = run("history", "--store", store, "--json").lines
    assert (lines[0]["deleted_by"], lines[4]["deletes"]) == ("0000000005", ["0000000001"])
    assert (store / HOME).exists()
    assert not (store / "b.dll").exists()
    assert run("delete", "1", "--store", store).code == 12
    assert [line["kind"] for line in run("verify", "--store", store, "--json").lines[:-1]] == ["admin"]
    assert run("delete", "2", "--store", store).code == 0
    assert not (store / "a.dll").exists()
    assert run("verify", "--store", store).code == 0


def test_a_store_of_its_own_becomes_ours(run, tmp_path):
    folder = tmp_path / "store"
    path = image(tmp_path, "a.dll")
    add_with_package(folder, path, product="one")
    assert run("history", "--store", folder, "--json").lines[0]["product"] == "one"
    assert not (folder / ".symsrv").exists()

    line = run("add", path, "--store", folder, "--json").lines[0]

    assert line["status"] == "present"
    assert run("delete", "1", "--store", folder).code == 0
    assert (folder / HOME).exists()
    assert run("verify", "--store", folder).code == 0
    shutil.rmtree(folder)
