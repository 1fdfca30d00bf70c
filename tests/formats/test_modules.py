"""The door: modules of whatever a file is."""

import pytest

from symsrv.formats.base import READ_BUDGET_BYTES, BytesReader
from symsrv.formats.modules import MODULES_BUDGET_BYTES, modules, modules_of_path
from symsrv.model.errors import BadName, NotIdentified
from symsrv.model.modules import Module
from tests.made import corpus
from tests.made.core_builder import Mapped, build_core
from tests.made.elf_builder import BUILD_ID, build_elf
from tests.made.minidump_builder import Loaded, build_minidump, rsds
from tests.made.pdb_builder import build_pdb
from tests.made.pe_builder import RVA, Entry, build_pe
from tests.made.pe_builder import rsds as pe_rsds
from tests.made.version_builder import versioned


def listed(data: bytes, name: str = "made.bin") -> list[Module]:
    return list(modules(BytesReader(data, MODULES_BUDGET_BYTES), name))


def refusal(data: bytes) -> str:
    with pytest.raises(NotIdentified) as caught:
        listed(data)
    return caught.value.reason


@pytest.mark.parametrize("order", "<>")
def test_minidump(order):
    assert [one.name for one in listed(build_minidump(order=order))] == ["crash.exe"]


@pytest.mark.parametrize(("wide", "order"), [(False, "<"), (False, ">"), (True, "<"), (True, ">")])
def test_core(wide, order):
    data = build_core([Mapped("/lib/a.so", 0x5000, build_elf(wide=wide, order=order))], wide=wide, order=order)

    assert [one.name for one in listed(data)] == ["crash", "a.so"]


def test_pe_and_what_it_imports():
    table = b"\1" * 12 + RVA.to_bytes(4, "little") + b"\1" * 4 + bytes(20)

    own, other = listed(build_pe([Entry(pe_rsds())], others={1: table}, at_rva=b"USER32.dll\0\0"), "a.exe")

    assert (own.name, own.path, own.debug_file) == ("a.exe", "a.exe", "made.pdb")
    assert own.code_id
    assert other == Module("USER32.dll", "USER32.dll")


def test_version_of_a_pe():
    (own,) = listed(versioned((4, 6, 25507, 0)), "a.exe")
    (other,) = listed(versioned((0, 0, 0, 0)), "a.exe")

    assert own.version == "4.6.25507.0"
    assert other.version is None


def test_elf_alone():
    (one,) = listed(build_elf(), "a.so")

    assert one.build_id == BUILD_ID.hex()


def test_debug_file_is_its_own_module():
    (one,) = listed(build_pdb(), "a.pdb")

    assert one.debug_id
    assert one.code_ids == ()


@pytest.mark.parametrize("where", ["elf/apphost", "macho/crash", "pe"])
def test_programs_of_the_corpus(where):
    entries = [one.values[0] for one in corpus.entries() if one.values[0] and one.values[0].where.startswith(where)]
    if not entries:
        pytest.skip("no corpus")
    found = list(modules_of_path(entries[0].path))

    assert found[0].name == entries[0].path.name
    assert len(found) > 1
    assert all(one.name and not one.code_id for one in found[1:])


def test_neither_dump_nor_program():
    assert refusal(b"") == "empty"
    assert refusal(b"notes") == "unknown-format"
    assert refusal(b"-----BEGIN BREAKPAD MICRODUMP-----\nV LIB/libc.so\n") == "unknown-format"


def test_a_path(tmp_path):
    path = tmp_path / "a.dmp"
    path.write_bytes(build_minidump([Loaded(f"C:\\{index}.dll", rsds()) for index in range(3000)]))

    assert len(list(modules_of_path(path))) == 3000
    assert READ_BUDGET_BYTES < MODULES_BUDGET_BYTES


def test_paths_that_cannot_be_read(tmp_path):
    with pytest.raises(OSError, match="none"):
        list(modules_of_path(tmp_path / "none.dmp"))
    with pytest.raises(NotIdentified):
        list(modules_of_path(tmp_path))


def test_only_a_program_needs_a_name_that_a_store_can_hold():
    assert listed(build_minidump(), "core:1")
    with pytest.raises(BadName):
        listed(build_elf(), "a:1.so")


@pytest.mark.parametrize("entry", corpus.entries())
def test_whole_corpus_is_listed_or_refused(entry):
    try:
        for one in modules_of_path(entry.path):
            one.to_record()
    except (NotIdentified, BadName):
        return
