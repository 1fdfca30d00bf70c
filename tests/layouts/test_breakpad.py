import pytest

from symsrv.layouts.breakpad import Breakpad
from symsrv.model.ask import Ask, Wants
from symsrv.model.ids import MSFZ, SymbolId, build_id, debug_id, pe_id, uuid_id, wasm_id

GUID = "3249D99D0C4049318610F4E4FB0B6936"


@pytest.mark.parametrize(
    ("name", "leaf"),
    [
        ("crash.pdb", "crash.sym"),
        ("FOO.PDB", "FOO.sym"),
        ("FOO.PDB", "FOO.PDB.sym"),
        ("chrome.dll.pdb", "chrome.dll.sym"),
        ("foo.pdb.pdb", "foo.pdb.sym"),
        ("foo.pdb.pdb", "foo.sym"),
        ("crash", "crash.sym"),
        ("XUL", "XUL.sym"),
        ("libfoo.so", "libfoo.so.sym"),
        (".pdb", ".pdb.sym"),
        ("CRASH.PDB", "crash.SYM"),
    ],
)
def test_leaf(name: str, leaf: str):
    ask = Breakpad().parse(f"{name}/{GUID}1/{leaf}")

    assert ask == Ask(Wants.SYM, (debug_id(GUID, 1),), name, leaf)


@pytest.mark.parametrize("leaf", ["other.sym", "crash.pdb.sym.sym", "crash.dll.sym", ".sym", "crash.pdb", "cras.sym"])
def test_refuses_a_leaf_that_does_not_go_with_its_folder(leaf: str):
    assert Breakpad().parse(f"crash.pdb/{GUID}1/{leaf}") is None


@pytest.mark.parametrize(
    "path", ["a.pdb/nothing/a.sym", "con/5AB380779000/con.sym", f"{'x' * 252}/{GUID}1/{'x' * 252}.sym"]
)
def test_refuses_what_is_no_id_or_no_name(path: str):
    assert Breakpad().parse(path) is None


def test_code_id_form():
    ask = Breakpad().parse("xul.dll/652DE0ED706D000/xul.sym")

    assert ask is not None
    assert (ask.wants, ask.name, ask.detail) == (Wants.SYM, "xul.dll", "xul.sym")
    assert ask.ids[0] == pe_id(0x652DE0ED, 0x706D000)


def test_tecken_puts_the_age_in_upper_case():
    ask = Breakpad().parse(f"crash.pdb/{GUID}1A/crash.sym")

    assert ask is not None
    assert ask.ids[0] == debug_id(GUID, 26)


@pytest.mark.parametrize(
    ("name", "leaves"),
    [
        ("crash.pdb", ["crash.sym"]),
        ("FOO.PDB", ["FOO.sym", "FOO.PDB.sym"]),
        ("a.pdb.pdb", ["a.pdb.sym", "a.sym"]),
        ("libfoo.so", ["libfoo.so.sym"]),
        (".pdb", [".pdb.sym"]),
    ],
)
def test_prints_every_leaf_that_a_client_builds(name: str, leaves: list[str]):
    paths = Breakpad().paths(Ask(Wants.SYM, (debug_id(GUID, 26),), name))

    assert list(paths) == [f"{name}/{GUID}1a/{leaf}" for leaf in leaves]


def test_prints_code_ids_in_upper_case():
    paths = Breakpad().paths(Ask(Wants.SYM, (pe_id(0x652DE0ED, 0x706D0AB),), "xul.dll"))

    assert paths == ("xul.dll/652DE0ED706D0AB/xul.sym", "xul.dll/652DE0ED706D0AB/xul.dll.sym")


def test_carries_nothing_but_sym_files():
    assert Breakpad().paths(Ask(Wants.DEBUG, (debug_id(GUID, 1),), "crash.pdb")) == ()
    assert Breakpad().paths(Ask(Wants.SYM, (debug_id(GUID, 1),))) == ()


def test_pdb_20():
    path = "module2.pdb/222222222/module2.sym"

    assert Breakpad().paths(Ask(Wants.SYM, (pe_id(0x22222222, 2),), "module2.pdb")) == (path,)
    ask = Breakpad().parse(path)
    assert ask is not None
    assert pe_id(0x22222222, 2) in ask.ids


def test_prints_build_ids_and_uuids_as_code_ids_and_no_others():
    build, uuid = build_id(b"\xab" * 20), uuid_id(b"\xcd" * 16)
    ids = (build, uuid, wasm_id(b"\xef" * 16), SymbolId(MSFZ, f"{GUID.lower()}1"))

    assert Breakpad().paths(Ask(Wants.SYM, ids, "a.so")) == (
        f"a.so/{'AB' * 20}/a.so.sym",
        f"a.so/{'CD' * 16}/a.so.sym",
    )
