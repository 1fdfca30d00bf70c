"""Many sources, one transaction."""

import getpass
import sys
import threading
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor

import pytest

from symsrv.ingest.drafting import Drafting
from symsrv.ingest.publish import preview, publish
from symsrv.ingest.results import FileStatus
from symsrv.ingest.sources import Source, discover
from symsrv.model.errors import BackendError, SourceError
from tests.ingest.files import build, cabinet, damaged, elf, pdb, pe, tarred, written, zipped
from tests.made.macho_builder import build_macho
from tests.made.pdb_builder import MINI, build_pdb, info_stream

STORED, PRESENT, IGNORED = FileStatus.STORED, FileStatus.PRESENT, FileStatus.IGNORED


def statuses(receipt) -> list[str]:
    return [result.status.value for result in receipt.results]


def test_a_folder_becomes_one_transaction(disk, tmp_path):
    out = build(tmp_path / "out", numbers=range(1, 4))

    receipt = publish(disk.store, discover([str(out)]), product="app", version="1.0", comment="nightly", tag="main")

    assert receipt.transaction == 1
    assert receipt.to_record() == {
        "type": "summary",
        "transaction": "0000000001",
        "stored": 9,
        "present": 0,
        "ignored": 1,
        "conflicts": 0,
        "errors": 0,
    }
    assert disk.files()["app2.pdb/000000021514171618191A1B1C1D1E1F1/app2.pdb"] == pdb(2)
    (transaction,) = disk.store.documents()
    assert (transaction.product, transaction.version, transaction.comment, transaction.tag) == (
        "app",
        "1.0",
        "nightly",
        "main",
    )
    assert "@" in transaction.who
    assert disk.staged() == []


def test_results_come_in_the_order_of_the_sources(disk, tmp_path):
    out = build(tmp_path / "out", numbers=range(1, 40))
    heard = []

    receipt = publish(disk.store, discover([str(out)]), threads=4, on_result=heard.append)

    assert [result.path for result in receipt.results] == [source.label for source in discover([str(out)])]
    assert tuple(heard) == receipt.results
    assert all(result.key.startswith(result.path.rsplit("/", 1)[-1]) for result in receipt.results if result.key)


def test_publishing_again_stores_nothing_and_still_holds(disk, tmp_path):
    out = build(tmp_path / "out")
    publish(disk.store, discover([str(out)]))

    receipt = publish(disk.store, discover([str(out)]))

    assert receipt.transaction == 2
    assert (receipt.count(PRESENT), receipt.count(STORED)) == (3, 0)
    assert len(list(disk.store.documents())[1].entries) == 3


def test_the_same_file_twice_in_one_add_is_stored_and_present(disk, tmp_path):
    written(tmp_path / "x" / "app.exe", pe())
    written(tmp_path / "y" / "app.exe", pe())

    receipt = publish(disk.store, discover([str(tmp_path / "x"), str(tmp_path / "y")]))

    assert statuses(receipt) == ["stored", "present"]
    assert disk.staged() == []


def test_other_bytes_under_one_key_in_one_add_are_a_conflict(disk, tmp_path):
    written(tmp_path / "x" / "app.exe", pe())
    written(tmp_path / "y" / "app.exe", pe(tail=b"signed"))

    receipt = publish(disk.store, discover([str(tmp_path / "x"), str(tmp_path / "y")]))

    assert statuses(receipt) == ["stored", "conflict"]
    assert receipt.results[1].reason == "other-bytes"
    assert receipt.failed == 1
    assert str(receipt) == "transaction 0000000001: 1 stored, 0 present, 0 ignored, 1 conflict"
    assert disk.files() == {"app.exe/100000013000/app.exe": pe()}
    assert disk.staged() == []


def test_replace_puts_the_new_bytes_there(disk, tmp_path):
    path = written(tmp_path / "app.exe", pe())
    publish(disk.store, discover([str(path)]))
    written(path, pe(tail=b"signed"))

    refused = publish(disk.store, discover([str(path)]))
    replaced = publish(disk.store, discover([str(path)]), replace=True)

    assert statuses(refused) == ["conflict"]
    assert statuses(replaced) == ["stored"]
    assert replaced.results[0].replaced
    assert disk.files() == {"app.exe/100000013000/app.exe": pe(tail=b"signed")}


