"""Mending brings back what is gone of 000Admin and refs.ptr, and touches no other line."""

import shutil

from symsrv.store import microsoft
from tests.crash.publishing import draft, image
from tests.store.stores import add_as_symstore_does, faults

REFS = "a.dll/5AB380779000/refs.ptr"


def filled(store, tmp_path):
    """1 is deleted by 4; 2 and 3 are live."""
    store.commit(draft(store, image(tmp_path, "a.dll"), image(tmp_path, "b.dll")))
    store.commit(draft(store, image(tmp_path, "a.dll"), image(tmp_path, "c.dll")))
    store.commit(draft(store, image(tmp_path, "a.dll", payload=b"conflict"), image(tmp_path, "d.dll")))
    store.delete([1])


def derived(store) -> dict[str, bytes]:
    backend = store._backend
    paths = [stat.path for stat in backend.walk() if "000Admin" in stat.path or stat.path.endswith("refs.ptr")]
    return {path: backend.read(path) for path in paths if not path.endswith(".deleted")}


def test_what_was_deleted_comes_back_as_it_was(opened, tmp_path):
    store = opened()
    filled(store, tmp_path)
    before = derived(store)
    shutil.rmtree(tmp_path / "store" / "000Admin")
    for refs in (tmp_path / "store").rglob("refs.ptr"):
        refs.unlink()
    assert {fault.kind for fault in faults(store)} == {"admin"}

    assert store.rewrite_admin() > 0

    assert derived(store) == before
    assert faults(store) == []
    assert store.rewrite_admin() == 0


def test_other_lines_keep_their_bytes_and_their_place(opened, tmp_path):
    add_as_symstore_does(tmp_path / "store", image(tmp_path, "a.dll"))
    store = opened()
    store.commit(draft(store, image(tmp_path, "a.dll")))
    store.commit(draft(store, image(tmp_path, "b.dll")))
    before = derived(store)
    odd = b'0000000001,add,file,08/10/2020,18:50:24,Windows  XP,"1",  odd,'
    for path in (microsoft.HISTORY, microsoft.SERVER):
        lines = before[path].split(b"\r\n")
        store._backend.write(path, b"\r\n".join([odd, *lines[2:]]))
    store._backend.write(REFS, before[REFS].split(b"\r\n")[0])

    assert store.rewrite_admin() == 3

    for path in (microsoft.HISTORY, microsoft.SERVER):
        assert store._backend.read(path).split(b"\r\n") == [odd, *before[path].split(b"\r\n")[1:]]
    assert store._backend.read(REFS) == before[REFS]
    assert faults(store) == []


def test_a_line_that_says_it_in_other_words_is_not_doubled(opened, tmp_path):
    store = opened()
    store.commit(draft(store, image(tmp_path, "a.dll")))
    edited = store._backend.read(microsoft.HISTORY).replace(b'"app"', b'"my app"')
    store._backend.write(microsoft.HISTORY, edited)

    assert store.rewrite_admin() == 0
    assert store._backend.read(microsoft.HISTORY) == edited


def test_what_was_deleted_is_taken_out(opened, tmp_path):
    store = opened()
    store.commit(draft(store, image(tmp_path, "a.dll")))
    store.commit(draft(store, image(tmp_path, "a.dll")))
    server, refs = store._backend.read(microsoft.SERVER), store._backend.read(REFS)
    store.delete([1])
    good = derived(store)
    store._backend.write(microsoft.SERVER, server)
    store._backend.write(REFS, refs)
    assert len(faults(store)) == 2

    assert store.rewrite_admin() == 2

    assert derived(store) == good
    assert faults(store) == []


def test_a_dead_writer_s_work_is_finished_first(opened, tmp_path):
    store = opened()
    filled(store, tmp_path)
    before = derived(store)
    store._backend.write(".symsrv/applied", b"0000000003")
    store._backend.write(microsoft.HISTORY, before[microsoft.HISTORY][:-3])

    store.rewrite_admin()

    assert derived(store) == before


def test_on_a_bucket_it_makes_what_a_share_needs(bucket, opened, tmp_path):
    store, twin = opened(bucket), opened(tmp_path / "twin")
    filled(store, tmp_path)
    filled(twin, tmp_path)

    assert store.rewrite_admin() > 0
    assert sorted(set(derived(twin)) - set(derived(store))) == []
    assert _without_times(store._backend.read(microsoft.HISTORY)) == _without_times(
        twin._backend.read(microsoft.HISTORY)
    )
    assert store._backend.read(REFS) == twin._backend.read(REFS)

    store.delete([2])
    twin.delete([2])
    assert store.rewrite_admin() > 0
    assert _without_times(store._backend.read(microsoft.SERVER)) == _without_times(twin._backend.read(microsoft.SERVER))
    assert microsoft.parse_history(store._backend.read(microsoft.SERVER)).keys() == {3}
    assert store._backend.stat(REFS) is None
    assert store.rewrite_admin() == 0
    assert faults(store) == []


def _without_times(data: bytes) -> list[list[bytes]]:
    return [line.split(b",")[:3] + line.split(b",")[5:] for line in data.split(b"\r\n")]
