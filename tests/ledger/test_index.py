import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from symsrv.layouts import home, keys, parse_any
from symsrv.ledger.index import Counts, Index
from symsrv.ledger.schema import LedgerError
from symsrv.model.ask import Ask, Wants
from symsrv.model.identity import Identity
from symsrv.model.ids import build_id, debug_id, swapped
from symsrv.model.records import CAB, Entry, Evidence, Status, StoredFile
from tests.ledger.samples import (
    BUILD,
    DAC,
    DSYM,
    ELF,
    ELF_BOTH,
    ELF_DEBUG,
    EXE,
    GUID,
    MACH,
    MSFZ_PDB,
    PDB,
    PERFMAP,
    PORTABLE,
    SYM_FILE,
    WASM,
    add,
    drop,
    elf,
    entry,
    exe,
    pdb,
    stored,
)

REPOSITORY = Path(__file__).parents[2]


def found(index: Index, path: str) -> list[str]:
    ask = parse_any(path)
    assert ask is not None, path
    return [file.home for file in index.find(ask)]


# What is asked for


@pytest.mark.parametrize(
    "identity",
    [EXE, PDB, ELF, ELF_DEBUG, ELF_BOTH, MACH, DSYM, WASM, MSFZ_PDB, PERFMAP, DAC, SYM_FILE, PORTABLE],
    ids=lambda one: f"{one.format}-{one.kind}",
)
def test_every_key_finds_its_file(index, identity):
    index.record(add(1, entry(identity)))

    for key in keys(identity):
        for path in (key, key.lower(), key.upper()):
            assert found(index, path) == [home(identity)], path


def test_a_found_file_is_as_it_was_recorded(index):
    index.record(add(1, entry(PDB, size=1 << 40, modified_ns=1 << 60)))

    (file,) = index.find(Ask(Wants.DEBUG, PDB.ids, "CRASH.PDB"))

    assert file == StoredFile(home(PDB), 1 << 40, "ab" * 32, 1 << 60, (PDB,))


def test_readings_rank_before_names(index):
    decimal = pdb("crash.pdb", 26)
    index.put_files([stored(decimal), stored(pdb("other.pdb", 0x26))])

    assert found(index, f"crash.pdb/{GUID}26/crash.pdb") == [home(pdb("other.pdb", 0x26)), home(decimal)]


def test_an_exact_build_id_ranks_before_a_padded_one(index):
    padded = build_id(bytes.fromhex(BUILD.value) + bytes(4))
    index.put_files([stored(elf("short.so", "code")), stored(elf("long.so", "code", padded))])

    assert found(index, f"_/elf-buildid-{padded.value}/_") == [
        home(elf("long.so", "code", padded)),
        home(elf("short.so", "code")),
    ]
    assert found(index, f"short.so/elf-buildid-{padded.value}/short.so")[0] == home(elf("long.so", "code", padded))


def test_the_name_asked_for_ranks_before_another(index):
    index.put_files([stored(elf("a.so", "code")), stored(elf("b.so", "code"))])

    assert found(index, f"b.so/{BUILD.value}/b.so") == [home(elf("b.so", "code")), home(elf("a.so", "code"))]


def test_a_pe_image_must_have_the_name_asked_for(index):
    index.put_files([stored(exe("ntkrnlmp.exe"))])

    assert found(index, "ntoskrnl.exe/5AB380779000/ntoskrnl.exe") == []
    assert index.find(Ask(Wants.CODE, exe().ids)) == []


@pytest.mark.parametrize(("asked", "is_found"), [("renamed.pdb", True), ("renamed.dll", False), ("renamed", False)])
def test_a_debug_file_of_another_name_must_have_the_same_extension(index, asked, is_found):
    index.put_files([stored(PDB)])

    assert bool(found(index, f"{asked}/{GUID}1/{asked}")) is is_found


def test_a_build_id_without_a_name_finds_by_kind(index):
    index.put_files([stored(ELF), stored(ELF_DEBUG)])

    assert found(index, f"buildid/{BUILD.value}/executable") == [home(ELF)]
    assert found(index, f"buildid/{BUILD.value}/debuginfo") == [home(ELF_DEBUG)]
    assert found(index, f"buildid/{BUILD.value}/section/.debug_line") == [home(ELF_DEBUG), home(ELF)]