def test_one_bad_file_never_stops_the_others(disk, tmp_path):
    out = build(tmp_path / "out")
    written(out / "broken.pdb", pdb()[:5000])
    sources = [*discover([str(out)]), Source(out / "x", "x", SourceError("no-such-file", "x is not there"))]

    receipt = publish(disk.store, sources)

    assert sorted(statuses(receipt)) == ["error", "error", "ignored", "stored", "stored", "stored"]
    assert receipt.transaction == 1


def test_nothing_to_offer_is_no_transaction(disk, tmp_path):
    written(tmp_path / "out" / "notes.txt", b"text")

    receipt = publish(disk.store, discover([str(tmp_path / "out")]))

    assert receipt.transaction is None
    assert receipt.to_record()["transaction"] is None
    assert str(receipt) == "no transaction: 0 stored, 0 present, 1 ignored"
    assert disk.documents() == 0


class Refusing:
    """A store that refuses at one point."""

    def __init__(self, store, *, stage_fails_at: int = 0, commit_fails: bool = False):
        self.store, self.stage_fails_at, self.commit_fails = store, stage_fails_at, commit_fails
        self.look, self.holds_same, self.discard = store.look, store.holds_same, store.discard
        self.staged = 0
        self.lock = threading.Lock()

    def stage(self, path):
        with self.lock:
            self.staged += 1
            if self.staged == self.stage_fails_at:
                raise BackendError("disk-full", "the disk is full")
        return self.store.stage(path)

    def commit(self, draft):
        if self.commit_fails:
            raise BackendError("disk-full", "the disk is full")
        return self.store.commit(draft)


@pytest.mark.parametrize("how", [{"stage_fails_at": 1}, {"stage_fails_at": 40}, {"commit_fails": True}])
def test_a_full_disk_leaves_nothing_behind(disk, tmp_path, how):
    out = build(tmp_path / "out", numbers=range(1, 40))

    with pytest.raises(BackendError, match="full"):
        publish(Refusing(disk.store, **how), discover([str(out)]))

    assert disk.files() == {}
    assert disk.staged() == []
    assert disk.documents() == 0


def test_an_interrupt_leaves_nothing_behind(disk, tmp_path):
    out = build(tmp_path / "out", numbers=range(1, 80))

    def sources():
        for number, source in enumerate(discover([str(out)])):
            if number == 150:
                raise KeyboardInterrupt
            yield source

    with pytest.raises(KeyboardInterrupt):
        publish(disk.store, sources(), threads=2)

    assert disk.staged() == []
    assert disk.documents() == 0


def finished(name) -> None:
    """Waits for a thread that the pool does not know, so that what it leaves is there."""
    for thread in threading.enumerate():
        if thread.name == name:
            thread.join(10)


class Slow:
    """A store that takes its time."""

    def __init__(self, store):
        self.store, self.look, self.holds_same, self.discard = store, store.look, store.holds_same, store.discard

    def stage(self, path):
        time.sleep(0.2)
        return self.store.stage(path)

    def commit(self, draft):
        time.sleep(0.2)
        return self.store.commit(draft)


@pytest.mark.parametrize("interrupted", ["publish_0", "publish_3", "commit_0"])
def test_an_interrupt_while_a_thread_starts_leaves_nothing_staged(disk, tmp_path, monkeypatch, interrupted):
    out = build(tmp_path / "out", numbers=range(1, 4))
    real = threading.Thread.start

    def start(thread):
        real(thread)
        if thread.name == interrupted:
            raise KeyboardInterrupt  # as a signal in the wait for the new thread does: the pool never hears of it

    monkeypatch.setattr(threading.Thread, "start", start)

    with pytest.raises(KeyboardInterrupt):
        publish(Slow(disk.store), discover([str(out)]))

    finished(interrupted)
    assert disk.staged() == []
    assert len(disk.files()) == 9 * disk.documents()


def test_an_interrupt_between_submitting_and_noting_leaves_nothing_staged(disk, tmp_path, monkeypatch):
    out = build(tmp_path / "out", numbers=range(1, 4))

    class Interrupted(ThreadPoolExecutor):
        def submit(self, *arguments):
            super().submit(*arguments)
            raise KeyboardInterrupt

    monkeypatch.setattr(sys.modules[Drafting.__module__], "ThreadPoolExecutor", Interrupted)

    with pytest.raises(KeyboardInterrupt):
        publish(Slow(disk.store), discover([str(out)]))

    assert disk.staged() == []
    assert disk.documents() == 0


