"""A compressed store beside the one that symstore.exe wrote, and one of two tiers beside its one-tier twin."""

import pytest

from symsrv.ingest.publish import preview, publish
from symsrv.ingest.results import FileStatus
from symsrv.ingest.sources import discover
from symsrv.layouts import parse_any
from symsrv.store import open_store
from symsrv.upkeep.verify import Tally, verify
from tests.golden.test_symstore_exe import PROG, contents, unpacked
from tests.packing.checks import unpacked as inside

KEY = f"{PROG}/dummyprog.pdb"
CABINET = f"{PROG}/dummyprog.pd_"


@pytest.fixture
def theirs(tmp_path):
    return unpacked("new_store_compressed", tmp_path / "theirs")


@pytest.fixture
def source(theirs, tmp_path):
    """The file that lies compressed in their store."""
    ((name, data),) = inside(theirs / CABINET)
    path = tmp_path / "build" / name
    path.parent.mkdir()
    path.write_bytes(data)
    return path


@pytest.fixture
def opened(tmp_path):
    stores = []

    def open_it(root, **options):
        stores.append(open_store(str(root), create=True, state=tmp_path / "state", **options))
        return stores[-1]

    yield open_it
    for store in stores:
        store.close()


def test_a_compressed_store_is_theirs_but_for_the_method(opened, theirs, source, tmp_path):
    publish(opened(tmp_path / "ours"), discover([str(source)]), product="dummyprod", compress=True)

    expected, made = contents(theirs), contents(tmp_path / "ours")

    ours, real = (one.pop(CABINET) for one in (made, expected))
    assert made == expected
    assert ours[:4] == real[:4] == b"MSCF"
    assert ours[24:36] == real[24:36], "version, one folder, one file, no flags, set 0"
    assert inside(tmp_path / "ours" / CABINET) == [("dummyprog.pdb", source.read_bytes())]


def test_their_compressed_store_is_served_and_added_to(opened, theirs, source):
    store = opened(theirs)
    store.catch_up()

    (file,) = store.find(parse_any(KEY))
    assert (file.home, file.encoding) == (CABINET, "cab")
    assert store.plain(file).read_bytes() == source.read_bytes()
    assert [one.status for one in preview(store, discover([str(source)])).results] == [FileStatus.PRESENT]
    (result,) = publish(store, discover([str(source)])).results
    assert (result.status, result.key) == (FileStatus.PRESENT, CABINET)
    store.delete([1])
    assert store.look(CABINET) is not None
    assert [one for one in verify(store, Tally(), scratch="sqlite://") if one.kind != "admin"] == []


def test_a_store_of_two_tiers_is_the_same_with_a_prefix(opened, source, tmp_path):
    for name, options in (("one", {}), ("two", {"two_tier": True})):
        publish(opened(tmp_path / name, **options), discover([str(source)]), product="dummyprod")

    one, two = contents(tmp_path / "one"), contents(tmp_path / "two")

    assert two.pop("index2.txt") == b""
    assert two == {f"du/{path}" if path.startswith("dummyprog") else path: data for path, data in one.items()}
