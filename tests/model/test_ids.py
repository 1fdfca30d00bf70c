import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symsrv.model.ids import (
    BUILD,
    CORECLR_BUILD,
    CORECLR_UUID,
    DEBUG,
    PE,
    UUID,
    WASM,
    SymbolId,
    build_id,
    build_readings,
    debug_id,
    padded_build,
    pe_id,
    perfmap_id,
    perfmap_readings,
    printed,
    readings,
    swapped,
    uuid_readings,
)

GUID = "497b72f6390a44fc878e5a2d63b6cc4b"


def test_a_guid_prints_its_first_three_fields_from_little_endian():
    raw = bytes.fromhex("F6727B490A39FC44878E5A2D63B6CC4B")

    assert debug_id(uuid.UUID(bytes_le=raw).hex, 1) == SymbolId(DEBUG, f"{GUID}1")


@pytest.mark.parametrize(
    ("one", "value", "text"),
    [
        (debug_id(GUID.upper(), 26), f"{GUID}1a", f"{GUID.upper()}1a"),
        (debug_id(GUID, None), GUID, GUID.upper()),
        (debug_id(GUID, 0), f"{GUID}0", f"{GUID.upper()}0"),
        (debug_id(GUID, 0xFFFFFFFF), f"{GUID}ffffffff", f"{GUID.upper()}ffffffff"),
        (pe_id(0x542D574E, 0xC2000), "542d574ec2000", "542D574Ec2000"),
        (pe_id(0x0A1B2C3D, 0x1000), "0a1b2c3d1000", "0A1B2C3D1000"),
        (pe_id(0, 0x400), "00000000400", "00000000400"),
        (build_id(b"\xab\xcd"), "abcd", "abcd"),
    ],
)
def test_normal_forms_and_what_is_printed(one: SymbolId, value: str, text: str):
    assert one.value == value
    assert printed(one) == text


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (f"{GUID}1", debug_id(GUID, 1)),
        (f"{GUID.upper()}1", debug_id(GUID, 1)),
        (f"{GUID}01", debug_id(GUID, 1)),
        (f"{GUID}00000001", debug_id(GUID, 1)),
        (f"{GUID}1A", debug_id(GUID, 26)),
        (f"{GUID}26", debug_id(GUID, 26)),
        (f"{GUID}26", debug_id(GUID, 0x26)),
        (f"{GUID}4294967294", debug_id(GUID, 0xFFFFFFFE)),
        (f"{GUID}FFFFFFFF", debug_id(GUID, 0xFFFFFFFF)),
        (GUID, debug_id(GUID, None)),
        (GUID, SymbolId(BUILD, GUID)),
        (GUID, SymbolId(UUID, GUID)),
        (GUID, SymbolId(WASM, GUID)),
        ("ab" * 124, SymbolId(WASM, "ab" * 124)),
        (f"{GUID}0", debug_id(GUID, 0)),
        ("5AB380779000", pe_id(0x5AB38077, 0x9000)),
        ("04A30CF00800", pe_id(0x04A30CF0, 0x800)),
        ("04A30CF0800", pe_id(0x04A30CF0, 0x800)),
        ("04A30CF00", pe_id(0x04A30CF0, 0)),
        ("6855580645F000", pe_id(0x68555806, 0x45F000)),
        ("0011223344556677", build_id(bytes.fromhex("0011223344556677"))),
        ("ab" * 32, build_id(b"\xab" * 32)),
    ],
)
def test_every_spelling_is_read(text: str, wanted: SymbolId):
    assert wanted in readings(text)


@pytest.mark.parametrize(
    "text",
    ["", "x", "0x12", f"{GUID}1\n", f"-{GUID}", f"{GUID} 1", "½" * 32, "٣" * 32, "a" * 9999, "{" + GUID + "}", "abc"],
)
def test_what_is_no_id_has_no_readings(text: str):
    assert readings(text) == ()


def test_a_decimal_age_above_32_bits_is_none():
    assert [one.kind for one in readings(f"{GUID}4294967296")] == [BUILD, WASM]
    assert debug_id(GUID, 429496729) in readings(f"{GUID}429496729")


