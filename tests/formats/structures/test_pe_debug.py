import pefile
import pytest

from symsrv.formats.base import BytesReader
from symsrv.formats.structures.pe_debug import (
    DEBUG_ENTRIES_LIMIT,
    CodeView,
    DebugEntry,
    checksum_text,
    codeview,
    image_entries,
    image_record,
    misc_name,
    read_entries,
)
from symsrv.formats.structures.pe_headers import Image
from symsrv.model.errors import NotIdentified
from symsrv.model.ids import debug_id
from tests.made import corpus
from tests.made.pe_builder import GUID_TEXT, Entry, build_pe, misc, rsds

PLAIN = DebugEntry(stamp=1, minor=0, kind=2, size=0, address=0, pointer=0)


@pytest.mark.parametrize("entry", corpus.entries("pe"))
def test_entries_as_pefile_reads_them(entry):
    data = entry.path.read_bytes()
    try:
        image = Image(BytesReader(data))
        other = pefile.PE(data=data, fast_load=True)
    except (NotIdentified, pefile.PEFormatError):
        pytest.skip("not a whole image")
    other.parse_data_directories([pefile.DIRECTORY_ENTRY["IMAGE_DIRECTORY_ENTRY_DEBUG"]])
    theirs = [one.struct for one in getattr(other, "DIRECTORY_ENTRY_DEBUG", ())]

    ours, _ = image_entries(image)

    assert [(one.kind, one.stamp, one.minor, one.size, one.address, one.pointer) for one in ours] == [
        (one.Type, one.TimeDateStamp, one.MinorVersion, one.SizeOfData, one.AddressOfRawData, one.PointerToRawData)
        for one in theirs
    ]


def test_entries_are_bounded():
    assert len(read_entries(bytes(28 * DEBUG_ENTRIES_LIMIT + 28))) == DEBUG_ENTRIES_LIMIT
    assert read_entries(bytes(27)) == []


def test_record_by_address_when_the_pointer_leads_elsewhere():
    data = bytearray(build_pe([Entry(rsds())]))
    data[0x400 + 24 : 0x400 + 28] = (0x40).to_bytes(4, "little")
    image = Image(BytesReader(bytes(data)))
    (entry,), notes = image_entries(image)

    assert notes == []
    assert image_record(image, entry) == rsds()


def test_codeview_of_a_pdb():
    assert codeview(rsds(age=10), PLAIN) == CodeView(
        f"{GUID_TEXT.upper()}a", (debug_id(GUID_TEXT, 10),), "C:\\out\\made.pdb"
    )


@pytest.mark.parametrize(
    "record", [b"", b"RSDS", rsds()[:23], b"NB10" + bytes(11), b"MTOC" + bytes(15), b"NB09" + bytes(40)]
)
def test_records_that_are_none(record):
    assert codeview(record, PLAIN) is None


def test_checksum():
    assert checksum_text(b"SHA256\0\x01\xab") == "SHA256:01ab"
    assert checksum_text(b"SHA256") is None


@pytest.mark.parametrize("wide", [False, True])
def test_misc(wide):
    assert misc_name(misc("D:\\a\\b.dbg", wide=wide)) == "b.dbg"


@pytest.mark.parametrize("record", [b"", b"\1\0\0\0", b"\2" + misc("a.dbg")[1:], misc("con.dbg"), misc("")])
def test_misc_without_a_name(record):
    assert misc_name(record) is None