def test_a_separate_debug_file_ranks_before_an_unstripped_one(index):
    index.put_files([stored(ELF_BOTH), stored(ELF_DEBUG)])

    assert found(index, f"buildid/{BUILD.value}/debuginfo") == [home(ELF_DEBUG), home(ELF_BOTH)]
    assert found(index, f"buildid/{BUILD.value}/executable") == [home(ELF_BOTH)]


SYM_ASKS = [
    f"crash.pdb/{GUID}1/crash.sym",
    f"CRASH.PDB/{GUID}1/CRASH.PDB.sym",
    f"32/{GUID[2:]}1/breakpad",
    "crash.exe/5AB380779000/crash.sym",
    "crash.exe/5AB380779000/crash.exe.sym",
]


@pytest.mark.parametrize("path", SYM_ASKS)
def test_text_symbols_are_found_in_every_spelling_and_nothing_else_is(index, path):
    index.put_files([stored(PDB), stored(EXE)])
    assert found(index, path) == []

    index.put_files([stored(SYM_FILE)])

    assert found(index, path) == [home(SYM_FILE)]
    assert found(index, home(PDB)) == [home(PDB)]
    assert found(index, home(EXE)) == [home(EXE)]


@pytest.mark.parametrize("path", ["other.exe/5AB380779000/other.sym", f"crash.pdb/{GUID}2/crash.sym"])
def test_text_symbols_of_another_program_are_not_found(index, path):
    index.put_files([stored(SYM_FILE)])

    assert found(index, path) == []


def test_text_symbols_that_name_their_program_are_found_by_that_name(index):
    named = replace(SYM_FILE, debug_file="ntkrnlmp.pdb", code_file="ntoskrnl.exe")
    index.put_files([stored(named)])

    assert found(index, "ntoskrnl.exe/5AB380779000/ntoskrnl.exe.sym") == [home(named)]
    assert found(index, "ntkrnlmp.exe/5AB380779000/ntkrnlmp.exe.sym") == []
    assert found(index, f"renamed.exe/{GUID}1/renamed.exe.sym") == [home(named)], "a debug id is proof enough"


@pytest.mark.parametrize("age", ["ffffffff", "FFFFFFFF", "cfb0fc89", "1"])
def test_a_portable_pdb_is_found_by_each_of_its_spellings(index, age):
    index.put_files([stored(PORTABLE)])

    for spelled in (GUID, GUID.upper()):
        assert found(index, f"crash.pdb/{spelled}{age}/crash.pdb") == [home(PORTABLE)]
    assert found(index, f"32/{GUID[2:]}{age.lower()}/debuginfo") == [home(PORTABLE)]
    assert found(index, f"crash.pdb/{GUID}2/crash.pdb") == []


def test_a_pdb_whose_own_id_it_is_comes_before_a_portable_one(index):
    index.put_files([stored(PORTABLE), stored(PDB)])

    assert found(index, f"crash.pdb/{GUID}1/crash.pdb") == [home(PDB), home(PORTABLE)]
    assert found(index, f"renamed.pdb/{GUID}1/renamed.pdb") == [home(PDB), home(PORTABLE)]
    assert found(index, f"crash.pdb/{GUID}ffffffff/crash.pdb") == [home(PORTABLE)]


def test_the_name_asked_for_ranks_before_whose_own_id_it_is(index):
    other = replace(PORTABLE, name="other.pdb")
    index.put_files([stored(other), stored(PDB)])

    assert found(index, f"other.pdb/{GUID}1/other.pdb") == [home(other), home(PDB)]


def test_a_program_goes_by_its_pdbs_id_where_names_are_not_told(index):
    linked = replace(EXE, also=PDB.ids)
    index.put_files([stored(linked), stored(PDB)])

    assert found(index, f"32/{GUID[2:]}1/executable") == [home(linked)]
    assert found(index, f"32/{GUID[2:]}1/debuginfo") == [home(PDB)]
    assert found(index, f"crash.pdb/{GUID}1/crash.pdb") == [home(PDB)]


def test_an_id_that_is_a_files_own_and_another_one_is_its_own(index):
    twice = replace(PDB, also=PDB.ids)
    index.put_files([stored(twice), stored(replace(PORTABLE, name="a.pdb"))])

    assert found(index, f"crash.pdb/{GUID}1/crash.pdb")[0] == home(PDB)


