"""Import directories of PE images."""

import struct
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from symsrv.formats.base import BytesReader
from symsrv.formats.loading.pe_imports import LIBRARIES_LIMIT, imported_libraries
from symsrv.model.errors import NotIdentified
from tests.made import corpus
from tests.made.pe_builder import IMAGE_BASE, RVA, build_pe

IMPORTS, DELAYED = 1, 13
NAMES = b"KERNEL32.dll\0\0\0\0" + b"user32.dll\0\0"


def imports(*addresses: int) -> bytes:
    return b"".join(struct.pack("<5I", 0x1111, 0, 0, one, 0x2222) for one in addresses) + bytes(20)


def delayed(*addresses: int, attributes: int = 1) -> bytes:
    return b"".join(struct.pack("<8I", attributes, one, 0, 0, 0, 0, 0, 0) for one in addresses) + bytes(32)


def found(data: bytes) -> tuple[str, ...]:
    return imported_libraries(BytesReader(data))


@pytest.mark.parametrize("wide", [False, True])
def test_imports_and_delayed_ones_each_once(wide):
    others = {IMPORTS: imports(RVA, RVA + 16, RVA), DELAYED: delayed(RVA + 16, RVA)}

    assert found(build_pe(wide=wide, others=others, at_rva=NAMES)) == ("KERNEL32.dll", "user32.dll")
    assert found(build_pe(wide=wide, others={DELAYED: delayed(RVA + 16)}, at_rva=NAMES)) == ("user32.dll",)


def test_delayed_imports_by_absolute_address():
    others = {DELAYED: delayed(IMAGE_BASE + RVA, attributes=0)}

    assert found(build_pe(wide=False, others=others, at_rva=NAMES)) == ("KERNEL32.dll",)


def test_no_imports():
    assert found(build_pe()) == ()
    with pytest.raises(NotIdentified):
        found(b"MZ")


@pytest.mark.parametrize("address", [0, 0x900, 0x100000, 0xFFFFFFFF])
def test_what_a_broken_table_has_before_it_breaks(address):
    data = build_pe(others={IMPORTS: imports(RVA, address, RVA + 16)}, at_rva=NAMES)

    assert found(data) in (("KERNEL32.dll",), ("KERNEL32.dll", "user32.dll"))


def test_a_table_without_an_end():
    table = b"".join(struct.pack("<5I", 1, 0, 0, RVA, 1) for _ in range(LIBRARIES_LIMIT * 4))
    began = time.monotonic()

    assert found(build_pe(others={IMPORTS: table}, at_rva=NAMES)) == ("KERNEL32.dll",)
    assert time.monotonic() - began < 10


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_flipped_bytes(data):
    sample = bytearray(build_pe(others={IMPORTS: imports(RVA, RVA + 16), DELAYED: delayed(RVA)}, at_rva=NAMES))
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(sample) - 5))
        sample[at : at + 4] = data.draw(st.sampled_from([0, 1, RVA, 0x7FFFFFFF, 0xFFFFFFFF])).to_bytes(4, "little")
    try:
        found(bytes(sample))
    except NotIdentified:
        return


@pytest.mark.parametrize("entry", corpus.entries("pe"))
def test_corpus_as_pefile_reads_it(entry):
    pefile = pytest.importorskip("pefile")
    try:
        image = pefile.PE(str(entry.path), fast_load=True)
        image.parse_data_directories([IMPORTS, DELAYED])
    except pefile.PEFormatError:
        pytest.skip("not for pefile")
    tables = [getattr(image, one, []) for one in ("DIRECTORY_ENTRY_IMPORT", "DIRECTORY_ENTRY_DELAY_IMPORT")]
    wanted = dict.fromkeys(one.dll.decode() for table in tables for one in table)
    image.close()

    assert found(entry.path.read_bytes()) == tuple(wanted)
