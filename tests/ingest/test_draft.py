"""From a source to an offer, with sources that change while they are read."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from symsrv.ingest.draft import draft, foresee, hash_source, identify_source
from symsrv.ingest.results import FileResult, FileStatus
from symsrv.ingest.sources import Source
from symsrv.model.errors import BackendError, NotIdentified, SourceError
from symsrv.store import Draft, Offer
from tests.ingest.files import elf, pdb, pe, written


def source(path: Path) -> Source:
    return Source(path, path.name)


def test_an_offer_is_the_staged_copy_and_where_it_belongs(disk, tmp_path):
    offer = draft(disk.store, source(written(tmp_path / "app.exe", pe())))

    assert isinstance(offer, Offer)
    assert offer.home == "app.exe/100000013000/app.exe"
    assert offer.source == str(tmp_path / "app.exe")
    assert offer.sha256 == hashlib.sha256(pe()).hexdigest()
    assert offer.staged is not None
    assert offer.staged.local.read_bytes() == pe()
    disk.store.discard(offer.staged)


def test_what_the_store_has_is_not_staged_again(disk, tmp_path):
    path = written(tmp_path / "app.exe", pe())
    disk.store.commit(Draft((draft(disk.store, source(path)),)))

    offer = draft(disk.store, source(path))

    assert isinstance(offer, Offer)
    assert offer.staged is None
    assert offer.sha256 == hashlib.sha256(pe()).hexdigest()
    assert disk.staged() == []


def test_a_whole_file_of_ours_is_offered_without_a_copy_and_stays(disk, tmp_path):
    path = written(disk.store.arriving / "body", pdb())
    sha256 = hashlib.sha256(pdb()).hexdigest()

    offer = draft(disk.store, Source(path, "app.pdb", name="app.pdb", origin="https://there/app.pdb", sha256=sha256))

    assert isinstance(offer, Offer)
    assert (offer.source, offer.sha256, offer.size) == ("https://there/app.pdb", sha256, len(pdb()))
    assert offer.staged.local.samefile(path)
    disk.store.discard(offer.staged)
    assert path.read_bytes() == pdb()


def test_other_bytes_of_the_same_size_are_staged(disk, tmp_path):
    path = written(tmp_path / "app.pdb", pdb())
    disk.store.commit(Draft((draft(disk.store, source(path)),)))
    written(path, pdb(tail=b"signed"))

    offer = draft(disk.store, source(path))

    assert isinstance(offer, Offer)
    assert offer.staged is not None
    disk.store.discard(offer.staged)


@pytest.mark.parametrize(
    ("name", "data", "status", "reason"),
    [
        ("notes.txt", b"no debug file", FileStatus.IGNORED, "unknown-format"),
        ("what?.txt", b"no debug file", FileStatus.IGNORED, "unknown-format"),
        ("empty.pdb", b"", FileStatus.IGNORED, "empty"),
        ("torn.pdb", pdb()[:5000], FileStatus.ERROR, "truncated"),
        ("con.exe", pe(), FileStatus.ERROR, "bad-name"),
    ],
)
def test_what_cannot_be_offered_says_why(disk, tmp_path, name, data, status, reason):
    if os.name == "nt" and name in ("what?.txt", "con.exe"):
        pytest.skip("Windows has no such file")
    result = draft(disk.store, source(written(tmp_path / name, data)))

    assert isinstance(result, FileResult)
    assert (result.status, result.reason) == (status, reason)
    assert result.sentence
    assert disk.staged() == []


def test_a_problem_of_the_source_becomes_its_result(disk):
    result = draft(disk.store, Source(Path("x"), "x", SourceError("no-such-file", "x is not there")))

    assert result == FileResult("x", FileStatus.ERROR, reason="no-such-file", sentence="x is not there")


def test_a_source_that_went_away_is_told(disk, tmp_path):
    result = draft(disk.store, source(tmp_path / "gone.pdb"))

    assert (result.status, result.reason) == (FileStatus.ERROR, "vanished")


class Meddler:
    """Does something to the source just before the store copies it."""

    def __init__(self, store, *deeds):
        self.store, self.deeds = store, list(deeds)
        self.look, self.holds_same, self.discard = store.look, store.holds_same, store.discard

    def stage(self, path):
        if self.deeds:
            self.deeds.pop(0)()
        return self.store.stage(path)


def test_a_source_replaced_before_the_copy_is_drafted_anew(disk, tmp_path):
    path = written(tmp_path / "app.exe", pe(1))

    offer = draft(Meddler(disk.store, lambda: written(path, pe(2))), source(path))

    assert isinstance(offer, Offer)
    assert offer.home == "app.exe/100000023000/app.exe"
    assert offer.staged.local.read_bytes() == pe(2)
    disk.store.discard(offer.staged)
    assert disk.staged() == []


def test_a_source_torn_before_the_copy_is_drafted_anew(disk, tmp_path):
    path = written(tmp_path / "app.pdb", pdb())

    result = draft(Meddler(disk.store, lambda: written(path, pdb()[:5000])), source(path))

    assert (result.status, result.reason) == (FileStatus.ERROR, "truncated")
    assert disk.staged() == []


def test_a_source_that_never_holds_still_is_given_up(disk, tmp_path):
    path = written(tmp_path / "app.exe", pe(1))
    deeds = [lambda number=number: written(path, pe(number)) for number in range(2, 9)]

    result = draft(Meddler(disk.store, *deeds), source(path))

    assert (result.status, result.reason) == (FileStatus.ERROR, "changed")
    assert len(deeds) == 7
    assert disk.staged() == []


def test_a_source_that_vanishes_before_the_copy_is_told(disk, tmp_path):
    path = written(tmp_path / "app.exe", pe(1))

    result = draft(Meddler(disk.store, path.unlink), source(path))

    assert (result.status, result.reason) == (FileStatus.ERROR, "vanished")


def test_a_store_that_refuses_is_no_matter_of_the_file(disk, tmp_path):
    def full():
        raise BackendError("disk-full", "no room")

    with pytest.raises(BackendError):
        draft(Meddler(disk.store, full), source(written(tmp_path / "app.exe", pe())))


def test_nothing_is_left_when_looking_at_the_copy_fails(disk, tmp_path, monkeypatch):
    path = written(tmp_path / "app.exe", pe())
    real, calls = sys.modules["symsrv.ingest.draft"].identify_path, []

    def once_only(*arguments):
        calls.append(arguments)
        if len(calls) > 1:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr("symsrv.ingest.draft.identify_path", once_only)

    with pytest.raises(KeyboardInterrupt):
        draft(disk.store, source(path))
    assert disk.staged() == []


def test_a_hash_is_that_of_the_whole_file(tmp_path):
    data = os.urandom(3 << 20)

    assert hash_source(source(written(tmp_path / "a", data))) == (len(data), hashlib.sha256(data).hexdigest())
    with pytest.raises(SourceError):
        hash_source(source(tmp_path / "gone"))


def test_identifying_alone_raises(tmp_path):
    assert identify_source(source(written(tmp_path / "a.so", elf())))[0].format == "elf"
    with pytest.raises(NotIdentified):
        identify_source(source(written(tmp_path / "a.txt", b"text")))


def test_foreseeing_looks_and_writes_nothing(disk, tmp_path):
    path = written(tmp_path / "app.pdb", pdb())

    assert foresee(None, source(path)).status is FileStatus.STORED
    assert foresee(disk.store, source(path)).status is FileStatus.STORED
    disk.store.commit(Draft((draft(disk.store, source(path)),)))
    assert foresee(disk.store, source(path)).status is FileStatus.PRESENT
    written(path, pdb(tail=b"signed"))
    assert foresee(disk.store, source(path)).status is FileStatus.CONFLICT
    assert foresee(disk.store, source(tmp_path / "gone")).reason == "vanished"
    assert disk.documents() == 1


@pytest.mark.skipif(os.name == "nt", reason="rights as POSIX has them")
def test_a_source_that_an_ordinary_user_may_not_read_is_told(tmp_path):
    path = written(tmp_path / "app.exe", pe())
    path.chmod(0)
    program = (
        "import os, sys\n"
        "from symsrv.ingest.draft import foresee\n"
        "from symsrv.ingest.sources import Source\n"
        "from pathlib import Path\n"
        "os.chdir(sys.argv[1])\n"
        "os.getuid() or os.setuid(65534)\n"
        "print(foresee(None, Source(Path('app.exe'), 'app.exe')).reason)\n"
    )

    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "unreadable"


@pytest.mark.skipif(os.name == "nt", reason="pipes as POSIX has them")
def test_a_pipe_that_took_the_name_is_not_waited_for(disk, tmp_path):
    os.mkfifo(tmp_path / "app.exe")

    assert draft(disk.store, source(tmp_path / "app.exe")).status is FileStatus.IGNORED
    with pytest.raises(SourceError):
        hash_source(source(tmp_path / "app.exe"))
