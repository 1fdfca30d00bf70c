from symsrv.layouts import home
from symsrv.ledger.texts import CHUNK
from symsrv.model.records import StoredFile
from tests.ledger.samples import ELF_BOTH, ELF_DEBUG, PDB, add, entry, pdb, stored


def test_ids_that_a_file_lost_are_forgotten(index):
    index.put_files([stored(PDB)])
    index.put_files([StoredFile(home(PDB), 1, identities=(pdb("crash.pdb", 2),))])

    ids = index._database.rows("SELECT value FROM symsrv_index_ids")

    assert [row[0] for row in ids] == [pdb("crash.pdb", 2).ids[0].value]


def test_ids_go_with_their_file(index):
    index.put_files([stored(PDB), stored(ELF_BOTH), stored(ELF_DEBUG)])

    index.drop_files([home(PDB), home(ELF_BOTH), home(ELF_DEBUG)])

    assert index._database.rows("SELECT * FROM symsrv_index_ids") == []


def test_many_files_of_one_home_are_one(index):
    index.put_files([stored(PDB, size=number) for number in range(CHUNK * 2 + 1)])

    file = index.at(home(PDB))
    assert file is not None
    assert file.size == CHUNK * 2
    assert index.counts().files == 1


def test_new_and_known_files_may_come_in_one_transaction(index):
    index.record(add(1, *(entry(pdb(f"a{number}.pdb")) for number in range(0, 1200, 2))))
    index.record(add(2, *(entry(pdb(f"a{number}.pdb"), size=5) for number in range(1200))))

    assert index.counts().files == 1200
    assert index.counts().bytes == 6000
