import pytest

from symsrv.formats.base import BytesReader
from symsrv.formats.structures.pe_headers import CLR, DEBUG, LOAD_CONFIG, RESOURCES, Image
from symsrv.model.errors import NotIdentified
from tests.made.pe_builder import IMAGE_BASE, IMAGE_SIZE, RAW, RVA, STAMP, Entry, build_pe, rsds


@pytest.mark.parametrize("wide", [False, True])
def test_numbers(wide):
    image = Image(BytesReader(build_pe(wide=wide, machine=0x14C, entry_point=0x1234, subsystem=10)))
    headers = image.headers

    assert (headers.machine, headers.stamp, headers.image_size) == (0x14C, STAMP, IMAGE_SIZE)
    assert (headers.image_base, headers.entry_point, headers.subsystem) == (IMAGE_BASE, 0x1234, 10)
    assert headers.wide == wide


@pytest.mark.parametrize("wide", [False, True])
def test_directories(wide):
    image = Image(BytesReader(build_pe([Entry(rsds())], wide=wide, others={CLR: b"clr!", LOAD_CONFIG: b"load"})))

    assert image.directory(DEBUG) == (RVA, 28)
    assert image.mapped(*image.directory(CLR)) == b"clr!"
    assert image.mapped(*image.directory(LOAD_CONFIG)) == b"load"
    assert image.directory(RESOURCES) is None
    assert image.directory(16) is None


def test_directories_beyond_their_count_are_none():
    data = bytearray(build_pe(others={CLR: b"clr!"}))
    data[0x80 + 24 + 108] = 14

    assert Image(BytesReader(bytes(data))).directory(CLR) is None


def test_addresses():
    image = Image(BytesReader(build_pe(at_rva=bytes(100))))

    assert image.offset(RVA + 99) == RAW + 99
    assert image.offset(RVA + 100) is None
    assert image.offset(0x300) == 0x300
    assert image.mapped(RVA + 90, 10) == bytes(10)
    assert image.mapped(RVA + 91, 10) == b""
    assert image.window(0, 4) == image.window(None, 4) == b""


def test_sections_that_are_cut_off():
    image = Image(BytesReader(build_pe()[: 0x80 + 24 + 240 + 39]))

    assert image.sections() == []
    assert image.offset(RVA) is None


def test_no_pe_header():
    with pytest.raises(NotIdentified) as caught:
        Image(BytesReader(b"MZ" + bytes(200)))
    assert caught.value.reason == "unknown-format"
