"""The commit: what becomes of an offer, which number it gets, and that nothing staged is left behind."""

import multiprocessing
import os
from dataclasses import replace

import pytest

from symsrv.backends.disk import Disk
from symsrv.backends.memory import MemoryObjects
from symsrv.backends.objects import ObjectBackend
from symsrv.model.errors import BackendError, NewerFormat, NoSuchTransaction, SourceError
from symsrv.model.records import Status
from symsrv.store import Draft, open_store, places
from tests.crash.publishing import draft, image, offer
from tests.store.stores import HOME, content, faults, pdb, staged_left


def statuses(transaction) -> list[Status]:
    return [entry.status for entry in transaction.entries]


def test_each_outcome_holds_what_it_says_and_leaves_nothing_staged(anywhere, opened, tmp_path):
    store = opened(anywhere)
    first, same = image(tmp_path / "1", "a.dll"), image(tmp_path / "2", "a.dll")
    other = image(tmp_path / "3", "a.dll", payload=b"other")

    outcomes = [
        store.commit(draft(store, first)),
        store.commit(draft(store, same)),
        store.commit(draft(store, other)),
        store.commit(draft(store, other, replace=True)),
    ]

    assert [statuses(one)[0] for one in outcomes] == ["stored", "present", "conflict", "replaced"]
    assert [one.number for one in outcomes] == [1, 2, 3, 4]
    assert content(store) == other.read_bytes()
    assert outcomes[2].entries[0].kept_sha256 == outcomes[0].entries[0].sha256
    assert outcomes[3].entries[0].kept_sha256 == outcomes[0].entries[0].sha256
    assert [stat.size for stat in store.displaced()] == [first.stat().st_size]
    assert staged_left(store) == []
    assert faults(store) == []


def test_private_symbols_take_the_place_of_stripped_ones_and_not_the_other_way(anywhere, opened, tmp_path):
    store = opened(anywhere)
    public, private = pdb(tmp_path / "public", stripped=True), pdb(tmp_path / "private")

    first = store.commit(draft(store, public))
    second = store.commit(draft(store, private))
    third = store.commit(draft(store, public))

    assert [statuses(one)[0] for one in (first, second, third)] == ["stored", "replaced", "conflict"]
    assert content(store, first.entries[0].home) == private.read_bytes()
    assert staged_left(store) == []
    assert faults(store) == []


@pytest.mark.parametrize("replacing", [False, True], ids=["kept", "replaced"])
def test_the_offers_of_one_home_meet_each_other_in_their_order(anywhere, opened, tmp_path, replacing):
    store = opened(anywhere)
    a, b = image(tmp_path / "1", "a.dll", payload=b"A"), image(tmp_path / "2", "a.dll", payload=b"B")
    more = [image(tmp_path / "more", f"m{number}.dll") for number in range(3)]

    done = store.commit(draft(store, a, more[0], b, more[1], a, more[2], replace=replacing))

    wanted = ["stored", "replaced", "replaced"] if replacing else ["stored", "conflict", "present"]
    assert [entry.status for entry in done.entries if entry.home == HOME] == wanted
    assert [entry.home.split("/")[0] for entry in done.entries] == [
        one.name for one in (a, more[0], b, more[1], a, more[2])
    ]
    assert content(store) == a.read_bytes()
    assert staged_left(store) == []
    assert faults(store) == []


def test_what_is_put_back_in_the_same_draft_is_recorded_as_what_lies_there(anywhere, opened, tmp_path):
    store = opened(anywhere)
    a, b = image(tmp_path / "1", "a.dll", payload=b"A"), image(tmp_path / "2", "a.dll", payload=b"B")
    store.commit(draft(store, a))

    back = store.commit(draft(store, b, a, replace=True))

    assert statuses(back) == ["replaced", "replaced"]
    assert content(store) == a.read_bytes()
    assert faults(store) == []


def test_better_symbols_in_one_draft_are_found_once(opened, tmp_path):
    store = opened()
    store.commit(draft(store, pdb(tmp_path / "public", stripped=True)))
    one, two = pdb(tmp_path / "one"), pdb(tmp_path / "two", more=b"other")

    done = store.commit(draft(store, one, two, one))

    assert statuses(done) == ["replaced", "conflict", "present"]
    assert content(store, done.entries[0].home) == one.read_bytes()
    assert faults(store) == []


def test_a_file_that_went_since_it_was_seen_is_staged_from_its_source(anywhere, opened, tmp_path):
    store = opened(anywhere)
    path = image(tmp_path, "a.dll")
    seen = replace(offer(store, path), staged=None)

    done = store.commit(Draft((seen,)))

    assert statuses(done) == ["stored"]
    assert content(store) == path.read_bytes()
    assert faults(store) == []


