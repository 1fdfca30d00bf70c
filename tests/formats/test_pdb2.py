import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symsrv.formats.base import HEAD_BYTES, BytesReader
from symsrv.formats.pdb2 import Pdb2
from symsrv.model.errors import NotIdentified
from symsrv.model.identity import DEBUG_INFO
from tests.formats.checks import check_against_manifest, check_keys
from tests.made import corpus
from tests.made.pdb2_builder import DBI_V60, ID, MAGIC, build_pdb2, info2_stream
from tests.made.pdb_builder import NIL, dbi_stream, module

DATABASE = "a compiler's database: no debugger asks for it"
SYMBOL_KINDS = {"pdb2/vc60.pdb": "typ", "traps/vc60.idb": "typ"}


def identified(data: bytes, name: str = "made.pdb"):
    (found,) = Pdb2().identify(BytesReader(data), name)
    return found


def refused(data: bytes) -> str:
    with pytest.raises(NotIdentified) as caught:
        identified(data)
    return caught.value.reason


def survives(data: bytes):
    reader = BytesReader(data)
    try:
        (found,) = Pdb2().identify(reader, "made.pdb")
    except NotIdentified:
        return None
    assert reader.bytes_read <= reader.budget
    return found


@pytest.mark.parametrize("entry", corpus.entries("pdb2"))
def test_corpus(entry):
    data = entry.path.read_bytes()
    if not entry.expected:
        assert refused(data) == "truncated"
        return
    found = identified(data, entry.name)

    check_against_manifest(entry, found)
    check_keys(entry, found)
    assert found.symbol_kind == SYMBOL_KINDS.get(entry.where, "pri")
    assert found.unfit == ("not-symbols" if entry.name.endswith(".idb") else None)
    assert (DATABASE in found.notes) == (found.symbol_kind == "typ" and not found.unfit)
    assert found.debug_file == entry.name


def test_made():
    found = identified(build_pdb2())

    assert (found.format, found.kind, found.symbol_kind) == ("pdb", DEBUG_INFO, "pri")
    assert [(one.kind, one.value) for one in found.ids] == [("pe", ID)]
    assert (found.debug_id, found.arch, found.notes) == ("3AB5CD4F2", None, ("PDB 2.0",))


def test_signature_has_eight_digits_and_age_is_hexadecimal():
    found = identified(build_pdb2(info=info2_stream(age=88, signature=0xABC), dbi=dbi_stream(88, version=DBI_V60)))

    assert (found.ids[0].value, found.debug_id) == ("00000abc58", "00000ABC58")


def test_dbi_age_counts_not_the_one_that_pdbstr_raises():
    assert identified(build_pdb2(info=info2_stream(age=5))).ids[0].value == ID


@pytest.mark.parametrize("dbi", [None, NIL, b""])
def test_without_dbi_the_info_age_counts(dbi):
    found = identified(build_pdb2(info=info2_stream(age=7), dbi=dbi))

    assert (found.ids[0].value, found.symbol_kind) == (ID[:-1] + "7", "typ")
    assert found.notes == ("PDB 2.0", DATABASE)


def test_dbi_stream_from_before_vc60_has_no_age():
    found = identified(build_pdb2(info=info2_stream(age=7), dbi=bytes(range(100))))

    assert (found.ids[0].value, found.symbol_kind, found.notes) == (ID[:-1] + "7", "typ", ("PDB 2.0",))


@pytest.mark.parametrize(("modules", "kind"), [(module(c11=8), "pri"), (module(), "pub"), (b"", "pub")])
def test_symbol_kind_and_machine(modules, kind):
    found = identified(build_pdb2(dbi=dbi_stream(2, version=DBI_V60, machine=0x14C, modules=modules)))

    assert (found.symbol_kind, found.arch) == (kind, "x86")


def test_source_indexed():
    found = identified(build_pdb2(info=info2_stream(names={"srcsrv": 4}), more=[b"SRCSRV: ini"]))

    assert found.notes == ("PDB 2.0", "source indexed (srcsrv)")


@pytest.mark.parametrize(("info", "reason"), [(b"", "no-id"), (bytes(11), "no-id"), (bytes(40), "malformed")])
def test_info_stream_that_is_none(info, reason):
    assert refused(build_pdb2(info=info)) == reason


def test_sniffs_the_whole_magic():
    assert Pdb2().sniff(build_pdb2()[:HEAD_BYTES])
    assert not Pdb2().sniff(MAGIC[:-1])
    assert not Pdb2().sniff(b"")


def test_cut_anywhere():
    data = build_pdb2(page_size=512)
    whole = identified(data)

    for size in range(len(data)):
        found = survives(data[:size])
        assert found is None or found.ids == whole.ids


@given(
    changes=st.lists(
        st.tuples(st.integers(0, 4090), st.sampled_from([0, 1, 0x7FFF, 0x80000000, NIL]) | st.integers(0, NIL)),
        min_size=1,
        max_size=8,
    )
)
def test_mutated_files_are_identified_or_not(changes):
    data = bytearray(build_pdb2(page_size=512))
    for at, word in changes:
        struct.pack_into("<I", data, at % (len(data) - 4), word)
    survives(bytes(data))