def test_sources_are_taken_as_they_are_needed(disk, tmp_path):
    out = build(tmp_path / "out")
    ready, taken, most = 0, 0, 0

    def sources():
        nonlocal taken, most
        for _ in range(300):
            taken += 1
            most = max(most, taken - ready)
            yield Source(out / "notes.txt", "notes.txt")

    def one_more():
        nonlocal ready
        ready += 1

    publish(disk.store, sources(), threads=2, on_file=one_more)

    assert (ready, taken) == (300, 300)
    assert most <= 2 * 16 + 1


def test_a_preview_says_the_same_and_writes_nothing(disk, tmp_path):
    out = build(tmp_path / "out")
    publish(disk.store, discover([str(out / "app1.pdb")]))
    written(out / "app1.pdb", pdb(tail=b"signed"))
    written(out / "z" / "app1.exe", pe(1, tail=b"other"))

    foreseen = preview(disk.store, discover([str(out)]))

    assert disk.documents() == 1
    assert foreseen.transaction is None
    assert statuses(foreseen) == statuses(publish(disk.store, discover([str(out)])))
    with_replace = preview(disk.store, discover([str(out)]), replace=True)
    assert [result.replaced for result in with_replace.results] == [False, True, False, False, True]


def test_a_preview_needs_no_store(tmp_path):
    written(tmp_path / "x" / "a.so", elf())
    written(tmp_path / "y" / "a.so", elf())

    assert statuses(preview(None, discover([str(tmp_path)]))) == ["stored", "present"]


def test_a_user_without_a_name_publishes_too(disk, tmp_path, monkeypatch):
    def nameless():
        raise KeyError("getpwuid(): uid not found: 4711")

    monkeypatch.setattr(getpass, "getuser", nameless)

    publish(disk.store, discover([str(written(tmp_path / "a.so", elf()))]))

    assert next(iter(disk.store.documents())).who.startswith("unknown@")


@pytest.mark.parametrize(
    ("name", "made"), [("a.zip", zipped), ("a.tar", tarred), ("a.tgz", lambda members: tarred(members, mode="w:gz"))]
)
def test_an_archive_stands_for_its_members(disk, tmp_path, spools, name, made):
    members = {"bin/app1.exe": pe(), "bin/app1.pdb": pdb(), "dSYM/a.so": elf(), "readme.txt": b"no debug file"}
    path = written(tmp_path / "out" / name, made(members))

    receipt = publish(disk.store, [*discover([str(path)])])

    assert statuses(receipt) == ["stored", "stored", "stored", "ignored"]
    assert receipt.results[1].path == f"{path}!bin/app1.pdb"
    assert disk.files()["app1.pdb/000000011514171618191A1B1C1D1E1F1/app1.pdb"] == pdb()
    (transaction,) = disk.store.documents()
    assert transaction.entries[0].source == f"{path}!bin/app1.exe"
    assert list(spools.iterdir()) == []
    assert disk.staged() == []


def test_members_that_the_store_has_are_present(disk, tmp_path, spools):
    path = written(tmp_path / "a.zip", zipped({"app.exe": pe(), "app.so": elf()}))
    publish(disk.store, discover([str(path)]))

    assert statuses(publish(disk.store, discover([str(path)]))) == ["present", "present"]
    assert disk.staged() == []


def test_a_receipt_knows_whose_the_results_are(disk, tmp_path, spools):
    sources = [
        Source(written(tmp_path / "a.exe", pe(1)), "a.exe"),
        Source(written(tmp_path / "b.zip", zipped({"b.exe": pe(2), "c.exe": pe(3)})), "b.zip"),
        Source(written(tmp_path / "d.zip", zipped({})), "d.zip"),
    ]

    receipt = publish(disk.store, sources)

    assert [[one.path for one in own] for own in receipt.of_sources()] == [
        ["a.exe"],
        ["b.zip!b.exe", "b.zip!c.exe"],
        ["d.zip"],
    ]


def hostile(tmp_path):
    """An archive with a member that is damaged, beside a file that is well."""
    members = {"one.exe": pe(1), "bad.exe": pe(2), "notes.txt": b"text", "two.so": elf(1)}
    data = damaged(zipped(members, method=zipfile.ZIP_STORED), pe(2))
    return discover([str(written(tmp_path / "a.zip", data)), str(written(tmp_path / "ok.so", elf(2)))])


def test_the_good_members_of_a_bad_archive_are_published(disk, tmp_path, spools):
    receipt = publish(disk.store, hostile(tmp_path))

    assert statuses(receipt) == ["stored", "error", "ignored", "stored", "stored"]
    assert receipt.results[1].reason == "archive-damaged"