def test_a_source_that_changed_since_it_was_seen_commits_nothing(anywhere, opened, tmp_path):
    store = opened(anywhere)
    path = image(tmp_path, "a.dll")
    offered = offer(store, path)
    store.discard(offered.staged)
    seen = replace(offered, sha256="0" * 64, staged=None)

    with pytest.raises(SourceError, match="changed while it was published") as caught:
        store.commit(Draft((seen,)))

    assert caught.value.transient
    assert list(store.documents()) == []
    assert store.look(HOME) is None
    assert staged_left(store) == []


def test_bytes_staged_late_and_not_needed_are_dropped(opened, over, tmp_path):
    """Between our look and our place another machine put the same, or other, bytes there."""
    for theirs, status in ((b"", "present"), (b"theirs", "conflict")):
        objects = MemoryObjects()
        racing = image(tmp_path / "theirs", "a.dll", payload=theirs)

        class Racing(ObjectBackend):
            def place(self, staged, path, *, replace=False, objects=objects, racing=racing):
                objects.put(path, racing, sha256=None)
                return super().place(staged, path, replace=replace)

        store = over(Racing(objects))
        seen = offer(store, image(tmp_path / "ours", "a.dll"))
        store.discard(seen.staged)

        done = store.commit(Draft((replace(seen, staged=None),)))

        assert statuses(done) == [status]
        assert content(store) == racing.read_bytes()
        assert staged_left(store) == []


def test_what_a_prune_takes_while_we_commit_is_placed_again(over, tmp_path):
    objects = MemoryObjects()

    class Pruned(ObjectBackend):
        def create(self, path, data):
            if path.endswith("2.jsonl"):
                objects.delete(HOME)
            super().create(path, data)

    store = over(Pruned(objects))
    path = image(tmp_path, "a.dll")
    store.commit(draft(store, path))

    seen = replace(offer(store, path), staged=None)
    done = store.commit(Draft((seen, seen)))

    assert statuses(done) == ["present", "present"]
    assert content(store) == path.read_bytes()


def test_a_number_is_above_every_one_that_another_tool_gave(opened, tmp_path):
    store = opened()
    backend = store._backend
    backend.write("000Admin/lastid.txt", b"0000000004")
    assert store.commit(draft(store, image(tmp_path, "a.dll"))).number == 5

    backend.append("000Admin/history.txt", b'\r\n0000000009,add,file,01/01/2020,10:00:00,"p","1","",')
    assert store.commit(draft(store, image(tmp_path, "b.dll"))).number == 10
    assert backend.read("000Admin/lastid.txt") == b"0000000010"


def test_a_number_on_a_bucket_is_the_next_free_one_whatever_the_hint_says(bucket, opened, tmp_path):
    store = opened(bucket)
    for name in ("a.dll", "b.dll", "c.dll"):
        store.commit(draft(store, image(tmp_path, name)))
    store._backend.write("000Admin/lastid.txt", b"0000000001")
    store._backend.write(places.APPLIED, b"0000000001")

    assert store.commit(draft(store, image(tmp_path, "d.dll"))).number == 4
    assert store._backend.read("000Admin/lastid.txt") == b"0000000004"
    assert faults(store) == []


def test_a_number_whose_writer_died_is_a_gap(opened, tmp_path):
    store = opened()
    store.commit(draft(store, image(tmp_path, "a.dll")))
    store._backend.write("000Admin/lastid.txt", b"0000000002")

    assert store.commit(draft(store, image(tmp_path, "b.dll"))).number == 3
    assert [one.number for one in opened(state="other").history()] == [1, 3]
    assert faults(store) == []


def test_a_commit_that_fails_before_its_document_is_none(over, tmp_path):
    class Full(Disk):
        def create(self, path, data):
            if path.endswith(".jsonl"):
                raise BackendError("disk-full", "no room")
            super().create(path, data)

    (tmp_path / "store").mkdir()
    store = over(Full(tmp_path / "store"))
    path = image(tmp_path, "a.dll")

    with pytest.raises(BackendError, match="no room"):
        store.commit(draft(store, path))

    assert list(store.history()) == []
    assert content(store) == path.read_bytes()
    assert staged_left(store) == []


def test_a_delete_is_refused_for_what_is_no_live_add(anywhere, opened, tmp_path):
    store = opened(anywhere)
    store.commit(draft(store, image(tmp_path, "a.dll")))
    store.commit(draft(store, image(tmp_path, "b.dll")))
    assert [one.number for one in store.delete([1, 1])] == [3]

    for number in (1, 3, 99, 0):
        with pytest.raises(NoSuchTransaction, match="symsrv history"):
            store.delete([2, number])

    assert [one.number for one in store.history()] == [1, 2, 3]


def test_a_delete_takes_what_nobody_else_holds(opened, tmp_path):
    store = opened()
    a, b = image(tmp_path, "a.dll"), image(tmp_path, "b.dll")
    store.commit(draft(store, a, b))
    store.commit(draft(store, a))

    assert store.would_free(1) == {HOME: False, "b.dll/5AB380779000/b.dll": True}
    assert store.would_free(2, after=[1]) == {HOME: True}
    store.delete([1], comment="why", who="me")

    assert store.look(HOME) is not None
    assert not (tmp_path / "store" / "b.dll").exists()
    assert store._backend.read("a.dll/5AB380779000/refs.ptr").startswith(b"0000000002,")
    store.delete([2])
    assert not (tmp_path / "store" / "a.dll").exists()
    assert faults(store) == []


