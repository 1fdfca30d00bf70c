import sys

import pytest

from symsrv.formats import identify_path
from symsrv.mirror.converters import ConversionError, Job
from symsrv.mirror.converters.dump_syms import DumpSyms
from symsrv.mirror.programs import Bounds
from symsrv.model.identity import BOTH, Identity
from symsrv.model.ids import uuid_id
from tests.made.elf_builder import DEBUG, build_elf
from tests.made.pdb_builder import build_pdb
from tests.made.pe_builder import Entry, build_pe, rsds
from tests.mirror.converters.fakes import script

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a script")

BOUNDS = Bounds(idle_seconds=30, cpu_seconds=30, output_bytes=1 << 26)

# Writes what it was told and what it finds beside, in the form of symbols.
TELLS = """
import os
from pathlib import Path
out = arguments[arguments.index("-o") + 1]
files = [one for one in arguments if "/" in one and one != out]
lines = ["MODULE windows x86_64 3249D99D0C4049318610F4E4FB0B69361 " + Path(files[0]).name]
lines.append("INFO CODE_ID 5AB380779000 " + Path(files[0]).stem + ".dll")
lines.append("INFO GENERATOR " + " ".join(arguments))
lines += ["PUBLIC 0 0 " + str(len(files)) + ":" + "|".join(sorted(
    os.path.join(os.path.basename(place), name) for place, _, names in os.walk(".") for name in names))]
Path(out).write_text("\\n".join(lines) + "\\n")
"""


@pytest.fixture
def tool(tmp_path):
    return DumpSyms().tool(str(script(tmp_path / "dump_syms", TELLS)))


def job(folder, *, name="a.pdb", data=None, identity=None, **more):
    path = folder / "stored"
    path.write_bytes(build_pdb() if data is None else data)
    scratch = folder / "scratch"
    scratch.mkdir()
    return Job(path, identity or identify_path(path, name)[0], name, scratch, BOUNDS, **more)


def program(folder):
    path = folder / "stored-program"
    path.write_bytes(build_pe([Entry(rsds())]))
    return path


def test_the_version_is_the_tools_own(tool):
    assert str(tool) == "dump_syms 9.9.9"


@pytest.mark.parametrize(
    ("body", "version"),
    [("", "usage: dump_syms file"), ("sys.exit(1)", "")],
    ids=["another tool of that name", "nothing said"],
)
def test_what_does_not_say_its_version_is_not_the_tool(tmp_path, body, version):
    assert DumpSyms().tool(str(script(tmp_path / "dump_syms", body, version=version))) is None


def test_it_is_found_on_the_path(tmp_path, monkeypatch):
    script(tmp_path / "dump_syms", "")
    monkeypatch.setenv("PATH", str(tmp_path))

    found = DumpSyms().tool()

    assert found is not None
    assert found.command == (str(tmp_path / "dump_syms"),)


def test_a_program_is_laid_beside_its_pdb_and_keeps_its_own_name(tmp_path, tool):
    made = DumpSyms().convert(tool, job(tmp_path, program=program(tmp_path), program_name="driver.sys"))

    text = made.read_text()
    assert text.startswith("MODULE windows x86_64 3249D99D0C4049318610F4E4FB0B69361 a.pdb\n")
    assert "\nINFO CODE_ID 5AB380779000 driver.sys\n" in text
    assert "1:debug/a.dll|debug/a.pdb" in text


def test_a_pdb_that_is_called_after_its_program(tmp_path, tool):
    made = DumpSyms().convert(tool, job(tmp_path, name="a.dll.pdb", program=program(tmp_path), program_name="a.dll"))

    assert "\nINFO CODE_ID 5AB380779000 a.dll\n" in made.read_text()
    assert [one.name for one in made.parent.glob("*.sym")] == [made.name]


def test_an_elf_files_debug_file_and_program_bear_one_name(tmp_path, tool):
    elf = job(tmp_path, name="liba.so", data=build_elf((DEBUG,)), program=program(tmp_path), program_name="liba.so")

    text = DumpSyms().convert(tool, elf).read_text()

    assert "2:debug/liba.so|program/liba.so" in text


@pytest.mark.parametrize(("arch", "told"), [("arm64e", True), ("armv8", False), ("0x99", False)])
def test_a_slice_of_a_fat_file_is_named_by_its_processor(tmp_path, tool, arch, told):
    identity = Identity("macho", BOTH, "a", (uuid_id(bytes(range(16))),), arch=arch)

    made = DumpSyms().convert(tool, job(tmp_path, name="a", data=b"fat", identity=identity))

    assert (f"--arch {arch}" in made.read_text()) == told


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("", "made nothing"),
        ("open(arguments[2], 'w').write('MODULE windows x86 1 a.pdb\\nINFO CODE_ID 1 a.dll\\n')", "no function"),
        ("sys.exit('invalid pdb file')", "exit code 1: invalid pdb file"),
    ],
    ids=["nothing", "empty symbols", "refusal"],
)
def test_what_comes_out_must_be_of_use(tmp_path, body, says):
    tool = DumpSyms().tool(str(script(tmp_path / "dump_syms", body)))

    with pytest.raises(ConversionError, match=says) as raised:
        DumpSyms().convert(tool, job(tmp_path))

    assert raised.value.reason == "conversion-failed"


def test_records_are_found_wherever_they_begin(tmp_path):
    body = """
head = "MODULE windows x86 1 a.pdb\\n"
filler = "FILE 0 " + "x" * ((1 << 20) - len(head) - 7 - 3) + "\\n"
open(arguments[2], "w").write(head + filler + "FUNC 0 1 0 main\\n")
"""
    tool = DumpSyms().tool(str(script(tmp_path / "dump_syms", body)))

    assert DumpSyms().convert(tool, job(tmp_path)).stat().st_size > 1 << 20
