"""Drafting archives: what lies inside in the place of the archive, and no more spooled files than need be."""

import threading

import pytest

from symsrv.ingest import drafting as drafting_module
from symsrv.ingest.draft import Packed, foresee
from symsrv.ingest.drafting import WAITING_PER_THREAD, Drafting
from symsrv.ingest.results import FileResult, FileStatus
from symsrv.ingest.sources import Source
from tests.ingest.files import elf, pdb, pe, written, zipped


def drafting(work=None, *, threads=2, discard=None, on_file=None):
    return Drafting(work or (lambda source: foresee(None, source)), discard, threads=threads, on_file=on_file)


def alive(spools) -> int:
    return sum(path.is_file() for path in spools.rglob("*"))


def test_members_stand_in_the_place_of_their_archive(tmp_path, spools):
    inner = zipped({"deep.so": elf(2)})
    paths = [
        written(tmp_path / "a.exe", pe(1)),
        written(tmp_path / "b.zip", zipped({"x.exe": pe(2), "in.zip": inner, "readme.txt": b"text", "y.pdb": pdb()})),
        written(tmp_path / "c.so", elf(1)),
    ]
    heard = []

    with drafting(on_file=lambda: heard.append(1)) as drafts:
        slots = drafts.run(Source(path, path.name) for path in paths)

    assert [one.label for slot in slots for one in slot] == [
        "a.exe",
        "b.zip!x.exe",
        "b.zip!in.zip!deep.so",
        "b.zip!readme.txt",
        "b.zip!y.pdb",
        "c.so",
    ]
    assert [slot.attempts for slot in slots] == [0, 1, 0]
    assert len(heard) == 6
    assert list(spools.iterdir()) == []


def test_spooled_files_are_few_however_many_members_there_are(tmp_path, spools):
    members = {f"{number}.zip": zipped({"app.exe": pe(number)}) for number in range(1, 150)}
    path = written(tmp_path / "a.zip", zipped(members))
    most = 0
    lock = threading.Lock()

    def work(source):
        nonlocal most
        with lock:
            most = max(most, alive(spools))
        return foresee(None, source)

    with drafting(work) as drafts:
        (slot,) = drafts.run([Source(path, "a.zip")])

    assert sum(one.outcome.status is FileStatus.STORED for one in slot) == 149
    assert most <= 3 * 2 * WAITING_PER_THREAD
    assert list(spools.iterdir()) == []


def test_a_spooled_file_is_gone_when_it_was_drafted(tmp_path, spools):
    path = written(tmp_path / "a.zip", zipped({"app.exe": pe(), "app.pdb": pdb()}))
    seen = []

    def work(source):
        if not source.spooled:
            return Packed(source)
        seen.append(source.path)
        if source.name == "app.pdb":
            raise ValueError("something is wrong")
        return FileResult(source.label, FileStatus.STORED)

    with pytest.raises(ValueError, match="wrong"), drafting(work, threads=1) as drafts:
        drafts.run([Source(path, "a.zip")])

    assert len(seen) == 2
    assert list(spools.iterdir()) == []


def test_an_interrupt_while_unpacking_leaves_nothing(tmp_path, spools):
    path = written(tmp_path / "a.zip", zipped({f"{number}.exe": pe(number) for number in range(1, 100)}))

    def interrupted():
        interrupted.count += 1
        if interrupted.count == 20:
            raise KeyboardInterrupt

    interrupted.count = 0

    with pytest.raises(KeyboardInterrupt), drafting(on_file=interrupted) as drafts:
        drafts.run([Source(path, "a.zip")])

    assert list(spools.iterdir()) == []


class Changing:
    """Puts another archive in the place of one while it is unpacked, so many times."""

    def __init__(self, path, times):
        self.path, self.times = path, times

    def __call__(self, source):
        if source.spooled and self.times:
            self.times -= 1
            other = written(self.path.with_suffix(".new"), zipped({f"{n}.exe": pe(n) for n in range(1, 40)}))
            other.replace(self.path)
        return foresee(None, source)


def test_an_archive_that_changed_is_unpacked_anew(tmp_path, spools):
    path = written(tmp_path / "a.zip", zipped({f"{n}.exe": pe(n) for n in range(1, 60)}))

    with drafting(Changing(path, 1), threads=1) as drafts:
        (slot,) = drafts.run([Source(path, "a.zip")])

    assert [one.label for one in slot] == [f"a.zip!{n}.exe" for n in range(1, 40)]
    assert slot.attempts == 2


def test_an_archive_that_never_holds_still_is_given_up(tmp_path, spools):
    path = written(tmp_path / "a.zip", zipped({f"{n}.exe": pe(n) for n in range(1, 60)}))

    with drafting(Changing(path, 1000), threads=1) as drafts:
        (slot,) = drafts.run([Source(path, "a.zip")])

    assert [(one.label, one.outcome.reason) for one in slot] == [("a.zip", "changed")]
    assert list(spools.iterdir()) == []


def test_large_members_are_drafted_before_others_are_unpacked(tmp_path, spools, monkeypatch):
    monkeypatch.setattr(drafting_module, "SPOOLED_BYTES", 3 * len(pe()))
    path = written(tmp_path / "a.zip", zipped({f"{n}.exe": pe(n) for n in range(1, 60)}))
    most = 0

    def work(source):
        nonlocal most
        if source.spooled:
            most = max(most, alive(spools))
        return foresee(None, source)

    with drafting(work, threads=1) as drafts:
        (slot,) = drafts.run([Source(path, "a.zip")])

    assert sum(1 for _ in slot) == 59
    assert most <= 5