@pytest.mark.parametrize("file", [MACH, DSYM])
def test_mach_o_files_are_found_by_kind(index, file):
    index.put_files([stored(MACH), stored(DSYM)])
    tree = "67E9/247C/814E/392B/A027/DBDE6748FCBF"
    paths = {
        "code": [f"{tree}.app", "67/e9247c814e392ba027dbde6748fcbf/executable", f"renamed/{MACH_UUID}/renamed"],
        "debug": [tree, "67/e9247c814e392ba027dbde6748fcbf/debuginfo"],
    }

    for path in paths[file.kind]:
        assert found(index, path)[0] == home(file), path


MACH_UUID = MACH.ids[0].value


def test_each_of_what_goes_with_a_runtime_is_found_by_its_own_name_only(index):
    other = replace(DAC, name="libmscordbi.so", ids=(build_id(b"other id"),))
    index.put_files([stored(DAC), stored(other)])
    runtime = "elf-buildid-coreclr-" + "ef" * 20

    assert found(index, f"libmscordaccore.so/{runtime}/libmscordaccore.so") == [home(DAC)]
    assert found(index, f"libmscordbi.so/{runtime}/libmscordbi.so") == [home(other)]
    assert found(index, f"libsos.so/{runtime}/libsos.so") == []
    assert found(index, f"libmscordaccore.so/elf-buildid-{'ef' * 20}/libmscordaccore.so") == []


def test_a_compressed_container_is_found_by_who_asks_for_one(index):
    index.put_files([stored(MSFZ_PDB)])

    assert found(index, f"crash.pdb/{GUID}1/crash.pdb") == []
    assert found(index, f"crash.pdb/{GUID}1/msfz0/crash.pdb") == [home(MSFZ_PDB)]
    assert found(index, f"renamed.pdb/{GUID}1/msfz0/renamed.pdb") == [home(MSFZ_PDB)]


def test_a_ready_to_run_map_is_found_in_both_orders_of_its_signature(index):
    index.put_files([stored(PERFMAP)])

    for text in (GUID, swapped(GUID).upper()):
        assert found(index, f"A.ni.r2rmap/r2rmap-v1-{text}/A.ni.r2rmap") == [home(PERFMAP)]
    assert found(index, f"A.ni.r2rmap/r2rmap-v2-{GUID}/A.ni.r2rmap") == []


@pytest.mark.parametrize("spelled", [BUILD.value, BUILD.value + "00000000"])
def test_trees_of_build_ids_find_by_kind(index, spelled):
    index.put_files([stored(ELF), stored(ELF_DEBUG)])

    for root in ("", ".build-id/"):
        assert found(index, f"{root}{spelled[:2]}/{spelled[2:]}") == [home(ELF)]
        assert found(index, f"{root}{spelled[:2]}/{spelled[2:]}.debug") == [home(ELF_DEBUG)]
    assert found(index, f"{spelled[:2]}/{spelled[2:]}/debuginfo") == [home(ELF_DEBUG)]
    assert found(index, f"libcrash.so/{spelled}/symbols")[0] == home(ELF_DEBUG)


def test_an_elf_file_without_a_build_id_is_found_by_breakpads_id(index):
    bare = Identity("elf", "both", "libA.so", (debug_id(GUID, 0),))
    index.put_files([stored(bare)])

    assert found(index, f"liba.so/{GUID.upper()}0/liba.so") == [home(bare)] == [f"libA.so/{GUID.upper()}0/libA.so"]


def test_a_file_without_a_dbi_stream_is_found_by_each_of_its_ids(index):
    ids = (debug_id(GUID, None), debug_id(GUID, 0), debug_id(GUID, 2))
    index.put_files([stored(replace(PDB, ids=ids))])

    for age in ("", "0", "2"):
        assert found(index, f"crash.pdb/{GUID}{age}/crash.pdb") == [f"crash.pdb/{GUID.upper()}/crash.pdb"]
    assert found(index, f"crash.pdb/{GUID}1/crash.pdb") == []


