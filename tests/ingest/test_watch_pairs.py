"""Programs whose PDB is still to come."""

from pathlib import Path

from symsrv.ingest.memory import Mark
from symsrv.ingest.publish import publish
from symsrv.ingest.sources import Source, discover
from symsrv.ingest.watch_pairs import Pairs
from tests.ingest.files import elf, pdb, pe, written
from tests.made.pe_builder import build_pe


def sources(*paths: Path, size: int = 0):
    return {str(path): (Source(path, str(path)), Mark(size, 0, 0)) for path in paths}


def test_a_program_waits_for_the_pdb_of_its_own_id(disk, tmp_path):
    program = written(tmp_path / "a.exe", pe(1))
    older, own = written(tmp_path / "older.pdb", pdb(2)), written(tmp_path / "made.pdb", pdb(1))
    pairs = Pairs(disk.store)

    assert pairs.waiting(sources(program)) == [str(program)]
    assert pairs.waiting(sources(program, older)) == [str(program)]
    assert pairs.waiting(sources(program, older, own)) == []


def test_a_pdb_in_the_store_will_do(disk, tmp_path):
    program, own = written(tmp_path / "a.exe", pe(1)), written(tmp_path / "made.pdb", pdb(1))
    publish(disk.store, discover([str(own)]))

    assert Pairs(disk.store).waiting(sources(program)) == []


def test_nothing_else_waits(disk, tmp_path):
    files = [
        written(tmp_path / "a.pdb", pdb(1)),
        written(tmp_path / "b.so", elf(1)),
        written(tmp_path / "c.exe", build_pe([])),
        written(tmp_path / "d.exe", pe(1)[:100]),
        tmp_path / "gone.exe",
    ]

    assert Pairs(disk.store).waiting(sources(*files)) == []


def test_a_file_is_read_once_for_each_state(disk, tmp_path, monkeypatch):
    program = written(tmp_path / "a.exe", pe(1))
    pairs = Pairs(disk.store)
    pairs.waiting(sources(program))
    program.unlink()

    assert pairs.waiting(sources(program)) == [str(program)]
    assert pairs.waiting(sources(program, size=1)) == []
