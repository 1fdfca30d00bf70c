import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symsrv.formats.base import BytesReader, FileReader
from symsrv.formats.portable_pdb import PortablePdb
from symsrv.layouts import keys
from symsrv.model.errors import NotIdentified
from symsrv.model.identity import DEBUG_INFO, Identity
from symsrv.model.ids import debug_id
from tests.formats.checks import check_against_manifest, check_keys, needs_symbolic, symbolic_object
from tests.made import corpus
from tests.made.pe_builder import GUID, GUID_TEXT
from tests.made.portable_builder import STAMP, build_metadata, build_portable


def identified(data, name="made.pdb"):
    (found,) = PortablePdb().identify(BytesReader(data), name)
    return found


def refused(data):
    with pytest.raises(NotIdentified) as caught:
        identified(data)
    assert str(caught.value)
    return caught.value.reason


@pytest.mark.parametrize("entry", corpus.entries("ppdb"))
def test_corpus(entry):
    if not entry.expected:
        assert refused(entry.path.read_bytes()) == "truncated"
        return
    with entry.path.open("rb") as file:
        reader = FileReader(file.fileno())
        (found,) = PortablePdb().identify(reader, entry.name)

    check_against_manifest(entry, found)
    check_keys(entry, found)
    assert reader.bytes_read < 8192


@needs_symbolic
@pytest.mark.parametrize("entry", corpus.entries("ppdb"))
def test_corpus_as_symbolic_reads_it(entry):
    if not entry.expected or entry.name == "SourceLink.pdbx":
        pytest.skip("symbolic refuses it")
    other = symbolic_object(entry.path)

    assert identified(entry.path.read_bytes()).debug_id.lower() == other.debug_id.replace("-", "").lower()


def test_ids():
    found = identified(build_portable())

    assert found.ids == (debug_id(GUID_TEXT, 0xFFFFFFFF),)
    assert found.also == (debug_id(GUID_TEXT, STAMP), debug_id(GUID_TEXT, 1))
    assert found.debug_id == GUID_TEXT.upper() + "c9a3b51"
    assert keys(found)[0] == f"made.pdb/{GUID_TEXT.upper()}ffffffff/made.pdb"
    assert (found.kind, found.arch, found.debug_file) == (DEBUG_INFO, None, "made.pdb")
    assert Identity.from_record(found.to_record()) == found


def test_stamp_that_is_an_age():
    assert identified(build_portable(stamp=1)).also == (debug_id(GUID_TEXT, 1),)


def test_metadata_of_a_program_is_no_pdb():
    data = build_metadata([("#~", bytes(32)), ("#Strings", b"\0")], version="WindowsRuntime 1.4")

    assert refused(data) == "not-symbols"


def test_zeros_are_no_id():
    assert refused(build_portable(guid=bytes(16))) == "no-id"


def test_cut_anywhere():
    data = build_portable(["a/b.cs"], source_link="{}")
    whole = identified(data)
    for size in range(len(data)):
        if size < data.index(GUID) + 20:
            assert refused(data[:size]) == "truncated"
        else:
            assert identified(data[:size]) == whole


@given(rest=st.binary(max_size=300))
def test_any_bytes_are_identified_or_not(rest):
    with contextlib.suppress(NotIdentified):
        identified(b"BSJB" + rest)
    with contextlib.suppress(NotIdentified):
        identified(build_metadata([])[:16] + rest)