def test_one_id_with_two_roles_answers_both(index):
    index.put_files([StoredFile("a/b/a", 1, identities=(elf("a", "code"), elf("a", "debug")))])

    assert found(index, f"buildid/{BUILD.value}/executable") == ["a/b/a"]
    assert found(index, f"buildid/{BUILD.value}/debuginfo") == ["a/b/a"]


def test_unknown_ids_and_empty_asks_find_nothing(index):
    assert found(index, f"crash.pdb/{GUID}1/crash.pdb") == []
    assert index.find(Ask(Wants.DEBUG, (), "a.pdb")) == []


# Files known by their place alone


def test_an_adopted_file_is_found_by_its_place(index):
    index.put_files(
        [
            StoredFile("Crash.exe/5AB380779000/Crash.exe", 5),
            StoredFile(f"_.debug/elf-buildid-sym-{BUILD.value}/_.debug", 6),
        ]
    )

    assert found(index, "crash.exe/5ab380779000/crash.exe") == ["Crash.exe/5AB380779000/Crash.exe"]
    assert found(index, f"buildid/{BUILD.value}/debuginfo") == [f"_.debug/elf-buildid-sym-{BUILD.value}/_.debug"]


def test_an_adopted_file_is_not_guessed_to_be_another(index):
    index.put_files([StoredFile(f"crash.pdb/{GUID}1/crash.pdb", 5)])
    index.put_files([StoredFile(f"lib.so/{'ab' * 16}/lib.so", 5)])

    assert found(index, f"other.pdb/{GUID}1/other.pdb") == []
    assert found(index, f"buildid/{'ab' * 16}/debuginfo") == []
    assert found(index, f"lib.so/{'ab' * 16}/lib.so") == [f"lib.so/{'ab' * 16}/lib.so"]


@pytest.mark.parametrize("identities", [(), (Identity("unknown", "both", "crash.sym", (debug_id(GUID, 1),)),)])
@pytest.mark.parametrize("leaf", ["crash.sym", "CRASH.PDB.sym"])
def test_text_symbols_of_another_store_are_found_by_any_leaf(index, leaf, identities):
    path = f"CRASH.PDB/{GUID}1/{leaf}"
    index.put_files([StoredFile(path, 5, identities=identities)])

    for spelled in (f"crash.pdb/{GUID}1/crash.sym", f"crash.pdb/{GUID}1/crash.pdb.sym"):
        assert found(index, spelled) == [path]
    assert found(index, f"crash.pdb/{GUID}1/crash.pdb") == []


def test_a_file_that_cannot_be_read_is_found_by_its_place(index):
    unknown = Identity("unknown", "both", "crash.pdb", (debug_id(GUID, 1),))
    index.put_files([StoredFile(f"crash.pdb/{GUID}1/crash.pdb", 5, identities=(unknown,))])

    assert found(index, f"renamed.pdb/{GUID}1/renamed.pdb") == [f"crash.pdb/{GUID}1/crash.pdb"]


@pytest.mark.parametrize(
    ("path", "ask"),
    [
        (f"32/{GUID[2:]}1/breakpad", f"crash.pdb/{GUID}1/crash.sym"),
        (f".build-id/{BUILD.value[:2]}/{BUILD.value[2:]}.debug", f"_.debug/elf-buildid-sym-{BUILD.value}/_.debug"),
        (f"_/elf-buildid-{BUILD.value}/_", f"a.so/elf-buildid-{BUILD.value}/a.so"),
        (f"a.so/{BUILD.value}/symbols", f"buildid/{BUILD.value}/debuginfo"),
        ("67E9/247C/814E/392B/A027/DBDE6748FCBF", "_.dwarf/mach-uuid-sym-67e9247c814e392ba027dbde6748fcbf/_.dwarf"),
        (f"a.pdb/{GUID}1/msfz0/a.pdb", f"a.pdb/{GUID}1/msfz0/a.pdb"),
        (f"a.ni.r2rmap/r2rmap-v1-{GUID}/a.ni.r2rmap", f"A.ni.r2rmap/r2rmap-v1-{GUID}/A.ni.r2rmap"),
    ],
)
def test_trees_of_other_tools_are_found_by_every_dialect(index, path, ask):
    index.put_files([StoredFile(path, 5)])

    assert found(index, ask) == [path]


