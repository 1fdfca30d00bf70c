"""Needs: a module's program and debug file, by all of its ids and under the names of the dump."""

from dataclasses import replace
from functools import partial

import pytest

from symsrv.model.ids import SymbolId, debug_id, pe_id
from symsrv.model.modules import Module
from symsrv.store.needs import need
from tests.crash.publishing import image
from tests.store.offered import BUILD, ELF, ELF_DEBUG, EXE, GUID, PDB, put_into
from tests.store.stores import add_as_symstore_does

CRASH = Module("Crash.exe", "C:\\out\\Crash.exe", EXE.ids, PDB.ids, debug_file="D:\\build\\CRASH.pdb")
FOO = Module("libfoo.so.6", "/usr/lib/libfoo.so.6", (BUILD,), (BUILD, debug_id(GUID, 0)))


@pytest.fixture
def store(opened):
    return opened()


@pytest.fixture
def put(store, tmp_path):
    return partial(put_into, store, tmp_path)


def asked(store, module):
    store.catch_up()
    return need(store, module)


def states(found):
    return found.state, found.code_state, found.debug_state


@pytest.mark.parametrize(
    ("here", "expected"),
    [
        ((), ("missing", "missing", "missing")),
        ((EXE,), ("near", "have", "near")),
        ((PDB,), ("near", "missing", "have")),
        ((EXE, PDB), ("have", "have", "have")),
    ],
)
def test_a_windows_program_and_its_pdb(store, put, here, expected):
    for identity in here:
        put(identity)

    found = asked(store, CRASH)

    assert states(found) == expected
    assert found.debug_name == "CRASH.pdb"


@pytest.mark.parametrize(
    ("here", "expected"),
    [
        ((ELF,), ("near", "have", "near")),
        ((ELF_DEBUG,), ("near", "near", "have")),
        ((ELF, ELF_DEBUG), ("have", "have", "have")),
        ((replace(ELF, kind="both"),), ("have", "have", "have")),
    ],
)
def test_a_library_by_its_build_id_whatever_the_loader_calls_it(store, put, here, expected):
    for identity in here:
        put(identity)

    assert states(asked(store, FOO)) == expected


def test_another_build_is_near_and_named(store, put):
    put(replace(PDB, ids=(debug_id("1" * 32, 1),)), version="2.0")

    found = asked(store, CRASH)

    assert states(found) == ("near", "missing", "near")
    assert [(one.reason, one.product, one.version) for one in found.near] == [("other-id", "app", "2.0")]


def test_what_was_deleted_is_missing(store, put):
    put(PDB)
    store.delete([1])

    assert states(asked(store, CRASH)) == ("missing", "missing", "missing")


def test_one_id_is_judged_alone(store, put):
    put(PDB)

    assert states(asked(store, replace(CRASH, code_ids=()))) == ("have", "no-id", "have")
    assert states(asked(store, Module("[vdso]", "[vdso]"))) == ("no-id", "no-id", "no-id")


@pytest.mark.parametrize("name", ["", "a\nb", "con", "\ud800", "x" * 300])
def test_a_name_that_can_be_none_is_asked_for_by_id_alone(store, put, name):
    put(ELF)
    put(EXE)

    assert asked(store, Module(name, name, (BUILD,))).state == "have"
    assert asked(store, Module(name, name, EXE.ids)).state == "near"
    assert asked(store, Module(name, name, (SymbolId("uuid", "ab" * 16),))).state == "missing"


@pytest.mark.parametrize(("followed", "expected"), [(True, "have"), (False, "missing")])
def test_what_a_client_gets_by_a_pointer_is_here(opened, tmp_path, followed, expected):
    out = tmp_path / "out"
    path = image(out, "a.dll")
    add_as_symstore_does(tmp_path / "store", path, kind="ptr", stored="file.ptr", data=f"PATH:{path}".encode())
    store = opened(pointer_roots=[out] if followed else ())

    module = Module("a.dll", "C:\\out\\a.dll", (pe_id(0x5AB38077, 0x9000),))

    assert asked(store, module).code_state == expected
