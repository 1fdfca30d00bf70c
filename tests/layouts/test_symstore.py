import pytest

from symsrv.layouts.symstore import Symstore
from symsrv.model.ask import Ask, Wants
from symsrv.model.ids import build_id, debug_id, pe_id

GUID = "3249D99D0C4049318610F4E4FB0B6936"


@pytest.mark.parametrize(
    ("file", "name", "packed"),
    [
        ("crash.pdb", "crash.pdb", False),
        ("crash.pd_", "crash.pdb", True),
        ("CRASH.PD_", "crash.pdb", True),
        ("crash.pd_", "crash.pd_", False),
        ("crash.pd_", "CRASH.PD_", False),
        ("Größ_", "Größe", True),
    ],
)
def test_packed_form(file: str, name: str, packed: bool):
    ask = Symstore().parse(f"{name}/{GUID}1/{file}")

    assert ask == Ask(Wants.EITHER, (debug_id(GUID, 1),), name, packed=packed)


@pytest.mark.parametrize("file", ["crash.p_", "crash.pdb_", "crash.pd", "crash", "_", "crash.ex_", "file.ptr"])
def test_other_files_of_the_folder_are_not_asked_for(file: str):
    assert Symstore().parse(f"crash.pdb/{GUID}1/{file}") is None


def test_prints_as_symstore_exe_writes():
    paths = Symstore().paths(Ask(Wants.DEBUG, (debug_id(GUID.lower(), 0xA),), "Crash.pdb"))

    assert paths[0] == f"Crash.pdb/{GUID}a/Crash.pdb"
    assert Symstore().paths(Ask(Wants.CODE, (pe_id(0x0A1B2C3D, 0xC2000),), "Foo.exe")) == (
        "Foo.exe/0A1B2C3Dc2000/Foo.exe",
    )


def test_prints_the_packed_form():
    assert Symstore().paths(Ask(Wants.CODE, (pe_id(1, 0x1000),), "a.dll", packed=True)) == ("a.dll/000000011000/a.dl_",)


def test_a_packed_name_has_no_packed_form():
    assert Symstore().paths(Ask(Wants.CODE, (pe_id(1, 0x1000),), "a.dl_", packed=True)) == ()


def test_small_image():
    assert Symstore().paths(Ask(Wants.CODE, (pe_id(0x04A30CF0, 0x800),), "a.exe")) == ("a.exe/04A30CF0800/a.exe",)


def test_decimal_age():
    assert Symstore().paths(Ask(Wants.DEBUG, (debug_id(GUID, 26),), "a.pdb")) == (
        f"a.pdb/{GUID}1a/a.pdb",
        f"a.pdb/{GUID}26/a.pdb",
    )
    assert Symstore().paths(Ask(Wants.DEBUG, (debug_id(GUID, 9),), "a.pdb")) == (f"a.pdb/{GUID}9/a.pdb",)


def test_the_tail_of_a_portable_pdb_is_no_age():
    assert Symstore().paths(Ask(Wants.DEBUG, (debug_id(GUID, 0xFFFFFFFF),), "a.pdb")) == (
        f"a.pdb/{GUID}ffffffff/a.pdb",
    )


def test_has_no_path_without_a_name_or_for_a_build_id():
    assert Symstore().paths(Ask(Wants.DEBUG, (debug_id(GUID, 1),))) == ()
    assert Symstore().paths(Ask(Wants.CODE, (build_id(b"\x01" * 20),), "a.so")) == ()
    assert Symstore().paths(Ask(Wants.SYM, (debug_id(GUID, 1),), "a.pdb")) == ()
