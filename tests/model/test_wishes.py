"""What a module makes people ask for, and what nobody can be wanting."""

from datetime import UTC, datetime

import pytest

from symsrv.layouts import parse_any
from symsrv.model.ask import Ask, Wants
from symsrv.model.ids import SymbolId, build_id, debug_id, pe_id
from symsrv.model.modules import Module
from symsrv.model.wants import want_key
from symsrv.model.wishes import TEXT_LIMIT, is_wish, module_ask, module_wishes

GUID = "3249d99d0c4049318610f4e4fb0b6936"
PROGRAM = Module(
    "crash.exe",
    "C:\\out\\crash.exe",
    code_ids=(pe_id(0x5AB38077, 0x9000),),
    debug_ids=(debug_id(GUID, 1),),
    debug_file="D:\\build\\Crash.pdb",
    version="1.2.3.4",
)
LIBRARY = Module("libc.so.6", "/lib/libc.so.6", (build_id(b"\1" * 20),), (build_id(b"\1" * 20), debug_id(GUID, 0)))


def test_a_module_is_wanted_as_a_program_and_as_a_debug_file():
    when = datetime(2026, 1, 2, tzinfo=UTC)

    code, debug = module_wishes(PROGRAM, who="dump:a.dmp", count=3, seen=when)

    assert (code.ask.wants, code.ask.name, code.ask.ids) == (Wants.CODE, "crash.exe", PROGRAM.code_ids)
    assert (debug.ask.wants, debug.ask.name, debug.ask.ids) == (Wants.DEBUG, "Crash.pdb", PROGRAM.debug_ids)
    for one in (code, debug):
        assert (one.who, one.count, one.path, one.version) == ("dump:a.dmp", 3, "C:\\out\\crash.exe", "1.2.3.4")
        assert one.seen is when
        assert not one.urgent


def test_a_debuggers_miss_and_a_dumps_module_are_the_same_want():
    code, debug = module_wishes(PROGRAM, who="dump:a.dmp")

    asked = [parse_any(f"crash.pdb/{GUID}1/crash.pdb"), parse_any("CRASH.EXE/5AB380779000/CRASH.EX_")]

    assert [want_key(one) for one in asked] == [want_key(debug.ask), want_key(code.ask)]


def test_the_debug_file_of_an_elf_file_is_asked_for_by_its_own_name():
    assert module_ask(LIBRARY, Wants.DEBUG) == Ask(Wants.DEBUG, LIBRARY.debug_ids, "libc.so.6")


def test_what_a_module_tells_no_id_of_is_not_wanted():
    code_only = Module("a.dll", "a.dll", code_ids=PROGRAM.code_ids)

    assert [one.ask.wants for one in module_wishes(code_only, who="x")] == [Wants.CODE]
    assert module_wishes(Module("vdso", "vdso"), who="x") == ()


def test_a_name_that_cannot_be_one_is_left_away():
    hostile = Module("..", "/..", LIBRARY.code_ids, debug_ids=(debug_id(GUID, 1),), debug_file="a:b.pdb")

    (only,) = module_wishes(hostile, who="x")

    # The build id needs no name; a PDB without one can be asked of nobody.
    assert (only.ask.wants, only.ask.name) == (Wants.CODE, None)


def test_what_a_dump_says_at_length_is_cut():
    long = Module("a.dll", "x" * 30_000, PROGRAM.code_ids, version="9" * 5000)

    (wish,) = module_wishes(long, who="x")

    assert (wish.path, wish.version) == ("x" * TEXT_LIMIT, "9" * TEXT_LIMIT)


@pytest.mark.parametrize(
    "path",
    [
        "crash.pdb/000000000000000000000000000000000/crash.pdb",
        "crash.pdb/000000000000000000000000000000001/crash.pdb",
        "crash.sym/000000000000000000000000000000000/crash.sym",
        "a.exe/000000000/a.exe",
        "buildid/0000000000000000000000000000000000000000/debuginfo",
    ],
)
def test_ids_of_zeros_are_nobodys_wish(path):
    ask = parse_any(path)

    assert ask is not None
    assert not is_wish(ask)


@pytest.mark.parametrize(
    "path",
    [
        "crash.pdb/3249D99D0C4049318610F4E4FB0B69361/crash.pdb",
        "crash.pdb/3249D99D0C4049318610F4E4FB0B69361/crash.sym",
        "a.exe/000000009000/a.exe",  # linkers may write no time
        "buildid/dfb85de42daffd09640c8fe377d572de3e168920/debuginfo",
        "buildid/dfb85de42daffd09640c8fe377d572de3e168920/section/.debug_line",
    ],
)
def test_what_a_client_asks_for_is_a_wish(path):
    ask = parse_any(path)

    assert ask is not None
    assert is_wish(ask)


def test_an_ask_without_ids_is_none():
    assert not is_wish(Ask(Wants.CODE, (), "a.dll"))
    assert not is_wish(Ask(Wants.DEBUG, (SymbolId("debug", GUID + "1"),)))