def test_an_adopted_packed_twin_is_found_behind_the_plain_file(index):
    home, packed = f"crash.pdb/{GUID}1/crash.pdb", f"crash.pdb/{GUID}1/crash.pd_"
    ask = Ask(Wants.EITHER, (debug_id(GUID, 1),), "crash.pdb")
    index.put_files([StoredFile(packed, 5)])
    assert index.find(ask) == [StoredFile(packed, 5, encoding=CAB)]

    index.put_files([StoredFile(home, 9)])

    assert [one.home for one in index.find(ask)] == [home, packed]


def test_what_is_known_of_a_packed_file_and_its_entry_is_kept(index):
    facts = {"encoding": CAB, "plain_size": 70, "plain_sha256": "cd" * 32}
    entry = Entry(f"crash.pdb/{GUID}1/crash.pd_", "s", Status.STORED, 5, "ab" * 32, **facts)
    index.record(add(1, entry))

    assert list(index.entries(1)) == [entry]
    assert index.at(entry.home) == StoredFile(entry.home, 5, "ab" * 32, **facts)


@pytest.mark.parametrize(
    "path",
    ["../../etc/passwd", "a/b/c", f"crash.pdb/{GUID}1/crash.src.zip"],
)
def test_an_adopted_file_that_no_plain_path_means_is_never_found(index, path):
    index.put_files([StoredFile(path, 5)])

    assert index.find(Ask(Wants.EITHER, (debug_id(GUID, 1),), "crash.pdb")) == []
    assert index.at(path) == StoredFile(path, 5)


def test_what_is_learned_of_an_adopted_file_stays(index):
    index.put_files([StoredFile(home(PDB), 5)])
    index.put_files([stored(PDB, size=6)])
    index.put_files([StoredFile(home(PDB), 7)])

    assert index.at(home(PDB)) == StoredFile(home(PDB), 7, None, None, (PDB,))
    assert found(index, f"renamed.pdb/{GUID}1/renamed.pdb") == [home(PDB)]


# By place


def test_at_is_exact(index):
    index.put_files([StoredFile("Größe.pdb/ID/Größe.pdb", 1), StoredFile("größe.pdb/id/größe.pdb", 2)])

    assert index.at("GRÖSSE.pdb/ID/Größe.pdb") is None
    assert index.at("Größe.pdb/ID/Größe.pdb") == StoredFile("Größe.pdb/ID/Größe.pdb", 1)
    assert index.at("größe.pdb/id/größe.pdb") == StoredFile("größe.pdb/id/größe.pdb", 2)
    assert index.at("other") is None


def test_dropped_files_are_forgotten(index):
    index.put_files([stored(PDB), stored(EXE)])
    before = index.revision()

    index.drop_files([home(PDB), "not/there/at-all"])

    assert index.at(home(PDB)) is None
    assert found(index, home(PDB)) == []
    assert index.at(home(EXE)) is not None
    assert index.revision() > before


# Transactions


def test_applied_is_the_highest_number(index):
    assert index.applied() == 0

    index.record(add(3, entry(PDB)))
    index.record(add(2, entry(EXE)))

    assert index.applied() == 3


def test_recording_twice_changes_nothing(index):
    index.record(add(1, entry(PDB), entry(EXE)))
    before = index.revision()

    index.record(add(1, entry(PDB), entry(EXE), product="other"))

    assert index.revision() == before
    assert index.counts() == Counts(2, 200, 1)
    assert [one.product for one in index.transactions()] == [""]


def test_every_change_moves_the_revision(index):
    seen = [index.revision()]
    for change in (
        lambda: index.record(add(1, entry(PDB))),
        lambda: index.record(drop(2, 1)),
        lambda: index.put_files([stored(EXE)]),
        lambda: index.drop_files([home(EXE)]),
        lambda: index.clear(),
    ):
        change()
        seen.append(index.revision())

    assert seen == sorted(set(seen))


def test_a_transaction_comes_back_as_it_was(index):
    wanted = add(
        7,
        entry(PDB),
        product="Größe",
        version="1.0",
        comment="line\nline, \"quoted\" 100%",
        tag="nightly",
        who="me",
        host="build\0er\udc80",
        foreign=True,
    )  # fmt: skip
    index.record(wanted)
    index.record(drop(8, 7))

    assert list(index.transactions()) == [replace(wanted, entries=(), files=1, deleted_by=8), drop(8, 7)]
    assert [one.number for one in index.transactions(newest_first=True)] == [8, 7]


