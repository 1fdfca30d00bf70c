"""Modules of cores and source files of DWARF are those that elfutils and LLVM list."""

import subprocess
import sys
import time

import pytest

from symsrv.model.errors import NotIdentified
from tests.interop.oracles import inside, material
from tests.interop.oracles.answers import Answer
from tests.made import corpus, zig

pytestmark = pytest.mark.interop

MACHINE_LIMIT = 250
CRASHES = {
    "python": [sys.executable, "-c", "import ctypes, os, sqlite3, ssl; os.abort()"],  # about twenty libraries
    "shell": ["/bin/sh", "-c", "kill -ABRT $$"],
}


@pytest.fixture(params=[*CRASHES, "corpus"])
def core(request, tmp_path, peer):
    """A core written by gdb, so that the system's core pattern does not matter, or the one of the corpus."""
    if request.param == "corpus":
        found = [one.path for one in corpus.all_entries() if one.path.suffix == ".core"]
        return found[0] if found else pytest.skip("no corpus of real files")
    path = tmp_path / "core"
    commands = ["-ex", "run", "-ex", f"generate-core-file {path}", "-ex", "kill", "--args", *CRASHES[request.param]]
    done = subprocess.run(
        [peer("gdb"), "-nx", "-q", "-batch", *commands], capture_output=True, text=True, timeout=60, check=False
    )
    assert path.is_file(), done.stdout + done.stderr
    return path


def test_eu_unstrip_lists_the_same_modules_of_a_core(core, table, peer):
    sample = material.Sample(core, inside.CORE, "machine")
    ours = inside.our_modules(core)

    theirs = inside.eu_unstrip(peer("eu-unstrip"), core, ours=ours)

    assert theirs.fields
    assert table.compare(sample, "eu-unstrip", ours=ours, theirs=theirs) == "agreed", table.unexplained


def test_llvm_dwarfdump_lists_the_same_sources(table, peer):
    program = peer("llvm-dwarfdump-16", "/usr/bin/llvm-dwarfdump-1[6-9]", "llvm-dwarfdump")
    files = material.debug_files(MACHINE_LIMIT)
    files += [one.path for one in corpus.all_entries() if one.kind == "elf"]
    files += [zig.elf(arch).path for arch in zig.ELF_TARGETS] + [zig.relocatable()]
    before, began, compared = len(table.unexplained), time.monotonic(), 0

    for path, theirs in inside.llvm_dwarfdump(program, files).items():
        sample = material.Sample(path, inside.SOURCES, "elf")
        try:
            ours = inside.our_sources(path)
        except NotIdentified as error:
            ours = Answer(refused=error.reason)
        if theirs.refused:
            table.refuse(sample, "llvm-dwarfdump", ours=ours, reason=theirs.refused)
        else:
            table.compare(sample, "llvm-dwarfdump", ours=ours, theirs=theirs)
            compared += bool(theirs.fields["sources"])
    table.seconds[inside.SOURCES, "llvm-dwarfdump"] = time.monotonic() - began

    assert not table.unexplained[before:], "\n".join(table.unexplained[before:])
    assert compared >= len(zig.ELF_TARGETS)
