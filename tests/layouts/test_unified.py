import pytest

from symsrv.layouts.unified import Unified
from symsrv.model.ask import Ask, Wants
from symsrv.model.ids import build_id, debug_id, pe_id, uuid_id

GUID = "3249D99D0C4049318610F4E4FB0B6936"
PDB = debug_id(GUID, 1)
PATH = "32/49d99d0c4049318610f4e4fb0b69361"
ELF = build_id(bytes.fromhex("dfb85de42daffd09640c8fe377d572de3e168920"))
MACH = uuid_id(bytes.fromhex("67e9247c814e392ba027dbde6748fcbf"))


@pytest.mark.parametrize(
    ("word", "wants"), [("executable", Wants.CODE), ("debuginfo", Wants.DEBUG), ("breakpad", Wants.SYM)]
)
@pytest.mark.parametrize("spell", [str, str.upper])
def test_reads(word: str, wants: Wants, spell):
    assert Unified().parse(spell(f"{PATH}/{word}")) == Ask(wants, (PDB,))


@pytest.mark.parametrize(
    "path",
    [
        PATH,
        f"{PATH}/",
        f"{PATH}/meta",
        f"{PATH}/sourcebundle",
        f"{PATH}/debuginfo/x",
        f"{PATH}/refs/debuginfo",
        "32//debuginfo",
        f"3/{GUID}/debuginfo",
        f"324/{GUID}/debuginfo",
        "32/4g/debuginfo",
        "5A/B380779000x/executable",
        "12/3456789ab/executable",
    ],
)
def test_refuses(path: str):
    assert Unified().parse(path) is None


@pytest.mark.parametrize(
    ("digits", "wanted"),
    [
        ("dfb85de42daffd09640c8fe377d572de3e168920", debug_id("E45DB8DFAF2D09FD640C8FE377D572DE", 0)),
        ("0011223344556677", debug_id("33221100554477660000000000000000", 0)),
        ("67e9247c814e392ba027dbde6748fcbf", debug_id("67E9247C814E392BA027DBDE6748FCBF", 0)),
    ],
)
def test_text_symbols_are_found_by_the_id_of_their_program(digits: str, wanted):
    ask = Unified().parse(f"{digits[:2]}/{digits[2:]}/breakpad")

    assert ask is not None
    assert wanted in ask.ids
    whole = Unified().parse(f"{digits[:2]}/{digits[2:]}/debuginfo")
    assert whole is not None
    assert wanted not in whole.ids


def test_prints():
    assert Unified().paths(Ask(Wants.EITHER, (PDB,), "crash.pdb")) == (f"{PATH}/executable", f"{PATH}/debuginfo")
    assert Unified().paths(Ask(Wants.SYM, (PDB,), "crash.pdb")) == (f"{PATH}/breakpad",)
    assert Unified().paths(Ask(Wants.CODE, (ELF,))) == (f"df/{ELF.value[2:]}/executable",)
    assert Unified().paths(Ask(Wants.DEBUG, (MACH,))) == ("67/e9247c814e392ba027dbde6748fcbf/debuginfo",)


def test_has_no_path_for_what_it_does_not_carry():
    assert Unified().paths(Ask(Wants.CODE, (pe_id(1, 2),), "a.exe")) == ()
    assert Unified().paths(Ask(Wants.SECTION, (ELF,), detail=".text")) == ()
    assert Unified().paths(Ask(Wants.DEBUG, (PDB,), packed=True)) == ()
    assert Unified().paths(Ask(Wants.DEBUG, (build_id(b"a"),))) == ()
