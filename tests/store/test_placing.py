"""What becomes of offers in every form and tier: stored, present, replaced or a conflict, by the plain bytes."""

import hashlib
from dataclasses import replace

import pytest

from symsrv.layouts import parse_any
from symsrv.model.errors import ArchiveError
from symsrv.model.records import CAB, Status
from symsrv.packing import members
from symsrv.store import placing
from tests.crash.publishing import draft, image, offer
from tests.store.stores import HOME, content, faults, staged_left

PACKED = HOME[:-1] + "_"


def compressed(store, *paths, **more):
    return replace(draft(store, *paths, **more), compress=True)


def test_a_compressed_offer_lies_at_its_packed_twin_with_both_facts_on_record(opened, anywhere, tmp_path):
    store, path = opened(anywhere), image(tmp_path, "a.dll", payload=b"payload" * 1000)

    (entry,) = store.commit(compressed(store, path)).entries

    plain, packed = path.read_bytes(), content(store, PACKED)
    (tmp_path / "packed").write_bytes(packed)
    assert [(one.name, b"".join(one.pieces())) for one in members(tmp_path / "packed")] == [("a.dll", plain)]
    assert (entry.home, entry.status, entry.encoding) == (PACKED, Status.STORED, CAB)
    assert (entry.size, entry.sha256) == (len(packed), hashlib.sha256(packed).hexdigest())
    assert (entry.plain_size, entry.plain_sha256) == (len(plain), hashlib.sha256(plain).hexdigest())
    assert next(iter(store.documents())).entries == (entry,)
    assert store.look(HOME) is None
    assert staged_left(store) == []
    assert faults(store) == []


def test_refs_ptr_says_that_it_is_compressed(opened, tmp_path):
    store = opened()
    store.commit(compressed(store, image(tmp_path, "a.dll")))

    refs = (tmp_path / "store" / PACKED).with_name("refs.ptr").read_bytes()

    assert refs == b'0000000001,file,"C:\\build\\a.dll",bin,,Y,,'


def test_the_same_file_compressed_twice_is_the_same_cabinet(opened, tmp_path):
    one, two = opened(tmp_path / "one", state="1"), opened(tmp_path / "two", state="2")
    one.commit(compressed(one, image(tmp_path / "now", "a.dll")))
    two.commit(compressed(two, image(tmp_path / "later", "a.dll")))

    assert content(one, PACKED) == content(two, PACKED)


@pytest.mark.parametrize(("first", "then", "where"), [(False, True, HOME), (True, False, PACKED), (True, True, PACKED)])
def test_the_form_that_is_there_counts(opened, anywhere, tmp_path, first, then, where):
    store = opened(anywhere)
    path, other = image(tmp_path, "a.dll"), image(tmp_path / "other", "a.dll", payload=b"other")
    store.commit(replace(draft(store, path), compress=first))

    (present,) = store.commit(replace(draft(store, path), compress=then)).entries
    (conflict,) = store.commit(replace(draft(store, other), compress=then)).entries

    assert (present.status, present.home) == (Status.PRESENT, where)
    assert present.size == store.look(where).size
    assert (conflict.status, conflict.home) == (Status.CONFLICT, where)
    assert conflict.sha256 == hashlib.sha256(other.read_bytes()).hexdigest()
    assert [stat.path for stat in store.files()] == [where]
    assert staged_left(store) == []
    assert faults(store) == []


@pytest.mark.parametrize(("first", "then", "where"), [(False, True, HOME), (True, False, PACKED), (True, True, PACKED)])
def test_a_replacement_takes_the_form_that_is_there(opened, anywhere, tmp_path, first, then, where):
    store = opened(anywhere)
    other = image(tmp_path / "other", "a.dll", payload=b"other")
    store.commit(replace(draft(store, image(tmp_path, "a.dll")), compress=first))

    (entry,) = store.commit(replace(draft(store, other, replace=True), compress=then)).entries

    assert (entry.status, entry.home) == (Status.REPLACED, where)
    store.catch_up()
    assert store.plain(store.find(parse_any(HOME))[0]).read_bytes() == other.read_bytes()
    assert [stat.path for stat in store.files()] == [where]
    assert len(list(store.displaced())) == 1
    assert faults(store) == []


