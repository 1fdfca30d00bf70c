"""Recovery: the next writer finishes what a dead one left, whatever it had come to."""

import os

import pytest

from symsrv.model.errors import DamagedDocument
from symsrv.store import documents, places
from symsrv.store import recovery as room
from tests.crash.publishing import draft, image
from tests.store.stores import content, faults, staged_left


@pytest.fixture
def dying(monkeypatch):
    """Makes the next commit die right after its document, as a kill would."""

    def die(*_args, **_more):
        raise KeyboardInterrupt

    class Dying:
        def __enter__(self):
            monkeypatch.setattr("symsrv.store.commit.apply", die)

        def __exit__(self, *_):
            monkeypatch.undo()
            return True

    return Dying()


def set_applied(store, number):
    store._backend.write(places.APPLIED, b"%010d" % number)


def test_a_replacement_is_finished_even_after_days(anywhere, opened, tmp_path, dying):
    """Its staged bytes are old, and must not be swept before they are used."""
    store = opened(anywhere)
    store.commit(draft(store, image(tmp_path / "1", "a.dll")))
    other = image(tmp_path / "2", "a.dll", payload=b"other")
    dead = opened(anywhere, state="dead")
    with dying:
        dead.commit(draft(dead, other, replace=True))
    dead.close()  # and with it its spool
    if store.removes_at_once:
        for path in (tmp_path / "store" / ".symsrv" / "incoming").iterdir():
            os.utime(path, (0, 0))
    else:
        objects = store._backend._objects
        if hasattr(objects, "_objects"):
            objects._objects.update(
                {key: one._replace(modified_ns=0) for key, one in objects._objects.items() if "incoming" in key}
            )

    store.commit(draft(store, image(tmp_path, "next.dll")))

    assert content(store) == other.read_bytes()
    assert staged_left(store) == []
    assert faults(store) == []


def test_staged_bytes_of_the_dead_are_swept_after_a_day(opened, tmp_path):
    store = opened()
    old, young = store.stage(image(tmp_path, "a.dll")), store.stage(image(tmp_path, "b.dll"))
    os.utime(old.local, (0, 0))

    store.commit(draft(store, image(tmp_path, "c.dll")))

    assert staged_left(store) == [f".symsrv/incoming/{young.handle}"]


def test_replacements_that_were_made_before_do_not_stop_the_next_writer(anywhere, opened, tmp_path):
    """A power cut may take the note of what is applied back, while everything it speaks of is durable."""
    store = opened(anywhere)
    for payload in (b"", b"A", b"B"):
        path = image(tmp_path, "a.dll", payload=payload)
        store.commit(draft(store, path, replace=True))
    store.delete([1])
    set_applied(store, 1)

    done = store.commit(draft(store, image(tmp_path, "next.dll")))

    assert done.number == 5
    assert content(store) == path.read_bytes()
    assert faults(store) == []


def test_a_replacement_whose_home_was_freed_does_not_come_back(opened, tmp_path):
    store = opened()
    store.commit(draft(store, image(tmp_path, "a.dll")))
    store.commit(draft(store, image(tmp_path, "a.dll", payload=b"A"), replace=True))
    store.delete([1, 2])
    set_applied(store, 0)

    store.commit(draft(store, image(tmp_path, "next.dll")))

    assert not (tmp_path / "store" / "a.dll").exists()
    assert faults(store) == []


def test_a_delete_is_finished(anywhere, opened, tmp_path, dying):
    store = opened(anywhere)
    store.commit(draft(store, image(tmp_path, "a.dll")))
    with dying:
        store.delete([1])
    assert (store.look("a.dll/5AB380779000/a.dll")) is not None

    store.commit(draft(store, image(tmp_path, "next.dll")))

    assert faults(store) == []
    assert (store.look("a.dll/5AB380779000/a.dll") is None) == store.removes_at_once


@pytest.mark.parametrize("name", ["server.txt", "history.txt", "refs.ptr"])
def test_a_torn_tail_is_completed_wherever_it_was_torn(opened, tmp_path, name):
    store = opened()
    path = image(tmp_path, "a.dll")
    store.commit(draft(store, path))
    store.commit(draft(store, path))
    place = f"a.dll/5AB380779000/{name}" if name == "refs.ptr" else f"000Admin/{name}"
    whole = store._backend.read(place)
    start = whole.index(b"\r\n") + (2 if name == "server.txt" else 0)
    transaction = documents.read(store._backend, 2)

    for cut in range(start, len(whole)):
        store._backend.write(place, whole[:cut])
        set_applied(store, 1)
        assert room.recover(store._backend, store._freed) == 2
        assert store._backend.read(place) == whole, f"torn at {cut} of {transaction.number}"

    assert faults(store) == []


def test_what_is_applied_is_a_number_or_nothing(opened):
    backend = opened()._backend
    assert room.applied(backend) == 0

    for text, number in ((b"0000000007", 7), (b" 7\n", 7), (b"nonsense", 0), (b"", 0)):
        backend.write(places.APPLIED, text)
        assert room.applied(backend) == number


def test_a_damaged_document_that_is_not_applied_stops_writers_with_what_to_do(opened, tmp_path):
    store = opened()
    store.commit(draft(store, image(tmp_path, "a.dll")))
    store._backend.create(places.document(2), b"{")

    with pytest.raises(DamagedDocument, match="restore it from a backup"):
        store.commit(draft(store, image(tmp_path, "b.dll")))
