"""What is said of a file whose other half is missing."""

import sys

import pytest

from symsrv.formats import identify
from symsrv.formats.base import BytesReader
from symsrv.ingest import pairing
from symsrv.ingest.pairing import Shelves, unpaired
from symsrv.ingest.publish import preview, publish
from symsrv.ingest.sources import discover
from symsrv.model.errors import BackendError
from tests.ingest.files import build, elf, pdb, pe, written
from tests.made.elf_builder import DEBUG, build_elf
from tests.made.pdb2_builder import SIGNATURE, build_pdb2
from tests.made.pdb_builder import build_pdb, dbi_stream
from tests.made.pe_builder import Entry, build_pe, nb10


def what(*files, store=None):
    """The first words about each file, by its position."""
    known = [identify(BytesReader(data), "made") for data in files]
    return {at: note.split(" is neither")[0] for at, note in unpaired(known, Shelves(store)).items()}


def test_a_pair_needs_no_word():
    assert what(pe(1), pdb(1), elf(1)) == {}
    assert what(pdb(1), pdb(2), pe(2), pe(1)) == {}


def test_halves_are_named():
    assert what(pe(1), pdb(2)) == {0: "its PDB made.pdb", 1: "its program"}


def test_the_unwind_data_is_why():
    (note,) = unpaired([identify(BytesReader(pdb()), "a.pdb")], Shelves(None)).values()

    assert "unwind data of 64-bit programs lies in the exe" in note


def test_a_program_of_32_bits_is_not_missed_nor_are_types():
    assert what(build_pdb(dbi=dbi_stream(machine=0x14C))) == {}
    assert what(build_pdb(dbi=None)) == {}


def test_a_program_that_names_no_pdb_misses_none():
    assert what(build_pe(), elf()) == {}


def test_text_symbols_carry_their_own_unwind_data():
    assert what(b"MODULE windows x86_64 3249D99D0C4049318610F4E4FB0B69361 crash.pdb\nPUBLIC 0 0 a\n") == {}


def test_old_pdbs_are_paired_too():
    assert what(build_pe([Entry(nb10())], machine=0x14C)) == {0: "its PDB old.pdb"}
    assert what(build_pe([Entry(nb10(signature=SIGNATURE, age=2))]), build_pdb2()) == {}


def test_separate_debug_information_of_elf_files():
    debug = build_elf([DEBUG], note_section=".note.gnu.build-id")

    assert what(debug) == {0: "its program"}
    assert what(debug, build_elf()) == {}


def test_what_the_store_has_is_not_missed(disk, tmp_path):
    publish(disk.store, discover([str(build(tmp_path / "out", numbers=range(1, 3)))]))
    written(tmp_path / "x" / "made.pdb", pdb(3))
    publish(disk.store, discover([str(tmp_path / "x")]))

    assert what(pdb(1), pdb(2), store=disk.store) == {}
    assert what(pe(3), store=disk.store) == {}
    assert what(pe(9), pdb(9 + 1), store=disk.store) == {0: "its PDB made.pdb", 1: "its program"}


def test_a_name_in_another_case_is_not_missed(disk, tmp_path):
    publish(disk.store, discover([str(written(tmp_path / "made.pdb", pdb(1)))]))

    assert what(pe(1).replace(b"made.pdb", b"MADE.PDB"), store=disk.store) == {}


def test_a_store_is_asked_so_often_and_no_more(disk, monkeypatch):
    monkeypatch.setattr(pairing, "LOOKS", 3)

    assert list(what(*[pe(number) for number in range(1, 6)], store=disk.store)) == [0, 1, 2]


def test_an_index_far_behind_is_not_asked(disk, tmp_path, monkeypatch):
    publish(disk.store, discover([str(build(tmp_path / "out"))]))
    monkeypatch.setattr(pairing, "NEAR", 0)

    assert what(pdb(1), pdb(2), store=disk.store) == {}


def test_a_store_that_fails_says_nothing(disk, monkeypatch):
    def fail(*_):
        raise BackendError("unavailable", "try again")

    monkeypatch.setattr(disk.store, "look", fail)

    assert what(pe(1), store=disk.store) == {}


@pytest.mark.parametrize("there", [True, False])
def test_results_have_the_note_and_never_fail_by_it(disk, tmp_path, there):
    paths = [str(written(tmp_path / "app.exe", pe())), str(written(tmp_path / "notes.txt", b"text"))]

    foreseen = preview(disk.store if there else None, discover(paths), pairing=True)
    receipt = publish(disk.store, discover(paths), pairing=True)

    assert [bool(result.note) for result in foreseen.results] == [True, False]
    assert [bool(result.note) for result in receipt.results] == [True, False]
    assert receipt.results[0].to_record()["note"] == receipt.results[0].note
    assert receipt.failed == 0


def test_a_new_store_lacks_everything_and_loads_no_database(disk, monkeypatch):
    monkeypatch.setattr(type(disk.store), "index", property(lambda _: pytest.fail("the index was asked")))

    assert what(pdb(1), pe(2), elf(3), store=disk.store) == {0: "its program", 1: "its PDB made.pdb"}


def test_a_publish_without_gaps_asks_no_database(disk, tmp_path, monkeypatch):
    monkeypatch.setattr(type(disk.store), "index", property(lambda _: pytest.fail("the index was asked")))

    publish(disk.store, discover([str(build(tmp_path / "out"))]), pairing=True)

    assert "symsrv.ingest.pairing" in sys.modules
