"""Images that hold their own PDB: two files of one."""

import pytest

from symsrv.formats import identify
from symsrv.formats.base import BytesReader
from symsrv.ingest.embedded import embedded, may_embed
from symsrv.ingest.publish import preview, publish
from symsrv.ingest.results import FileResult
from symsrv.ingest.sources import Source, discover
from symsrv.ingest.unpacking import Spool
from tests.ingest.files import elf, pe, written, zipped
from tests.made.pe_builder import GUID, GUID_TEXT, Entry, build_pe, mpdb, rsds
from tests.made.portable_builder import build_portable

PDB = build_portable(["a.cs"])
KEY = f"made.pdb/{GUID_TEXT.upper()}ffffffff/made.pdb"


def managed(record=None, *, name=b"/src/obj/made.pdb", guid=GUID) -> bytes:
    """A .NET image that embeds its PDB; `record` is what stands in the PDB's place."""
    codeview = Entry(rsds(name, guid=guid), minor=0x504D)
    return build_pe([codeview, Entry(mpdb(PDB) if record is None else record, kind=17, minor=0x100)])


def identities(data):
    return identify(BytesReader(data), "made.dll")


@pytest.fixture
def spool(spools):
    made = Spool()
    yield made
    made.close()


def test_only_images_with_a_portable_pdb_are_opened_again():
    assert may_embed(identities(managed()))
    assert not may_embed(identities(pe()))
    assert not may_embed(identities(elf()))
    assert not may_embed(identities(PDB))


def test_the_pdb_is_a_file_inside_of_the_image(spool, tmp_path):
    path = written(tmp_path / "made.dll", managed())

    found = embedded(Source(path, "out/made.dll"), path, identities(managed()), spool)

    assert (found.label, found.file_name) == ("out/made.dll!made.pdb", "made.pdb")
    assert found.recorded == f"{path}!made.pdb"
    assert found.path.read_bytes() == PDB


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (managed(b"nothing"), "truncated"),
        (managed(mpdb(PDB, size=len(PDB) + 1)), "archive-damaged"),
        (managed(mpdb(PDB, packed=b"\xff" * 99)), "archive-damaged"),
    ],
)
def test_what_is_wrong_with_it_is_its_own_result(spool, tmp_path, data, reason):
    path = written(tmp_path / "made.dll", data)

    found = embedded(Source(path, "made.dll"), path, identities(data), spool)

    assert isinstance(found, FileResult)
    assert (found.path, found.reason) == ("made.dll!made.pdb", reason)
    assert not spool.folder.exists() or list(spool.folder.iterdir()) == []


def test_images_without_one_and_images_that_went_away(spool, tmp_path):
    plain = build_pe([Entry(rsds(b"made.pdb"), minor=0x504D)])
    path = written(tmp_path / "made.dll", plain)

    assert may_embed(identities(plain))
    assert embedded(Source(path, "made.dll"), path, identities(plain), spool) is None
    path.unlink()
    assert embedded(Source(path, "made.dll"), path, identities(plain), spool).reason == "vanished"


def test_a_pdb_without_a_name_is_called_after_the_image(spool, tmp_path):
    data = managed(name=b"con.pdb")
    path = written(tmp_path / "made.dll", data)

    assert embedded(Source(path, "made.dll"), path, identities(data), spool).label == "made.dll!made.pdb"


@pytest.mark.parametrize("packed", [False, True])
def test_both_are_published(disk, tmp_path, spools, packed):
    data = zipped({"lib/made.dll": managed()}) if packed else managed()
    path = written(tmp_path / ("made.nupkg" if packed else "made.dll"), data)

    foreseen = preview(disk.store, discover([str(path)]))
    receipt = publish(disk.store, discover([str(path)]), pairing=True)

    image = f"{path}!lib/made.dll" if packed else str(path)
    assert [result.path for result in receipt.results] == [image, f"{image}!made.pdb"]
    assert [result.path for result in foreseen.results] == [image, f"{image}!made.pdb"]
    assert [result.status.value for result in receipt.results] == ["stored", "stored"]
    assert receipt.results[1].key == KEY
    assert disk.files()[KEY] == PDB
    assert receipt.results[0].note is None
    assert list(spools.iterdir()) == []
    again = publish(disk.store, discover([str(path)]))
    assert [result.status.value for result in again.results] == ["present", "present"]


def test_a_bad_one_does_not_stop_its_image(disk, tmp_path, spools):
    path = written(tmp_path / "made.dll", managed(mpdb(PDB, size=len(PDB) + 1)))

    receipt = publish(disk.store, discover([str(path)]))

    assert [result.status.value for result in receipt.results] == ["stored", "error"]
    assert list(spools.iterdir()) == []
