"""Publishing what came: in lots, by upstream, without waiting where somebody does."""

import hashlib
import threading
import time
from dataclasses import replace

import pytest

from symsrv.ingest import FileStatus
from symsrv.mirror import publishing as module
from symsrv.mirror.parts import Whole
from symsrv.mirror.publishing import Publisher
from symsrv.mirror.rounds import Arrival
from symsrv.model.errors import StoreLocked
from tests.ingest.files import pdb, place, written
from tests.mirror.wanting import want

PATIENCE = 30


@pytest.fixture
def disk(tmp_path):
    one = place(tmp_path / "store")
    yield one
    one.store.close()


class Heard:
    """What a publisher told, and whether it has to hurry."""

    def __init__(self, store, *, hurry=False, linger=PATIENCE):
        self.batches = []
        self.hurry = hurry
        self.event = threading.Event()
        self.publisher = Publisher(store, self._done, hurry=lambda: self.hurry, linger_seconds=linger)

    def _done(self, batch):
        self.batches.append(batch)
        self.event.set()

    def put(self, *arrivals):
        for one in arrivals:
            self.publisher.put(one)

    def close(self):
        self.publisher.close()
        return [one for batch in self.batches for one in batch]


def came(disk, number, *, upstream="there", data=None, tag=None, **more):
    data = pdb(number) if data is None else data
    path = written(disk.store.arriving / f"{number}-{time.monotonic_ns()}" / "body", data)
    address = f"https://{upstream}/app{number}.pdb"
    sha256 = hashlib.sha256(data).hexdigest()
    whole = Whole("body", f"app{number}.pdb", sha256, len(data), upstream, address, len(data))
    return Arrival(replace(want(number), **more), whole, path, f"https://{upstream}", tag)


def transactions(disk):
    found = sorted(disk.store.documents(), key=lambda one: one.number)
    return [(one.product, one.comment, one.tag, len(one.entries)) for one in found]


def test_what_waits_together_is_one_transaction_for_each_upstream(disk):
    heard = Heard(disk.store)
    heard.put(came(disk, 1), came(disk, 2), came(disk, 3, upstream="other", tag="mirrored"))

    done = heard.close()

    assert [one.result.status for one in done] == [FileStatus.STORED] * 3
    assert transactions(disk) == [
        ("there", "https://there", None, 2),
        ("other", "https://other/app3.pdb", "mirrored", 1),
    ]
    assert len(disk.files()) == 3


def test_what_a_tool_made_says_by_which(disk):
    made = came(disk, 1)
    heard = Heard(disk.store)
    heard.put(replace(made, whole=replace(made.whole, tool="dump_syms 2.3")), came(disk, 2))
    heard.close()

    assert sorted(one[1] for one in transactions(disk)) == ["https://there/app2.pdb", "made by dump_syms 2.3"]


def test_each_file_says_where_it_is_from(disk):
    heard = Heard(disk.store)
    heard.put(came(disk, 1), came(disk, 2))
    heard.close()

    [transaction] = disk.store.documents()
    assert [one.source for one in transaction.entries] == ["https://there/app1.pdb", "https://there/app2.pdb"]


def test_a_defect_leaves_the_files_and_the_thread(disk, monkeypatch, caplog):
    def fail(*_arguments, **_options):
        raise ZeroDivisionError

    heard = Heard(disk.store)
    with monkeypatch.context() as broken:
        broken.setattr(module, "publish", fail)
        heard.hurry = True
        heard.put(came(disk, 1))
        assert heard.event.wait(PATIENCE)
    heard.put(came(disk, 2))

    assert [one.here for one in heard.close()] == [False, True]
    assert "a defect in publishing" in caplog.text


@pytest.mark.parametrize("why", ["hurry", "urgent", "nudge", "linger"])
def test_nobody_is_kept_waiting(disk, why):
    heard = Heard(disk.store, hurry=why == "hurry", linger=0.2 if why == "linger" else PATIENCE)
    began = time.monotonic()

    heard.put(came(disk, 1, urgent=why == "urgent"))
    if why == "nudge":
        heard.hurry = True
        heard.publisher.nudge()

    assert heard.event.wait(PATIENCE / 2)
    assert time.monotonic() - began < PATIENCE / 2
    heard.close()


def test_what_was_staged_without_a_copy_stays_until_it_is_let_go(disk):
    arrival = came(disk, 1)
    heard = Heard(disk.store)
    heard.put(arrival)

    [done] = heard.close()

    home = disk.root / done.result.key
    assert home.samefile(arrival.path)
    arrival.path.unlink()
    assert home.read_bytes() == pdb(1)


def test_a_file_that_the_store_has_is_present(disk):
    for _ in range(2):
        heard = Heard(disk.store)
        heard.put(came(disk, 1))
        [done] = heard.close()

    assert done.here
    assert done.result.status is FileStatus.PRESENT


def test_other_bytes_than_the_stores_are_a_conflict(disk):
    for data in (pdb(1), pdb(1, tail=b"other")):
        heard = Heard(disk.store)
        heard.put(came(disk, 1, data=data))
        [done] = heard.close()

    assert not done.here
    assert done.result.reason == "other-bytes"


def test_a_store_that_refuses_is_told_of_and_leaves_the_files(disk, monkeypatch):
    arrival = came(disk, 1)

    def refuse(_draft):
        raise StoreLocked("somebody else writes")

    monkeypatch.setattr(disk.store, "commit", refuse)
    heard = Heard(disk.store)
    heard.put(arrival)

    [done] = heard.close()

    assert (done.here, done.result, done.error.reason) == (False, None, "locked")
    assert arrival.path.exists()
    assert disk.staged() == []


def test_what_will_be_let_go_of_has_a_transaction_of_its_own(disk):
    heard = Heard(disk.store)

    heard.put(came(disk, 1), came(disk, 2), *(replace(came(disk, number), apart=True) for number in (3, 4)))
    heard.close()

    assert sorted(len(one.entries) for one in disk.store.documents()) == [1, 1, 2]
