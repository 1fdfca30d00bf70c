"""Catching up reads every transaction once, ours and another tool's, and passes no number that may still come."""

import logging

import pytest

from symsrv.ledger.index import Index
from symsrv.model.records import digits
from symsrv.store import catching_up as room
from symsrv.store import documents, microsoft, places
from tests.crash.publishing import draft, image
from tests.made.cab_builder import MSZIP, cab_of, mszip
from tests.store.stores import HOME, add_as_symstore_does, faults, kinds


@pytest.fixture
def index():
    one = Index("sqlite://")
    yield one
    one.close()


def numbers(index) -> list[int]:
    return [one.number for one in index.transactions()]


def commit(store, tmp_path, *names):
    for name in names:
        store.commit(draft(store, image(tmp_path, name)))


def test_every_transaction_is_read_once(anywhere, opened, tmp_path, index):
    store = opened(anywhere)
    commit(store, tmp_path, "a.dll", "b.dll")
    store.delete([1])

    assert room.catch_up(store._backend, index) == 3
    assert room.catch_up(store._backend, index) == 0
    commit(store, tmp_path, "c.dll")
    assert room.catch_up(store._backend, index) == 1
    assert numbers(index) == [1, 2, 3, 4]


def test_a_number_that_is_reserved_is_waited_for(opened, tmp_path, index):
    store = opened()
    commit(store, tmp_path, "a.dll", "b.dll")
    document = store._backend.read(places.document(2))
    store._backend.delete(places.document(2))
    for path in (microsoft.HISTORY, microsoft.SERVER):
        store._backend.write(path, store._backend.read(path).split(b"\r\n")[0])

    assert room.catch_up(store._backend, index) == 1
    assert index.applied() == 1

    store._backend.create(places.document(2), document)
    assert room.catch_up(store._backend, index) == 1
    assert numbers(index) == [1, 2]


def test_a_number_committed_while_we_look_is_not_skipped(anywhere, opened, tmp_path, index, monkeypatch):
    """The document comes after we looked for it, and the next writer's number before we look at lastid.txt."""
    store = opened(anywhere)
    commit(store, tmp_path, "a.dll")
    real = documents.read
    looked = []

    def read(backend, number):
        found = real(backend, number)
        if number == 2 and not looked:
            looked.append(number)
            commit(writer, tmp_path, "b.dll", "c.dll")
        return found

    writer = opened(anywhere, state="writer")
    monkeypatch.setattr(room.documents, "read", read)

    assert room.catch_up(store._backend, index) == 3
    assert numbers(index) == [1, 2, 3]


def test_gaps_are_passed_when_a_higher_number_is_in_use(opened, tmp_path, index):
    store = opened()
    commit(store, tmp_path, "a.dll")
    store._backend.write(microsoft.LASTID, b"0000000005")
    assert room.catch_up(store._backend, index) == 1
    assert index.applied() == 1

    commit(store, tmp_path, "b.dll")
    assert room.catch_up(store._backend, index) == 1
    assert numbers(index) == [1, 6]


def test_transactions_of_symstore_are_adopted_and_hold_their_files(opened, tmp_path):
    root, path = tmp_path / "store", image(tmp_path, "a.dll")
    add_as_symstore_does(root, path)
    store = opened()

    ours = store.commit(draft(store, path))
    theirs = next(store.history())

    assert ours.number == 2
    assert ours.entries[0].status == "present"
    assert (theirs.foreign, theirs.product, theirs.version, theirs.comment) == (True, "prod", "1.0.1", "theirs")
    store.delete([2])
    assert store.look(HOME) is not None
    assert store._backend.read("a.dll/5AB380779000/refs.ptr").count(b"file") == 1
    assert faults(store) == []

    store.delete([1])
    assert store.look(HOME) is None
    assert not (root / "a.dll").exists()
    assert (root / "000Admin" / "0000000001.deleted").exists()
    assert (root / "000Admin" / "server.txt").read_bytes() == b""
    assert faults(store) == []


def test_a_transaction_between_ours_is_adopted(opened, tmp_path):
    store = opened()
    commit(store, tmp_path, "a.dll")
    add_as_symstore_does(tmp_path / "store", image(tmp_path, "b.dll"), number=2, key="b.dll\\5AB380779000")
    commit(store, tmp_path, "c.dll")

    assert [(one.number, one.foreign) for one in store.history()] == [(1, False), (2, True), (3, False)]
    assert faults(store) == []


