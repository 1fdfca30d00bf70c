"""Care looks at a store through an index that was read just now, and mends under the lock."""

import pytest

from symsrv.backends.disk import Disk
from symsrv.ledger.index import Index
from symsrv.model.errors import StoreLocked
from symsrv.store import SymbolStore, microsoft
from tests.crash.publishing import draft, image
from tests.store.stores import HOME, add_as_symstore_does


@pytest.fixture
def index():
    one = Index("sqlite://")
    yield one
    one.close()


def test_a_repair_waits_for_the_lock_and_a_dry_run_does_not(opened, tmp_path, index):
    add_as_symstore_does(tmp_path / "store", image(tmp_path, "a.dll"))
    (tmp_path / "store" / microsoft.LASTID).write_bytes(b"0000000000")
    store = SymbolStore(Disk(tmp_path / "store"), index_url="sqlite://", lock_seconds=0.05)

    with Disk(tmp_path / "store").lock(timeout_seconds=1):
        assert [mend.path for mend in store.care.repair(index, dry_run=True)] == [microsoft.LASTID]
        with pytest.raises(StoreLocked):
            list(store.care.repair(index, dry_run=False))
    assert not (tmp_path / "store" / ".symsrv" / "displaced").exists()
    store.close()


def test_a_repair_finishes_a_dead_writer_s_work_first(opened, tmp_path, index):
    store = opened()
    store.commit(draft(store, image(tmp_path, "a.dll")))
    backend = store._backend
    backend.write(".symsrv/applied", b"0000000000")
    backend.write(microsoft.HISTORY, b"")

    assert list(store.care.repair(index, dry_run=False)) == []
    assert microsoft.parse_history(backend.read(microsoft.HISTORY)).keys() == {1}


def test_what_is_still_named_is_told(opened, tmp_path, index):
    add_as_symstore_does(tmp_path / "store", image(tmp_path, "a.dll"))
    care = opened().care

    assert list(care.read_into(index)) == []
    assert care.still_named(HOME, index)
    assert not care.still_named("b.dll/1/b.dll", index)
    assert list(care.damage(index)) == []
    assert list(care.admin_faults(index)) == []
    assert care.broken(HOME) is None
