"""A repair yields what it did, a dry run what it would do, and a second run nothing."""

from symsrv.store import open_store
from symsrv.upkeep.repair import Repair, repair
from tests.crash.publishing import image
from tests.store.stores import add_as_symstore_does


def test_what_is_done_is_told_once(tmp_path):
    root = tmp_path / "store"
    add_as_symstore_does(root, image(tmp_path, "a.dll"))
    (root / "000Admin" / "lastid.txt").write_bytes(b"")
    store = open_store(str(root), state=tmp_path / "state")
    step = Repair("000Admin/lastid.txt", "it says 0000000001 now")

    assert list(repair(store, dry_run=True)) == [step]
    assert (root / "000Admin" / "lastid.txt").read_bytes() == b""
    assert list(repair(store)) == [step]
    assert (root / "000Admin" / "lastid.txt").read_bytes() == b"0000000001"
    assert list(repair(store)) == []
    store.close()


def test_what_one_step_brought_back_tells_the_next(tmp_path):
    root = tmp_path / "store"
    add_as_symstore_does(root, image(tmp_path, "a.dll"))
    server = (root / "000Admin" / "server.txt").read_bytes()
    listed = (root / "000Admin" / "0000000001").read_bytes()
    (root / "000Admin" / "server.txt").unlink()
    (root / "000Admin" / "0000000001").unlink()
    store = open_store(str(root), state=tmp_path / "state")

    mended = [step.path for step in repair(store)]

    assert mended == ["000Admin/0000000001", "000Admin/server.txt"]
    assert (root / "000Admin" / "server.txt").read_bytes() == server
    assert (root / "000Admin" / "0000000001").read_bytes() == listed
    assert list(repair(store)) == []
    store.close()
