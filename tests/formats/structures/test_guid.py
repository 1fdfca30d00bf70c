import uuid

from hypothesis import given
from hypothesis import strategies as st

from symsrv.formats.structures.guid import breakpad_id, guid_text


@given(st.binary(min_size=16, max_size=16))
def test_guid_prints_as_uuid_does(raw):
    assert guid_text(raw) == uuid.UUID(bytes_le=raw).hex


def test_example_of_the_ssqp_key_conventions():
    raw = bytes.fromhex("F6727B490A39FC44878E5A2D63B6CC4B")

    assert guid_text(raw) == "497b72f6390a44fc878e5a2d63b6cc4b"
    assert breakpad_id(guid_text(raw), 0x1A) == "497B72F6390A44FC878E5A2D63B6CC4B1a"