def test_transactions_are_read_page_by_page_while_others_are_added(index):
    for number in range(1, 1002):
        index.record(add(number))

    listed = index.transactions()
    first = next(listed)
    index.record(add(1002))

    assert [first.number, *(one.number for one in listed)] == list(range(1, 1003))


def test_entries_come_back_in_their_order(index):
    entries = (
        entry(PDB, source="/home/\udc80/crash.pdb", symbol_kind="pri"),
        entry(EXE, Status.CONFLICT, kept_sha256="cd" * 32, evidence=Evidence.SIBLING),
        entry(ELF, Status.REPLACED, kept_sha256="cd" * 32, handle="abc", sha256=None, modified_ns=None),
        entry(PDB, Status.PRESENT, source="\x01odd\0"),
    )
    index.record(add(1, *entries))

    assert list(index.entries(1)) == [replace(one, identities=()) for one in entries]
    assert list(index.entries(2)) == []


def test_a_file_held_twice_is_one_file(index):
    index.record(add(1, entry(PDB), entry(PDB, Status.PRESENT)))
    index.record(add(2, entry(PDB, Status.PRESENT)))

    assert index.counts() == Counts(1, 100, 2)
    assert index.holders([home(PDB), "x"]) == {home(PDB): [1, 2]}


def test_a_conflict_neither_holds_nor_changes_a_file(index):
    index.record(add(1, entry(PDB)))
    index.record(add(2, entry(PDB, Status.CONFLICT, size=5, sha256="cd" * 32), entry(EXE, Status.CONFLICT)))

    assert index.at(home(PDB)) == stored(PDB)
    assert index.at(home(EXE)) is None
    assert index.holders([home(PDB), home(EXE)]) == {home(PDB): [1]}
    assert index.homes_of([2]) == []


def test_a_replacement_renews_what_is_known(index):
    other = pdb("crash.pdb", 2)
    index.record(add(1, entry(PDB)))
    index.record(add(2, entry(other, Status.REPLACED, home=home(PDB), size=5, sha256="cd" * 32, modified_ns=9)))

    assert index.at(home(PDB)) == StoredFile(home(PDB), 5, "cd" * 32, 9, (other,))
    assert found(index, home(PDB)) == []
    assert found(index, home(other)) == [home(PDB)]


def test_another_tools_write_makes_the_hash_unknown(index):
    index.record(add(1, entry(PDB)))
    bare = replace(entry(PDB), sha256=None, modified_ns=None, identities=(), size=6)
    index.record(add(2, bare, foreign=True))

    assert index.at(home(PDB)) == StoredFile(home(PDB), 6, None, None, (PDB,))


def test_a_delete_frees_what_nothing_else_holds(index):
    index.record(add(1, entry(PDB), entry(EXE)))
    index.record(add(2, entry(PDB, Status.PRESENT)))

    index.record(drop(3, 1))

    assert found(index, home(PDB)) == [home(PDB)]
    assert found(index, home(EXE)) == []
    assert index.at(home(EXE)) == stored(EXE)  # `verify` and `prune` still know it
    assert index.holders([home(PDB), home(EXE)]) == {home(PDB): [2]}
    assert index.homes_of([1]) == sorted([home(PDB), home(EXE)])
    assert list(index.held()) == [home(PDB)]
    assert index.counts() == Counts(1, 100, 3)
    assert [index.live(number) for number in (1, 2, 3, 4)] == [False, True, False, False]


def test_a_freed_file_that_is_added_again_is_there_again(index):
    index.record(add(1, entry(PDB)))
    index.record(drop(2, 1))
    index.record(add(3, entry(PDB)))

    assert found(index, home(PDB)) == [home(PDB)]
    assert index.holders([home(PDB)]) == {home(PDB): [3]}


def test_a_delete_that_comes_before_its_add_still_counts(index):
    index.record(drop(2, 1))
    index.record(add(1, entry(PDB)))

    assert not index.live(1)
    assert next(index.transactions()).deleted_by == 2
    assert found(index, home(PDB)) == []


