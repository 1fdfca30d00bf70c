"""What a person asks for: names with ids in any spelling, paths and addresses."""

import pytest

from symsrv.layouts.asking import asked
from symsrv.model.ask import Ask, Wants
from symsrv.model.ids import SymbolId, debug_id

GUID = "3249d99d0c4049318610f4e4fb0b6936"
KEY = "crash.pdb/3249D99D0C4049318610F4E4FB0B69361/crash.pdb"


@pytest.mark.parametrize(
    "text",
    [
        KEY,
        f"/{KEY}",
        KEY.replace("/", "\\"),
        f"\\\\server\\symbols\\{KEY}",
        f"http://server:8080/{KEY}",
        f"https://server/download/symbols/{KEY}?x=1",
        f"https://server/cr/{KEY}",
        f"https://server/{KEY.replace('.', '%2E')}",
    ],
)
def test_a_path_or_an_address(text):
    ask = asked(text)

    assert ask is not None
    assert (ask.name, ask.ids[0]) == ("crash.pdb", debug_id(GUID, 1))


@pytest.mark.parametrize(
    "text",
    [
        f"{GUID}1",
        f"{GUID.upper()}1",
        "3249D99D-0C40-4931-8610-F4E4FB0B6936-1",
        "{3249d99d-0c40-4931-8610-f4e4fb0b6936}1",
    ],
)
def test_a_name_and_an_id(text):
    ask = asked("C:\\out\\crash.pdb", text)

    assert ask is not None
    assert (ask.name, ask.ids[0]) == ("crash.pdb", debug_id(GUID, 1))


def test_ids_of_other_kinds():
    build = "dfb85de42daffd09640c8fe377d572de3e168920"

    assert asked("libfoo.so", f"elf-buildid-{build}") == Ask(Wants.CODE, (SymbolId("build", build),), "libfoo.so")
    assert asked(f"buildid/{build}/debuginfo") == Ask(Wants.DEBUG, (SymbolId("build", build),))
    assert asked("a.dll", "5AB380779000").ids == (
        SymbolId("pe", "5ab380779000"),
        SymbolId("build", "5ab380779000"),
        SymbolId("wasm", "5ab380779000"),
    )


@pytest.mark.parametrize(
    "words", [("crash.pdb",), ("",), ("a/b/c",), ("http://server/",), ("crash.pdb", "xyz"), ("a", "b/c")]
)
def test_what_nobody_reads(words):
    assert asked(*words) is None