def test_with_strict_nothing_of_a_bad_archive_is_published(disk, tmp_path, spools):
    receipt = publish(disk.store, hostile(tmp_path), strict=True)

    assert statuses(receipt) == ["error", "error", "ignored", "error", "stored"]
    assert [result.reason for result in receipt.results[:2]] == ["archive-incomplete", "archive-damaged"]
    assert "a.zip" in receipt.results[0].sentence
    assert [path.split("/")[0] for path in disk.files()] == ["ok.so"]
    assert disk.staged() == []


def test_a_preview_says_the_same_of_archives(disk, tmp_path, spools):
    for strict in (False, True):
        foreseen = preview(disk.store, hostile(tmp_path), strict=strict)
        assert foreseen.failed == 1 + 2 * strict
        assert disk.documents() == 0
    assert list(spools.iterdir()) == []
    assert statuses(preview(disk.store, hostile(tmp_path))) == statuses(publish(disk.store, hostile(tmp_path)))


def test_a_store_that_refuses_a_member_leaves_nothing(disk, tmp_path, spools):
    path = written(tmp_path / "a.zip", zipped({f"{number}.exe": pe(number) for number in range(1, 40)}))

    with pytest.raises(BackendError, match="full"):
        publish(Refusing(disk.store, stage_fails_at=20), discover([str(path)]))

    assert list(spools.iterdir()) == []
    assert disk.staged() == []


def test_a_debug_file_that_looks_like_an_archive_is_a_debug_file(disk, tmp_path, spools):
    path = written(tmp_path / "app.exe", pe() + zipped({"other.exe": pe(2)}))

    assert statuses(publish(disk.store, discover([str(path)]))) == ["stored"]
    assert len(disk.files()) == 1


def test_a_compilers_database_is_ignored_whatever_is_in_it(disk, tmp_path):
    path = written(tmp_path / "vc143.idb", pdb())

    (result,) = publish(disk.store, discover([str(path)])).results

    assert (result.status, result.reason) == (IGNORED, "not-symbols")


def test_a_fastlink_pdb_is_ignored_with_what_would_mend_it(disk, tmp_path):
    path = written(tmp_path / "app.pdb", build_pdb(info=info_stream(features=(20140508, MINI))))

    (result,) = publish(disk.store, discover([str(path)])).results

    assert (result.status, result.reason) == (IGNORED, "fastlink")
    assert "/DEBUG:FULL" in result.sentence


def test_a_packed_twin_is_stored_plain_under_its_own_name(disk, tmp_path, spools):
    path = written(tmp_path / "app.pd_", cabinet("app.pdb", pdb()))

    (result,) = publish(disk.store, discover([str(path)])).results

    assert (result.path, result.status) == (f"{path}!app.pdb", STORED)
    assert disk.files() == {"app.pdb/000000011514171618191A1B1C1D1E1F1/app.pdb": pdb()}


def test_a_dsym_in_a_zip_is_found(disk, tmp_path, spools):
    members = {"App.dSYM/Contents/Info.plist": b"<plist>", "App.dSYM/Contents/Resources/DWARF/App": build_macho()}
    path = written(tmp_path / "App.dSYM.zip", zipped(members))

    receipt = publish(disk.store, discover([str(path)]))

    assert statuses(receipt) == ["ignored", "stored"]
    assert receipt.results[1].path.endswith("DWARF/App")


def test_what_was_unpacked_is_as_new_as_any_other_file(disk, tmp_path, spools):
    before = time.time() - 5
    publish(disk.store, discover([str(written(tmp_path / "a.zip", zipped({"app.exe": pe()})))]))

    stored = disk.root / "app.exe" / "100000013000" / "app.exe"
    assert stored.stat().st_mtime > before


def test_new_files_are_kept_as_cabinets_and_told_by_their_own_hash(disk, tmp_path):
    out = build(tmp_path / "out")
    plain = {result.path: result.sha256 for result in preview(None, discover([str(out)])).results}

    receipt = publish(disk.store, discover([str(out)]), compress=True)

    kept = [result for result in receipt.results if result.status is STORED]
    assert kept
    assert all(result.key.endswith("_") for result in kept)
    assert {result.path: result.sha256 for result in receipt.results} == plain
    again = preview(disk.store, discover([str(out)]))
    assert [one.status for one in again.results if one.key] == [PRESENT] * len(kept)
    assert {one.key for one in again.results} == {one.key for one in receipt.results}