def test_a_delete_takes_a_pdb_from_beside_its_text_symbols_and_the_other_way_round(opened, tmp_path):
    home = "made.pdb/131211101514171618191A1B1C1D1E1F1"
    pdb(tmp_path)
    (tmp_path / "made.sym").write_text(f"MODULE windows x86 {home.split('/')[1]} made.pdb\nPUBLIC 1 0 main\n")

    for first, second in (("made.pdb", "made.sym"), ("made.sym", "made.pdb")):
        store = opened()
        numbers = [store.commit(draft(store, tmp_path / one)).number for one in (first, second)]
        store.delete(numbers[:1])
        assert store.look(f"{home}/{first}") is None
        assert store.look(f"{home}/{second}") is not None
        store.delete(numbers[1:])
        assert not (tmp_path / "store" / "made.pdb").exists()


def test_a_delete_on_a_bucket_leaves_the_objects_for_prune(bucket, opened, tmp_path):
    store = opened(bucket)
    store.commit(draft(store, image(tmp_path, "a.dll")))
    listed = store._backend.read("000Admin/0000000001")

    store.delete([1])

    assert store.look(HOME) is not None
    assert store._backend.read("000Admin/0000000001") == store._backend.read("000Admin/0000000002") == b""
    assert store._backend.read("000Admin/0000000001.deleted") == listed
    assert faults(store) == []


def test_a_newer_store_is_not_touched(anywhere, opened, tmp_path):
    store = opened(anywhere)
    backend = store._backend
    backend.write(places.FORMAT_FILE, b'{"format": 2, "id": "0"}')

    with pytest.raises(NewerFormat, match="use the version that wrote it"):
        open_store(anywhere, create=True, state=tmp_path / "state")

    assert [stat.path for stat in backend.walk()] == []


def test_a_newer_document_stops_a_writer_before_it_writes(anywhere, opened, tmp_path):
    store = opened(anywhere)
    store.commit(draft(store, image(tmp_path, "a.dll")))
    store._backend.create(places.document(2), b'{"format": 2, "number": 2, "lines": 0}\n')
    before = {stat.path: stat.modified_ns for stat in store._backend.walk()}

    with pytest.raises(NewerFormat):
        store.commit(draft(store, image(tmp_path, "b.dll")))

    assert {stat.path: stat.modified_ns for stat in store._backend.walk()} == before


def _write(folder, who, count):
    store = open_store(str(folder / "store"), create=True, state=folder / f"state-{who}")
    for number in range(count):
        shared = image(folder / f"build-{who}", "shared.dll")
        own = image(folder / f"build-{who}", f"w{who}n{number}.dll")
        store.commit(draft(store, shared, own))
    store.close()


def test_eight_processes_share_a_store(opened, tmp_path):
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write, args=(tmp_path, who, 3)) for who in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)

    store = opened()
    assert [writer.exitcode for writer in writers] == [0] * 8
    assert [one.number for one in store.history()] == list(range(1, 25))
    assert len(list(store.files())) == 25
    assert len(store.index.holders(["shared.dll/5AB380779000/shared.dll"]).popitem()[1]) == 24
    assert staged_left(store) == []
    assert faults(store) == []


@pytest.mark.skipif(not hasattr(os, "link"), reason="no links here")
def test_a_link_at_a_home_is_a_conflict_and_is_not_followed(opened, tmp_path):
    store = opened()
    outside = tmp_path / "outside.dll"
    outside.write_bytes(b"secret")
    home = tmp_path / "store" / HOME
    home.parent.mkdir(parents=True)
    home.symlink_to(outside)

    done = store.commit(draft(store, image(tmp_path, "a.dll")))

    assert statuses(done) == ["conflict"]
    assert outside.read_bytes() == b"secret"


def test_a_slower_writer_on_a_bucket_leaves_no_lower_last_number(bucket, opened, tmp_path, monkeypatch):
    slow, fast = opened(bucket), opened(bucket)
    slow.commit(draft(slow, image(tmp_path, "a.dll")))
    backend, ordinary, met = slow._backend, slow._backend.write, []

    def write(path, data):
        if path.endswith("lastid.txt") and not met:
            met.append(fast.commit(draft(fast, image(tmp_path, "c.dll"))).number)
        ordinary(path, data)

    monkeypatch.setattr(backend, "write", write)
    done = slow.commit(draft(slow, image(tmp_path, "b.dll")))

    assert (done.number, met) == (2, [3])
    assert fast._backend.read("000Admin/lastid.txt") == b"0000000003"
    assert faults(fast) == []
