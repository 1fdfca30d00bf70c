import pytest
from hypothesis import given
from hypothesis import strategies as st

from symsrv.formats.base import BytesReader
from symsrv.formats.structures.clr_metadata import STREAMS_LIMIT, PdbId, Span, pdb_id, pdb_stream, read_streams
from symsrv.model.errors import NotIdentified
from tests.made.pe_builder import GUID_TEXT
from tests.made.portable_builder import STAMP, build_metadata, build_portable


def refused(data):
    with pytest.raises(NotIdentified) as caught:
        pdb_id(BytesReader(data), pdb_stream(read_streams(BytesReader(data))))
    return caught.value.reason


def test_streams_and_id():
    data = BytesReader(build_portable())
    streams = read_streams(data)

    assert list(streams) == ["#Pdb", "#~", "#Strings", "#GUID", "#Blob"]
    assert pdb_id(data, pdb_stream(streams)) == PdbId(GUID_TEXT, STAMP)


@given(names=st.lists(st.text("#abcXYZ~-", max_size=31), max_size=20, unique=True))
def test_names_of_any_length(names):
    data = build_metadata([(name, bytes([number])) for number, name in enumerate(names)])
    streams = read_streams(BytesReader(data))

    assert list(streams) == names
    assert [data[one.offset] for one in streams.values()] == list(range(len(names)))


def test_first_of_two_streams_with_one_name():
    streams = read_streams(BytesReader(build_metadata([("#~", b"one"), ("#~", b"three")])))

    assert streams["#~"].size == 3


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"XSJB" + bytes(60), "unknown-format"),
        (build_metadata([("#~", b"")], version="v4.0.30319"), "not-symbols"),
        (build_metadata([("#Pdb", bytes(19))]), "malformed"),
        (build_metadata([("#Pdb", bytes(20))]), "no-id"),
        (build_metadata([("#Pdb", b"x" * 20)], version="v" * 300), "malformed"),
        (build_metadata([("#Pdb", b"x" * 20)] * (STREAMS_LIMIT + 1)), "malformed"),
        (build_metadata([("x" * 40, b"x" * 20)]), "malformed"),
        (build_metadata([("#Pdb", b"x" * 20)])[:-1], "truncated"),
        (build_portable()[:35], "truncated"),
        (b"BSJB", "truncated"),
    ],
)
def test_refusals(data, reason):
    assert refused(data) == reason


def test_span_is_what_the_header_says():
    assert read_streams(BytesReader(build_metadata([("#Pdb", b"x" * 20)]))) == {"#Pdb": Span(48, 20)}