def test_two_offers_of_one_home_in_one_draft(opened, tmp_path):
    store = opened()
    paths = [
        image(tmp_path / "1", "a.dll"),
        image(tmp_path / "2", "a.dll", payload=b"x"),
        image(tmp_path / "3", "a.dll"),
    ]
    store.commit(compressed(store, image(tmp_path, "a.dll", payload=b"old")))

    entries = store.commit(compressed(store, paths[0], paths[0], paths[1], replace=True)).entries

    assert [one.status for one in entries] == [Status.REPLACED, Status.PRESENT, Status.REPLACED]
    store.catch_up()
    assert store.plain(store.find(parse_any(HOME))[0]).read_bytes() == paths[1].read_bytes()
    assert staged_left(store) == []
    assert faults(store) == []


def test_what_was_seen_in_the_store_and_has_gone_is_compressed_when_it_is_needed(opened, tmp_path):
    store, path = opened(), image(tmp_path, "a.dll")
    one = offer(store, path)
    store.discard(one.staged)

    (entry,) = store.commit(replace(draft(store), offers=(replace(one, staged=None),), compress=True)).entries

    assert (entry.home, entry.status) == (PACKED, Status.STORED)
    assert faults(store) == []


def test_what_is_too_long_for_a_cabinet_is_stored_plain(opened, tmp_path, monkeypatch):
    monkeypatch.setattr("symsrv.store.homes.CAB_BYTES", 100)
    store = opened()

    (entry,) = store.commit(compressed(store, image(tmp_path, "a.dll"))).entries

    assert (entry.home, entry.encoding, entry.plain_size) == (HOME, None, None)


def test_what_has_no_packed_twin_is_stored_plain(opened, tmp_path):
    store = opened()

    (entry,) = store.commit(compressed(store, image(tmp_path, "a.dl_"))).entries

    assert (entry.home, entry.encoding) == ("a.dl_/5AB380779000/a.dl_", None)


def test_a_cabinet_that_does_not_give_the_file_back_is_not_stored(opened, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "symsrv.store.unpacking.write_cab", lambda source, target, name: write_wrong(tmp_path, target, name)
    )
    store = opened()

    with pytest.raises(ArchiveError, match="nothing was stored"):
        store.commit(compressed(store, image(tmp_path, "a.dll")))

    assert list(store.files()) == []
    assert staged_left(store) == []
    assert list(store.documents()) == []


def write_wrong(folder, target, name):
    from symsrv.packing import write_cab

    (folder / "wrong").write_bytes(b"wrong")
    write_cab(folder / "wrong", target, name=name)


def test_a_damaged_file_is_a_conflict_and_can_be_replaced(opened, tmp_path):
    store, path = opened(), image(tmp_path, "a.dll")
    target = tmp_path / "store" / PACKED
    target.parent.mkdir(parents=True)
    target.write_bytes(b"MSCF and no more")

    (conflict,) = store.commit(compressed(store, path)).entries
    (replaced,) = store.commit(compressed(store, path, replace=True)).entries

    assert (conflict.status, replaced.status) == (Status.CONFLICT, Status.REPLACED)
    store.catch_up()
    assert store.plain(store.find(parse_any(HOME))[0]).read_bytes() == path.read_bytes()


def test_delete_removes_the_compressed_file_with_its_last_holder(opened, tmp_path):
    store, path = opened(), image(tmp_path, "a.dll")
    store.commit(compressed(store, path))
    store.commit(draft(store, path))

    store.delete([1])
    assert store.look(PACKED) is not None
    store.delete([2])

    assert [one.name for one in (tmp_path / "store").iterdir() if one.name[0] != "."] != []
    assert not (tmp_path / "store" / "a.dll").exists()
    assert faults(store) == []


def test_nothing_is_packed_twice_for_one_commit(opened, tmp_path, monkeypatch):
    calls = []
    inner = placing.pack
    monkeypatch.setattr(placing, "pack", lambda *more, **named: calls.append(1) or inner(*more, **named))
    store = opened()

    store.commit(compressed(store, image(tmp_path, "a.dll"), image(tmp_path, "b.dll")))
    store.commit(compressed(store, image(tmp_path, "a.dll"), image(tmp_path, "b.dll")))

    assert len(calls) == 2
