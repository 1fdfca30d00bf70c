import pytest

from symsrv.layouts.debuginfod import Debuginfod
from symsrv.model.ask import Ask, Wants
from symsrv.model.ids import build_id, debug_id

BUILD = build_id(bytes.fromhex("b060ad20c6b47781552708aa192e7739fac7c84a"))


@pytest.mark.parametrize(
    ("rest", "ask"),
    [
        ("debuginfo", Ask(Wants.DEBUG, (BUILD,))),
        ("executable", Ask(Wants.CODE, (BUILD,))),
        ("section/.debug_line", Ask(Wants.SECTION, (BUILD,), detail=".debug_line")),
        ("section/.note.*<odd>", Ask(Wants.SECTION, (BUILD,), detail=".note.*<odd>")),
        ("section/" + "x" * 255, Ask(Wants.SECTION, (BUILD,), detail="x" * 255)),
    ],
)
@pytest.mark.parametrize("text", [BUILD.value, BUILD.value.upper()])
def test_reads(rest: str, ask: Ask, text: str):
    assert Debuginfod().parse(f"buildid/{text}/{rest}") == ask


@pytest.mark.parametrize(
    "rest",
    [
        "",
        "other",
        "section",
        "section/",
        "section/a/b",
        "section/a\0",
        "section/a\n",
        "section/\udc80",
        "section/" + "x" * 256,
        "debuginfo/",
        "executable/x",
        "source/usr/include/stdio.h",
    ],
)
def test_refuses(rest: str):
    assert Debuginfod().parse(f"buildid/{BUILD.value}/{rest}") is None


@pytest.mark.parametrize("text", ["", "a", "abc", "xy", "ab" * 65])
def test_refuses_what_is_no_build_id(text: str):
    assert Debuginfod().parse(f"buildid/{text}/debuginfo") is None


def test_reads_a_build_id_of_one_byte():
    assert Debuginfod().parse("buildid/ab/debuginfo") == Ask(Wants.DEBUG, (build_id(b"\xab"),))


def test_prints():
    root = f"buildid/{BUILD.value}"

    assert Debuginfod().paths(Ask(Wants.EITHER, (BUILD,), "a.so")) == (f"{root}/executable", f"{root}/debuginfo")
    assert Debuginfod().paths(Ask(Wants.SECTION, (BUILD,), detail=".gdb_index")) == (f"{root}/section/.gdb_index",)


def test_knows_neither_packed_files_nor_other_ids():
    assert Debuginfod().paths(Ask(Wants.DEBUG, (BUILD,), packed=True)) == ()
    assert Debuginfod().paths(Ask(Wants.DEBUG, (debug_id("0" * 32, 1),))) == ()
