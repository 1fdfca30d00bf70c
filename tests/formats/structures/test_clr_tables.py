import pytest

from symsrv.formats.base import READ_BUDGET_BYTES, BytesReader
from symsrv.formats.structures.clr_metadata import read_streams
from symsrv.formats.structures.clr_tables import CUSTOM, DOCUMENT, METHOD, METHOD_DEBUG, Tables, compressed
from symsrv.model.errors import NotIdentified
from tests.made.portable_builder import build_metadata, build_portable
from tests.made.portable_builder import compressed as made


def refused(act):
    with pytest.raises(NotIdentified) as caught:
        act()
    return caught.value.reason


@pytest.mark.parametrize("number", [0, 1, 0x7F, 0x80, 0x3FFF, 0x4000, 0x1FFFFFFF])
def test_compressed_numbers(number):
    assert compressed(made(number) + b"rest") == (number, len(made(number)))


@pytest.mark.parametrize("raw", [b"", b"\x80", b"\xc0\0\0", b"\xe0\0\0\0", b"\xff\0\0\0"])
def test_numbers_that_are_none(raw):
    assert refused(lambda: compressed(raw)) == "malformed"


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("extra", [False, True])
@pytest.mark.parametrize("methods", [0, 2047, 2048, 70000])
def test_rows_of_any_width(wide, extra, methods):
    data = build_portable(["a/b", "c"], embedded=[2], source_link="{}", methods=methods, wide=wide, extra=extra)
    tables = Tables(BytesReader(data))

    assert tables.rows[METHOD] == methods
    assert (tables.rows[DOCUMENT], tables.rows[METHOD_DEBUG], tables.rows[CUSTOM]) == (2, 3, 2)
    assert [tables.row(CUSTOM, number)[:2] for number in (1, 2)] == [(1 << 5 | 7, 1), (2 << 5 | 22, 2)]
    assert tables.blob(tables.row(CUSTOM, 1)[2], 100) == b"{}"
    assert tables.is_sorted(CUSTOM)
    assert not tables.is_sorted(DOCUMENT)


def test_guids():
    tables = Tables(BytesReader(build_portable()))

    assert tables.guid(1) == "cc110556a0914d389fec25ab9a351a6a"
    assert tables.guid(0) is tables.guid(4) is None


def test_what_is_not_there():
    tables = Tables(BytesReader(build_portable(["a"])))

    assert refused(lambda: tables.row(DOCUMENT, 0)) == "malformed"
    assert refused(lambda: tables.row(DOCUMENT, 2)) == "malformed"
    assert refused(lambda: tables.blob(1 << 20, 10)) == "malformed"
    assert refused(lambda: tables.blob(1, 0)) == "too-complex"


def test_blob_that_leads_out_of_its_heap():
    data = bytearray(build_portable(["a"]))
    data[-7:] = made(8) + b"sixlet"
    reader = BytesReader(bytes(data))
    tables, size = Tables(reader), read_streams(reader)["#Blob"].size

    assert refused(lambda: tables.blob(size - 7, 100)) == "malformed"


def test_blob_larger_than_a_page():
    text = "x" * 20_000

    tables = Tables(BytesReader(build_portable(source_link=text)))

    assert tables.blob(tables.row(CUSTOM, 1)[2], 1 << 20) == text.encode()


def test_tables_of_a_program_are_refused():
    pdb = b"x" * 24 + bytes(8)
    program = bytes(8) + (1 << 6).to_bytes(8, "little") + bytes(8) + bytes(4)

    assert refused(lambda: Tables(BytesReader(build_metadata([("#Pdb", pdb), ("#~", program)])))) == "malformed"
    assert refused(lambda: Tables(BytesReader(build_metadata([("#Pdb", pdb)])))) == "malformed"


def test_pages_are_read_once():
    data = BytesReader(build_portable([f"folder/{number}.cs" for number in range(3000)]))
    tables = Tables(data)
    for _ in range(3):
        for number in range(1, 3001):
            tables.row(DOCUMENT, number)

    assert data.bytes_read < 64 * 1024


def test_rows_beyond_the_budget():
    data = bytearray(build_portable(["a"])) + bytes(2 * READ_BUDGET_BYTES)
    reader = BytesReader(bytes(data))
    tables = Tables(reader)
    tables.rows[DOCUMENT] = 0xFFFFFFFF

    assert refused(lambda: [tables.row(DOCUMENT, number) for number in range(1, 1 << 20)]) == "too-complex"
    assert reader.bytes_read < READ_BUDGET_BYTES + 8192