def test_a_delete_by_symstore_is_adopted(opened, tmp_path):
    store = opened()
    commit(store, tmp_path, "a.dll")
    backend = store._backend
    backend.delete("a.dll/5AB380779000/refs.ptr")
    backend.delete(HOME)
    backend.rename("000Admin/0000000001", "000Admin/0000000001.deleted")
    backend.write(microsoft.SERVER, b"")
    backend.append(microsoft.HISTORY, b"\r\n0000000002,del,0000000001")
    backend.write(microsoft.LASTID, b"0000000002")

    assert [(one.number, one.deleted_by, one.deletes) for one in store.history()] == [(1, 2, ()), (2, None, (1,))]
    assert store.commit(draft(store, image(tmp_path, "b.dll"))).number == 3
    assert faults(store) == []


def test_compressed_files_and_pointers_hold_what_lies_there(opened, tmp_path):
    root, path = tmp_path / "store", image(tmp_path, "a.dll")
    add_as_symstore_does(root, path, stored="a.dl_", data=cab_of({"a.dll": path.read_bytes()}, mszip, MSZIP))
    add_as_symstore_does(root, path, number=2, key="b.dll\\5AB380779000", kind="ptr", stored="file.ptr", data=b"PATH:x")
    store = opened()

    assert faults(store) == []
    assert store.would_free(1) == {"a.dll/5AB380779000/a.dl_": True}
    store.delete([1, 2])
    assert not (root / "a.dll").exists()
    assert not (root / "b.dll").exists()


def test_a_list_in_the_old_form_without_a_history_of_its_files(opened, tmp_path, index):
    backend = opened()._backend
    backend.write(microsoft.HISTORY, b"0000000001,add,file,08/10/20,18:50,Windows XP,x86 fre,Added from x,\r\n")

    assert room.catch_up(backend, index) == 1

    assert numbers(index) == [1]
    assert list(index.entries(1)) == []


def test_a_damaged_document_is_told_and_its_files_stay_held(opened, tmp_path, caplog):
    store = opened()
    path = image(tmp_path, "a.dll")
    store.commit(draft(store, path))
    store.commit(draft(store, path))
    store._backend.write(places.document(1), b'{"format": 1, "lines": 7}')
    fresh = opened(state="fresh")

    assert [one.number for one in fresh.history()] == [1, 2]
    assert "left out a transaction" in caplog.text or "damaged" in caplog.text
    fresh.delete([2])

    assert fresh.look(HOME) is not None
    assert kinds(fresh) == ["damaged-document"]


@pytest.mark.parametrize("text", [b"", b"{", b"[]\n", b'{"format": 1, "lines": 0}\n', b"\xff\xfe\0"])
def test_a_damaged_document_does_not_stop_readers(anywhere, opened, tmp_path, text, caplog):
    store = opened(anywhere)
    commit(store, tmp_path, "a.dll", "b.dll")
    store._backend.write(places.document(1), text)

    fresh = opened(anywhere, state="fresh")
    with caplog.at_level(logging.WARNING):
        found = [one.number for one in fresh.history() if not one.foreign]

    assert found == [2]
    assert digits(1) in caplog.text


def test_an_index_of_another_past_is_made_again(anywhere, opened, tmp_path):
    """The store was restored from a backup, and then went another way under the same numbers."""
    store = opened(anywhere)
    commit(store, tmp_path, "a.dll")
    backup = {stat.path: store._backend.read(stat.path) for stat in _everything(store)}
    commit(store, tmp_path, "b.dll", "c.dll")
    store.close()
    _restore(store, backup)
    elsewhere = opened(anywhere, state="elsewhere")
    commit(elsewhere, tmp_path, "d.dll")

    again = opened(anywhere)

    assert [one.number for one in again.history()] == [1, 2]
    assert [file.home.split("/")[0] for file in again.search(".dll", limit=9)] == ["a.dll", "d.dll"]
    assert faults(again) == []


def _everything(store):
    return [*store._backend.walk(), *(one for one in store._backend.walk(".symsrv") if "lock" not in one.path)]


def _restore(store, backup):
    for stat in _everything(store):
        if stat.path not in backup:
            store._backend.delete(stat.path)
    for path, data in backup.items():
        store._backend.write(path, data)


def test_the_same_past_is_recognised(opened, tmp_path, index):
    store = opened()
    assert room.same_past(store._backend, index)
    commit(store, tmp_path, "a.dll")
    room.catch_up(store._backend, index)

    assert room.same_past(store._backend, index)
    store._backend.write(places.document(1), b"damaged")
    assert room.same_past(store._backend, index)
    store._backend.delete(places.document(1))
    assert not room.same_past(store._backend, index)
