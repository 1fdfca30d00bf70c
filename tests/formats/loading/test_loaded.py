"""Files as modules."""

import pytest

from symsrv.formats import identify
from symsrv.formats.base import BytesReader
from symsrv.formats.loading.loaded import elf_module, identity_module, loaded_name
from symsrv.model.ids import SymbolId
from tests.made.elf_builder import BUILD_ID, build_elf
from tests.made.pdb_builder import build_pdb
from tests.made.pe_builder import Entry, build_pe, rsds


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("C:\\a\\b.dll", "b.dll"),
        ("/a/b.so (deleted)", "b.so"),
        ("b", "b"),
        ("", ""),
        ("/a/b.so (deleted).1", "b.so (deleted).1"),
    ],
)
def test_name_is_the_last_component(path, name):
    assert loaded_name(path) == name


@pytest.mark.parametrize("raw", [None, b"", bytes(20)])
def test_no_build_id(raw):
    one = elf_module("/lib/a.so", raw, base=1, size=2)

    assert (one.name, one.build_id, one.code_ids, one.debug_ids, one.base, one.size) == ("a.so", None, (), (), 1, 2)


def test_elf_identity_and_elf_module_agree():
    (identity,) = identify(BytesReader(build_elf()), "a.so")
    mapped = elf_module("/lib/a.so", BUILD_ID)

    one = identity_module(identity, "/lib/a.so")

    assert one.code_ids == mapped.code_ids
    assert set(mapped.debug_ids) <= set(one.debug_ids)
    assert one.to_record() == mapped.to_record()


def test_a_pe_has_its_pdbs_ids():
    (identity,) = identify(BytesReader(build_pe([Entry(rsds())])), "a.exe")

    one = identity_module(identity, "out/a.exe")

    assert one.code_ids == identity.ids
    assert one.debug_ids[0].kind == "debug"
    assert SymbolId("debug", one.debug_id.lower()) in one.debug_ids
    assert not set(one.code_ids) & set(one.debug_ids)


def test_a_pe_without_a_pdb_has_no_debug_ids():
    (identity,) = identify(BytesReader(build_pe([])), "a.exe")

    assert identity_module(identity, "a.exe").debug_ids == ()


def test_a_debug_file_has_no_code_ids():
    (identity,) = identify(BytesReader(build_pdb()), "a.pdb")

    one = identity_module(identity, "a.pdb")

    assert one.code_ids == ()
    assert one.debug_ids[: len(identity.ids)] == identity.ids
