"""What an upstream deleted goes here, too, and nothing else does."""

from pathlib import Path

import pytest

from symsrv.ingest import Source, publish
from symsrv.layouts import parse_any
from symsrv.mirror.settings import UpstreamOptions
from symsrv.mirror.withdrawing import withdraw
from symsrv.model.wants import want_key
from symsrv.store import open_store
from tests.mirror.test_tail import key, pdb

OPTIONS = UpstreamOptions(name="up", url="https://up.example/symbols", tag="theirs")


@pytest.fixture
def store(tmp_path):
    one = open_store(str(tmp_path / "store"), create=True, state=tmp_path / "state")
    yield one
    one.close()


@pytest.fixture
def pulled(store, tmp_path):
    """Publishes files as the puller does, or with another URL as somebody else."""

    def put(*numbers, url=OPTIONS.url, compress=False):
        sources = []
        for number in numbers:
            name, data = pdb(f"f{number}.pdb", number)
            path = tmp_path / f"{number}.part"
            path.write_bytes(data)
            where = f"{url}/{key(name, number)}"
            sources.append(Source(path, where, name=name, origin=where))
        return publish(store, sources, product="up", compress=compress).transaction

    return put


def keys(*numbers):
    return [want_key(parse_any(key(f"f{number}.pdb", number))) for number in numbers]


def here(store, *numbers):
    return [number for number in numbers if store.find(parse_any(key(f"f{number}.pdb", number)))]


def test_a_transaction_goes_when_all_of_it_is_gone_there(store, pulled):
    pulled(1, 2)

    assert withdraw(store, OPTIONS, keys(1, 2), number=7) == [1]

    assert here(store, 1, 2) == []
    last = list(store.history())[-1]
    assert (last.comment, last.who) == ("transaction 0000000007 was deleted at up", "tail:up")


@pytest.mark.parametrize("compress", [False, True])
def test_other_files_of_a_transaction_stay(store, pulled, compress):
    pulled(1, 2, 3, compress=compress)

    assert withdraw(store, OPTIONS, keys(2), number=7) == [1]

    assert here(store, 1, 2, 3) == [1, 3]
    add, again, _delete = store.history()
    assert (add.deleted_by, again.deleted_by, again.product, again.tag) == (3, None, "up", "theirs")
    assert {Path(entry.source).name for entry in store.index.entries(2)} == {"f1.pdb", "f3.pdb"}
    assert all(entry.source.startswith(OPTIONS.url) for entry in store.index.entries(2))
    assert withdraw(store, OPTIONS, keys(1, 3), number=8) == [2]
    assert here(store, 1, 2, 3) == []


def test_what_somebody_else_published_stays(store, pulled):
    pulled(1, url="https://up.example.org/symbols")
    pulled(1, 2)
    pulled(2, url="https://other.example")

    assert withdraw(store, OPTIONS, keys(1, 2), number=7) == [2]

    assert here(store, 1, 2) == [1, 2]


def test_what_is_not_here_is_nothing_to_delete(store, pulled):
    pulled(1)

    assert withdraw(store, OPTIONS, keys(2), number=7) == []
    assert withdraw(store, OPTIONS, [], number=7) == []
    assert withdraw(store, OPTIONS, keys(1), number=7) == [1]
    assert withdraw(store, OPTIONS, keys(1), number=7) == []


def test_a_transaction_stays_when_a_file_in_it_cannot_be_read(store, pulled):
    pulled(1, 2)
    Path(store.url, key("f2.pdb", 2)).unlink()

    assert withdraw(store, OPTIONS, keys(1), number=7) == []
    assert here(store, 1) == [1]