def test_a_delete_of_nothing_does_no_harm(index):
    index.put_files([stored(PDB)])
    index.record(drop(1, 0, 99, foreign=True))

    assert found(index, home(PDB)) == [home(PDB)]


def test_held_homes_are_read_page_by_page(index):
    many = [pdb("a.pdb", guid=f"{number:032x}") for number in range(2001)]
    index.record(add(1, *map(entry, many)))
    index.record(add(2, *map(entry, many[:1200])))

    assert list(index.held()) == sorted(map(home, many))
    assert len(list(index.entries(1))) == 2001
    assert len(index.holders([home(one) for one in many])) == 2001


def test_clear_begins_anew(index):
    index.record(add(1, entry(PDB)))

    index.clear()

    assert (index.applied(), index.counts()) == (0, Counts(0, 0, 0))
    index.record(add(1, entry(PDB)))
    assert found(index, home(PDB)) == [home(PDB)]


def test_a_failed_record_leaves_nothing(index):
    broken = replace(entry(EXE), size=object())

    with pytest.raises(LedgerError):
        index.record(add(1, entry(PDB), broken))

    assert (index.applied(), index.counts()) == (0, Counts(0, 0, 0))
    index.record(add(1, entry(PDB)))
    assert index.applied() == 1


# Searching


@pytest.mark.parametrize(
    "text",
    [
        "crash.p",
        "CRASH.PDB",
        GUID,
        GUID.upper() + "1",
        "{3249D99D-0C40-4931-8610-F4E4FB0B6936}",
        "3249D99D-0C40-4931-8610-F4E4FB0B6936",
        "3249d99d",
        f"crash.pdb/{GUID}1/crash.pdb",
        f"crash.pdb\\{GUID}1\\crash.pdb",
        "my prod",
        "2.1",
        "a 100% comment",
        "NIGHTLY",
    ],
)
def test_search_finds_by_name_id_and_what_was_said_of_it(index, text):
    index.record(add(1, entry(PDB), product="My Product", version="2.1", comment="a 100% comment", tag="nightly"))
    index.record(add(2, entry(exe("other.exe", 1)), product="unrelated"))

    assert [file.home for file in index.search(text, 10)] == [home(PDB)]


@pytest.mark.parametrize("text", ["%", "_", "crash_pdb", "", " ", "zz", "100_", "deadbeef", "\udc80", "\0"])
def test_search_takes_text_literally(index, text):
    index.record(add(1, entry(PDB), comment="plain"))

    assert index.search(text, 10) == []


def test_search_finds_an_elf_debug_file_by_its_own_name(index):
    index.record(add(1, entry(ELF_DEBUG)))

    for text in ("libcrash.so", BUILD.value, BUILD.value[:8], f"{BUILD.value}00000000", f"elf-buildid-{BUILD.value}"):
        assert [file.home for file in index.search(text, 10)] == [home(ELF_DEBUG)], text


@pytest.mark.parametrize(
    ("identity", "texts"),
    [
        (MACH, [MACH_UUID, MACH_UUID.upper()[:9], f"mach-uuid-{MACH_UUID}", "67E9247C-814E-392B-A027-DBDE6748FCBF"]),
        (PERFMAP, [GUID, swapped(GUID), f"r2rmap-v1-{GUID}", f"1-{GUID}", f"a.ni.r2rmap/r2rmap-v1-{GUID}/a.ni.r2rmap"]),
        (DAC, ["ef" * 20, "elf-buildid-coreclr-" + "ef" * 20]),
        (SYM_FILE, ["crash.sym", "crash.pdb", f"{GUID}1", f"crash.pdb/{GUID}1/crash.sym", "5AB380779000"]),
    ],
)
def test_search_knows_every_kind_of_id(index, identity, texts):
    index.put_files([stored(identity)])

    for text in texts:
        assert [file.home for file in index.search(text, 10)] == [home(identity)], text


def test_search_is_limited_and_leaves_out_what_was_deleted(index):
    index.record(add(1, *(entry(pdb(f"a{number}.pdb")) for number in range(5)), product="gone"))
    index.record(add(2, *(entry(pdb(f"b{number}.pdb")) for number in range(5))))
    index.record(drop(3, 1))

    assert [file.home[:2] for file in index.search(".pdb", 3)] == ["b0", "b1", "b2"]
    assert index.search("gone", 10) == []


