import pytest

from symsrv.formats.base import BytesReader
from symsrv.formats.structures.elf_text_id import HASHED_BYTES, text_ids


def test_lanes_of_sixteen_are_folded():
    data = bytes(range(16)) + b"\xff" * 16

    assert text_ids(BytesReader(data), 0, 32) == (bytes(255 - one for one in range(16)),) * 2


def test_breakpad_reads_the_last_lane_whole():
    inside, lanes = text_ids(BytesReader(b"-" + b"a" * 16), 1, 3)

    assert inside == b"aaa".ljust(16, b"\0")
    assert lanes == b"a" * 16


def test_only_the_beginning_counts():
    reader = BytesReader(b"\1" * (1 << 20))

    assert text_ids(reader, 0, 1 << 20) == text_ids(reader, 5, HASHED_BYTES) == (bytes(16),) * 2
    assert reader.bytes_read < 4 * HASHED_BYTES


@pytest.mark.parametrize("size", [1, 15, 16, 17])
def test_what_is_behind_the_file_counts_as_zeros(size):
    inside, lanes = text_ids(BytesReader(b"x" * size), 0, size)

    assert inside == lanes