ages = st.none() | st.integers(0, 2**32 - 1)


@given(guid=st.uuids(), age=ages)
def test_the_first_reading_of_what_is_printed_is_the_debug_id(guid: uuid.UUID, age: int | None):
    one = debug_id(guid.hex, age)

    for text in (printed(one), one.value, one.value.upper()):
        assert readings(text)[0] == one


@given(stamp=st.integers(0, 2**32 - 1), size=st.integers(0, 2**32 - 1))
def test_the_first_reading_of_what_is_printed_is_the_pe_id(stamp: int, size: int):
    one = pe_id(stamp, size)

    for text in (printed(one), f"{stamp:08X}{size:X}", f"{stamp:08x}{size:04x}"):
        assert readings(text)[0] == one


@given(raw=st.binary(min_size=1, max_size=64))
def test_a_build_id_is_among_the_readings_of_both_lengths(raw: bytes):
    one = build_id(raw)

    assert build_readings(one.value.upper())[0] == one
    assert one in build_readings(padded_build(one.value))
    assert one in readings(one.value)


@given(text=st.text(max_size=150) | st.text("0123456789abcdefABCDEF", max_size=150))
def test_readings_are_total_and_different(text: str):
    found = readings(text)

    assert len(set(found)) == len(found)
    assert all(one.kind in (DEBUG, PE, BUILD, UUID, WASM) and one.value == one.value.lower() for one in found)


@pytest.mark.parametrize(
    ("digits", "padded"),
    [(14, 14), (16, 40), (32, 40), (38, 40), (40, 40), (64, 64)],
)
def test_only_8_to_19_bytes_are_padded(digits: int, padded: int):
    assert len(padded_build("a" * digits)) == padded


def test_zeros_come_off_a_20_byte_build_id_down_to_8_bytes():
    found = build_readings("ab" + "00" * 19)

    assert [len(one.value) for one in found] == list(range(40, 14, -2))
    assert build_readings("ab" + "00" * 20) == (SymbolId(BUILD, "ab" + "00" * 20),)


@pytest.mark.parametrize("text", ["", "a", "abc", "xy", "ab" * 65, "ab\n"])
def test_what_is_no_build_id_has_no_readings(text: str):
    assert build_readings(text) == ()


def test_zeros_come_off_a_runtimes_build_id_too():
    found = build_readings("ab" * 16 + "00" * 4, kind=CORECLR_BUILD)

    assert {one.kind for one in found} == {CORECLR_BUILD}
    assert SymbolId(CORECLR_BUILD, "ab" * 16) in found


@pytest.mark.parametrize("text", ["", GUID[:-1], f"{GUID}0", "g" * 32, f"{GUID[:-1]}\n", "½" * 32])
def test_what_is_no_uuid_has_no_readings(text: str):
    assert uuid_readings(text) == ()


def test_uuids_are_read_in_any_case():
    assert uuid_readings(GUID.upper()) == (SymbolId(UUID, GUID),)
    assert uuid_readings(GUID, kind=CORECLR_UUID) == (SymbolId(CORECLR_UUID, GUID),)


def test_a_guids_order_of_bytes_is_undone_by_itself():
    assert swapped("f6727b490a39fc44878e5a2d63b6cc4b") == GUID
    assert swapped(swapped(GUID)) == GUID


@pytest.mark.parametrize("signature", [GUID, GUID.upper(), swapped(GUID)])
def test_a_ready_to_run_map_is_read_in_both_orders_of_its_bytes(signature: str):
    found = perfmap_readings(f"01-{signature}")

    assert found[0] == perfmap_id(1, signature)
    assert set(found) == {perfmap_id(1, GUID), perfmap_id(1, swapped(GUID))}


@pytest.mark.parametrize("text", ["", GUID, f"-{GUID}", f"x-{GUID}", f"1-{GUID}0", f"1-{GUID[1:]}", f"٣-{GUID}"])
def test_what_is_no_ready_to_run_map_has_no_readings(text: str):
    assert perfmap_readings(text) == ()


def test_an_id_longer_than_a_folders_name_can_be_is_none():
    assert readings("ab" * 125) == ()
