"""Verify names every kind of fault with a sentence and what mends it, and finds none where there is none."""

import pytest

from symsrv.store import open_store
from symsrv.store.places import document
from symsrv.upkeep.verify import Fault, Tally, verify
from tests.crash.publishing import draft, image

HOME = "a.dll/5AB380779000/a.dll"


@pytest.fixture
def store(tmp_path):
    one = open_store(str(tmp_path / "store"), create=True, state=tmp_path / "state")
    one.commit(draft(one, image(tmp_path, "a.dll"), image(tmp_path, "b.dll")))
    yield one
    one.close()


def faults(store, **options) -> list[Fault]:
    return list(verify(store, Tally(), **options))


def test_a_clean_store_has_no_fault_and_is_counted(store, tmp_path):
    place = tmp_path / "store" / "c.pdb" / ("0" * 32 + "1")
    place.mkdir(parents=True)
    (place / "c.pdb").write_bytes(b"copied in, and nothing we can read")
    tally, seen = Tally(), []

    found = list(verify(store, tally, progress=seen.append))

    size = sum(stat.size for stat in store.files())
    assert found == []
    assert tally == Tally(files=3, bytes=size, unrecorded=1, unproven=1, transactions=1)
    assert len(seen) == 3


def test_a_held_file_that_went_is_missing(store, tmp_path):
    (tmp_path / "store" / HOME).unlink()

    assert faults(store) == [Fault("missing", HOME, "a live transaction holds it, and it is not there", "add it again")]
    store.commit(draft(store, image(tmp_path, "a.dll")))
    assert faults(store) == []


@pytest.mark.parametrize("payload", [b"other", b"\0"], ids=["size", "bytes"])
def test_other_bytes_are_changed(store, tmp_path, payload):
    place = tmp_path / "store" / HOME
    data = place.read_bytes()
    place.write_bytes(data + payload if payload != b"\0" else data[:-1] + b"x")
    sentence = "its bytes are not those that were published"

    assert faults(store) == [Fault("changed", HOME, sentence, "add it again with --replace")]
    assert len(faults(store, content=False)) == (payload != b"\0")

    store.commit(draft(store, image(tmp_path, "a.dll"), replace=True))
    assert faults(store) == []


def test_another_id_is_a_wrong_id(store, tmp_path):
    other = image(tmp_path / "other", "a.dll", stamp=7)
    (tmp_path / "store" / HOME).write_bytes(other.read_bytes())

    found = faults(store)

    assert [fault.kind for fault in found] == ["changed", "wrong-id"]
    assert found[1].sentence == "its content belongs at a.dll/000000079000/a.dll"
    assert found[1].mend == "move it there, or remove it"


def test_what_is_no_debug_file_any_more_is_a_wrong_id(store, tmp_path):
    (tmp_path / "store" / HOME).write_bytes(b"zeros")

    found = faults(store)

    assert found[1] == Fault("wrong-id", HOME, "it is no debug file any more", "add it again with --replace")


def test_what_a_delete_should_have_removed_is_freed(store, tmp_path):
    store.delete([1])
    place = tmp_path / "store" / HOME
    place.parent.mkdir(parents=True)
    place.write_bytes(image(tmp_path, "a.dll").read_bytes())

    assert faults(store) == [Fault("freed", HOME, "its last holder was deleted", "the next add or delete removes it")]


def test_a_missing_line_is_an_admin_fault(store, tmp_path):
    (tmp_path / "store" / "000Admin" / "server.txt").write_bytes(b"")

    assert faults(store) == [
        Fault(
            "admin",
            "000Admin/server.txt",
            "transaction 0000000001 is live, and has no line",
            "run 'symsrv reindex --admin'",
        )
    ]
    assert store.rewrite_admin() == 1
    assert faults(store) == []


def test_a_damaged_document_is_named(store, tmp_path):
    path = document(1)
    (tmp_path / "store" / path).write_bytes(b'{"format": 1, "lines": 3}\n')

    (fault,) = faults(store)

    assert (fault.kind, fault.path, fault.mend) == ("damaged-document", path, "restore it from a backup")
    assert fault.sentence == "3 entries announced, 0 there"


def test_what_is_derived_is_not_believed(store, tmp_path):
    """The index of this machine may say anything."""
    store.catch_up()
    store.index.drop_files([HOME])
    (tmp_path / "store" / HOME).unlink()

    assert [fault.kind for fault in faults(store)] == ["missing"]
