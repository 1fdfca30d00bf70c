"""Every real file has the ids that independent tools give it, or a rule says why not."""

import time
from dataclasses import replace

import pytest

from tests.interop.oracles import dump_syms, elf_tools, material, other_tools, pdb_tools, pe_tools, symbolic_tool
from tests.interop.oracles.answers import KINDS, Answer, ours
from tests.interop.oracles.rules import explanation

pytestmark = pytest.mark.interop

READOBJ = ("llvm-readobj-16", "/usr/bin/llvm-readobj-1[6-9]", "llvm-readobj")
PDBUTIL = ("llvm-pdbutil-16", "/usr/bin/llvm-pdbutil-1[6-9]", "llvm-pdbutil")
DWARFDUMP = ("llvm-dwarfdump-16", "/usr/bin/llvm-dwarfdump-1[6-9]", "llvm-dwarfdump")
MACHINE_DUMPS = 40  # files of this machine that dump_syms gets: it takes its time


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    return material.every(tmp_path_factory.mktemp("built"))


@pytest.fixture(scope="module")
def answers(samples):
    """What symsrv says of each, and which file it was that it read."""
    return {one: (ours(one.path, one.kind), one.stamp()) for one in samples}


@pytest.fixture
def compare(table, answers):
    """Compares a tool's answers on the files of one format; fails if there is a difference that nothing explains."""

    def check(kind, tool, reads, *, chosen=lambda sample: True, least=1):
        wanted = {one.path: one for one in answers if one.kind == kind and chosen(one)}
        began, before, compared = time.monotonic(), len(table.unexplained), 0
        said = reads(list(wanted))
        for path, sample in wanted.items():
            (own, stamp), theirs = answers[sample], said.get(path)
            if sample.stamp() != stamp:
                continue
            if theirs is None or theirs.refused:
                table.refuse(sample, tool, ours=own, reason=theirs.refused if theirs else "")
            else:
                compared += 1
                table.compare(sample, tool, ours=own, theirs=theirs)
        table.seconds[kind, tool] = time.monotonic() - began
        assert not table.unexplained[before:], "\n".join(table.unexplained[before:])
        assert compared >= least

    return check


def test_readelf_reads_the_same_build_ids(compare, peer):
    program = peer("readelf")

    compare("elf", "readelf", lambda files: elf_tools.readelf(program, files), least=100)


def test_eu_readelf_reads_the_same_build_ids(compare, peer):
    program = peer("eu-readelf")

    compare("elf", "eu-readelf", lambda files: elf_tools.eu_readelf(program, files), least=100)


def test_llvm_readobj_reads_the_same_build_ids(compare, peer):
    program = peer(*READOBJ)

    compare("elf", "llvm-readobj", lambda files: elf_tools.llvm_readobj(program, files), least=100)


def test_pyelftools_reads_the_same_build_ids(compare):
    compare("elf", "pyelftools", elf_tools.pyelftools, least=100)


def test_pefile_reads_the_same_images(compare):
    compare("pe", "pefile", pe_tools.pefile_reads, least=10)


def test_llvm_readobj_reads_the_same_images(compare, peer):
    program = peer(*READOBJ)

    compare("pe", "llvm-readobj", lambda files: pe_tools.llvm_readobj(program, files), least=10)


def test_the_symstore_package_files_images_alike(compare):
    compare("pe", "symstore (Python)", pe_tools.symstore_package, least=10)


def test_llvm_pdbutil_reads_the_same_pdbs(compare, peer):
    program = peer(*PDBUTIL)

    compare("pdb", "llvm-pdbutil", lambda files: pdb_tools.llvm_pdbutil(program, files), least=3)


def test_the_symstore_package_files_pdbs_alike(compare):
    compare("pdb", "symstore (Python)", pdb_tools.symstore_package, least=3)


@pytest.mark.parametrize("kind", ["pdb", "portable-pdb"])
def test_pdbs_have_the_ids_that_their_programs_name(compare, answers, kind):
    if not any(one.kind == kind and pdb_tools.program_of(one.path) for one in answers):
        pytest.skip(f"no {kind} file beside its program without the wheels")
    compare(
        kind, "program beside it (pefile)", pdb_tools.program_beside, chosen=lambda one: pdb_tools.program_of(one.path)
    )


def test_llvm_dwarfdump_reads_the_same_uuids(compare, peer):
    program = peer(*DWARFDUMP)

    compare("macho", "llvm-dwarfdump", lambda files: other_tools.llvm_dwarfdump(program, files), least=5)


def test_llvm_objdump_reads_the_same_load_commands(compare, peer):
    program = peer("llvm-objdump-16", "/usr/bin/llvm-objdump-1[6-9]", "llvm-objdump")

    compare("macho", "llvm-objdump", lambda files: other_tools.llvm_objdump(program, files), least=5)


def test_llvm_readobj_reads_the_same_modules(compare, peer):
    program = peer(*READOBJ)

    compare("wasm", "llvm-readobj", lambda files: other_tools.llvm_readobj_wasm(program, files), least=5)


@pytest.mark.parametrize("kind", KINDS)
def test_symbolic_reads_the_same_ids(compare, kind):
    compare(kind, "symbolic", lambda files: symbolic_tool.symbolic(files, kind))


@pytest.mark.parametrize("kind", ["elf", "pe", "pdb", "macho"])
def test_dump_syms_reads_the_same_ids(compare, answers, kind):
    program = dump_syms.program()
    of_machine = [one for one in answers if one.place == "machine"]
    some = set(of_machine[:: max(1, len(of_machine) // MACHINE_DUMPS)])

    compare(
        kind,
        "dump_syms",
        lambda files: dump_syms.reads(program, files),
        chosen=lambda one: (one.place != "machine" or one in some) and one.path.stat().st_size < dump_syms.LIMIT_BYTES,
    )


def test_no_rule_explains_another_value(table):
    def other(text):
        return f"{text[:-1]}{'1' if text[-1] == '0' else '0'}" if text else "0f" * 20

    for sample, tool, field, own, theirs in table.cases:
        changed = replace(theirs, fields={**theirs.fields, field: other(theirs.fields[field])})
        assert explanation(sample, tool, field=field, ours=own, theirs=changed) is None, f"{sample}: {tool}: {field}"


def test_a_difference_without_a_rule_is_counted_as_such(samples):
    from tests.interop.oracles.table import Table

    table, sample = Table(), next(one for one in samples if one.kind == "elf")

    verdict = table.compare(
        sample,
        "some tool",
        ours=Answer({"build id": "aa", "loads": "b"}),
        theirs=Answer({"build id": "bb", "loads": "b"}),
    )

    assert verdict == "unexplained"
    assert "'aa', some tool 'bb'" in table.unexplained[0]
