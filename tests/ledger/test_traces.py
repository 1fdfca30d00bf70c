"""Traces: files that are gone, refused, or known by another id or name; and that nothing is read through for them."""

from dataclasses import replace

from symsrv.layouts import home
from symsrv.ledger import traces
from symsrv.model.ids import SymbolId
from symsrv.model.records import Status
from tests.ledger.samples import ELF, EXE, GUID, PDB, add, drop, entry, pdb

OTHER = "11111111222233334444555566667777"


def test_an_id_leads_to_files_that_are_gone(index):
    index.record(add(1, entry(PDB)))
    index.record(add(2, entry(pdb("other.pdb"))))
    index.record(drop(3, 1))

    other, gone = traces.by_ids(index, PDB.ids)

    assert (gone.home, gone.name, gone.role, gone.also, gone.freed) == (home(PDB), "crash.pdb", "debug", False, True)
    assert (other.name, other.freed) == ("other.pdb", False)
    assert traces.by_ids(index, ()) == []


def test_the_program_of_a_pdb_has_its_id_too(index):
    index.record(add(1, entry(replace(EXE, also=PDB.ids))))

    (program,) = traces.by_ids(index, PDB.ids)

    assert (program.home, program.role, program.also) == (home(EXE), "code", True)


def test_the_same_digits_of_another_kind_are_another_id(index):
    index.record(add(1, entry(ELF)))

    assert traces.by_ids(index, [SymbolId("pe", ELF.ids[0].value)]) == []


def test_a_guid_with_another_age(index):
    index.record(add(1, entry(PDB), entry(pdb("crash.pdb", 7)), entry(pdb("a.pdb", guid=OTHER))))

    assert {one.id.value for one in traces.by_guid(index, GUID)} == {f"{GUID}1", f"{GUID}7"}


def test_a_name_in_any_case_newest_first(index):
    for number in range(1, 4):
        index.record(add(number, entry(pdb("Crash.pdb", number))))
    index.record(add(4, entry(pdb("crash.pdb.pdb"))))

    assert [one.id.value[-1] for one in traces.by_name(index, "CRASH.PDB", limit=2)] == ["3", "2"]


def test_events_of_a_home(index):
    index.record(add(1, entry(PDB), product="app", version="1.0"))
    index.record(add(2, entry(PDB, Status.CONFLICT, sha256="cd" * 32)))
    index.record(drop(3, 1))

    refused, held = traces.events(index, [home(PDB), "nowhere/1/nowhere"])

    assert (refused.transaction, refused.status, refused.sha256, refused.holds) == (2, "conflict", "cd" * 32, False)
    assert (held.transaction, held.product, held.version, held.deleted_by) == (1, "app", "1.0", 3)
    assert not held.holds
    assert len(traces.events(index, [home(PDB)], limit=1)) == 1


def test_no_table_is_read_through(index):
    database = index.database
    index.record(add(1, *(entry(pdb(f"m{number}.pdb", guid=f"{number * 7919:032x}")) for number in range(20_000))))
    seen = []
    explain = "EXPLAIN QUERY PLAN " if database.is_sqlite else "EXPLAIN "
    if not database.is_sqlite:
        with database.reading() as connection:
            connection.exec_driver_sql("ANALYZE")

    def explained(_index, query):
        with database.reading() as connection:
            text = str(query.compile(connection, compile_kwargs={"literal_binds": True}))
            seen.extend(str(row[-1]).strip() for row in connection.exec_driver_sql(explain + text))
        return []

    rows, traces._rows = traces._rows, explained
    try:
        traces.by_ids(index, PDB.ids)
        traces.by_guid(index, GUID)
        traces.by_name(index, "m7.pdb")
        traces.events(index, [home(PDB)])
    finally:
        traces._rows = rows

    assert len(seen) >= 8
    through = [step for step in seen if step.startswith("SCAN ") or "Seq Scan" in step]
    assert not [step for step in through if "_transactions" not in step], seen  # there is but one