def test_search_for_a_product_shows_its_latest_first(index):
    for number in range(1, 4):
        index.record(add(number, entry(pdb(f"a{number}.pdb")), entry(PDB, Status.PRESENT), product="Thing"))

    assert [file.home.split("/")[0] for file in index.search("thing", 3)] == ["a3.pdb", "crash.pdb", "a2.pdb"]
    assert {file.home.split("/")[0] for file in index.search("thing", 9)} == {"crash.pdb", "a1.pdb", "a2.pdb", "a3.pdb"}


# Size and company


def test_finding_a_file_does_not_read_the_tables_through(index):
    database = index._database
    count = 100_000 if database.is_sqlite else 20_000
    many = (pdb(f"m{number}.pdb", guid=f"{number * 7919:032x}") for number in range(count))
    index.record(add(1, *map(entry, many)))
    if not database.is_sqlite:
        with database.reading() as connection:
            connection.exec_driver_sql("ANALYZE")
    explain = "EXPLAIN QUERY PLAN " if database.is_sqlite else "EXPLAIN "
    place = f"SELECT 1 FROM symsrv_index_files f WHERE f.home = {database.marks(1)} AND f.freed = 0"
    holding = f"SELECT number FROM symsrv_index_entries WHERE home IN ({database.marks(2)})"

    for sql, count in ((index._finding(1), 1), (index._finding(3), 3), (place, 1), (holding, 2)):
        plan = [str(row[-1]).strip() for row in database.rows(explain + sql, ["a"] * count)]

        assert not [step for step in plan if step.startswith("SCAN ") or "Seq Scan" in step], plan
    assert found(index, f"m5.pdb/{5 * 7919:032x}1/m5.pdb") == [home(pdb("m5.pdb", guid=f"{5 * 7919:032x}"))]


def test_threads_share_an_index(index):
    def work(number: int) -> int:
        index.record(add(number, entry(pdb(f"a{number}.pdb"))))
        return len(found(index, f"a{number}.pdb/{GUID}1/a{number}.pdb"))

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(work, range(1, 41))) >= 40

    assert index.counts().files == 40


def test_a_database_in_memory_is_one_for_all_threads():
    index = Index("sqlite://")
    thread = threading.Thread(target=lambda: index.record(add(1, entry(PDB))))
    thread.start()
    thread.join()

    assert found(index, home(PDB)) == [home(PDB)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: index.record(add(number, entry(EXE))), range(2, 30)))
    assert index.counts().transactions == 29
    index.close()


def test_processes_may_record_the_same_transactions_at_once(url):
    code = "import sys; from tests.ledger.samples import record_many; record_many(sys.argv[1])"
    processes = [subprocess.Popen([sys.executable, "-c", code, url], cwd=REPOSITORY) for _ in range(3)]

    assert [process.wait(60) for process in processes] == [0, 0, 0]
    index = Index(url)
    assert index.counts() == Counts(50, 5000, 51)
    assert index.applied() == 51
    index.close()


def test_other_processes_see_a_new_revision(url):
    one, two = Index(url), Index(url)
    before = two.revision()

    one.record(add(1, entry(PDB)))

    assert two.revision() > before
    assert found(two, home(PDB)) == [home(PDB)]
    one.close()
    two.close()


def test_times_keep_their_zone(index):
    transaction = add(1)
    index.record(replace(transaction, when=transaction.when + timedelta(microseconds=1)))

    assert next(index.transactions()).when - transaction.when == timedelta(microseconds=1)


def test_the_file_is_where_the_url_says(tmp_path):
    Index(f"sqlite:///{tmp_path}/a/b/index.sqlite").close()

    with sqlite3.connect(tmp_path / "a/b/index.sqlite") as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def test_gaps_and_the_dead_are_told(index):
    for number in (1, 2, 5):
        index.record(add(number))
    index.record(drop(7, 2))

    assert index.gaps() == [3, 4, 6]
    assert index.gaps(last=2) == [6]
    assert index.dead([1, 2, 3, 5, 7]) == {2, 7}
    assert index.known([1, 2, 3, 7]) == {1, 2, 7}
    assert index.dead([]) == set()
