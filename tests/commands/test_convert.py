"""`symsrv convert`: what it makes of which files, and what it says where it cannot."""

import sys

import pytest

from symsrv.formats import identify_path
from tests.made import zig
from tests.made.macho_builder import ARM64, X86_64, build_fat, build_macho
from tests.made.macho_builder import uuid_command as uuid
from tests.made.pdb2_builder import build_pdb2
from tests.mirror.converters.fakes import dump_syms

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a script")


@pytest.fixture
def tool(tmp_path):
    return dump_syms(tmp_path / "dump_syms")


def test_a_pdb_and_its_program_become_text_symbols(run, tmp_path, tool):
    pair = zig.linked("x86_64")

    done = run("convert", pair.debug, pair.code, "--tool", tool, "-o", tmp_path / "out")

    made = tmp_path / "out" / "made.sym"
    assert (done.code, done.out) == (0, f"{made}\n")
    [identity] = identify_path(made, "made.sym")
    assert (identity.debug_file, identity.code_file) == ("made.pdb", "made.exe")


def test_the_answer_in_json(run, tmp_path, tool):
    path = zig.elf().path

    [line] = run("convert", path, "--tool", tool, "-o", tmp_path, "--json").lines

    assert line == {
        "path": str(path),
        "made": str(tmp_path / "libmade.so.sym"),
        "debug_id": identify_path(path, "libmade.so")[0].debug_id,
        "tool": "dump_syms 9.9.9",
    }


def test_each_slice_of_a_fat_file_is_converted(run, tmp_path, tool):
    path = tmp_path / "fat"
    arm = build_macho((uuid(bytes(range(0x40, 0x50))),), file_type=8, machine=ARM64, subtype=0)
    path.write_bytes(build_fat([(X86_64, 3, build_macho(file_type=8)), (ARM64, 0, arm)]))

    done = run("convert", path, "--tool", tool, "-o", tmp_path / "out")

    assert done.out.splitlines() == [str(tmp_path / "out" / f"fat.{arch}.sym") for arch in ("x86_64", "arm64")]


def test_symcaches(run, tmp_path):
    symbolic = pytest.importorskip("symbolic")

    done = run("convert", zig.linked("x86_64").debug, "--to", "symcache", "-o", tmp_path)

    assert done.code == 0
    assert symbolic.SymCache.open(str(tmp_path / "made.pdb.symcache")).arch == "x86_64"


def test_what_cannot_be_converted_does_not_stop_the_others(run, tmp_path, tool):
    old = tmp_path / "old.pdb"
    old.write_bytes(build_pdb2())
    text = tmp_path / "notes.txt"
    text.write_text("nothing of the kind")

    done = run("convert", old, text, tmp_path / "gone", zig.elf().path, "--tool", tool, "-o", tmp_path, "--json")

    assert done.code == 3
    reasons = [one.get("reason") for one in done.lines]
    assert sorted(filter(None, reasons)) == ["no-converter", "unknown-format", "unreadable"]
    assert reasons.count(None) == 1


def test_without_a_tool_nothing_is_done(run, tmp_path):
    done = run("convert", zig.elf().path, "--tool", tmp_path / "nowhere", "-o", tmp_path / "out")

    assert done.code == 1
    assert "nowhere cannot be run" in done.err
    assert not (tmp_path / "out").exists()
