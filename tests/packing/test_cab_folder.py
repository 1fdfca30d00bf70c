"""The blocks of a folder: checksums, sizes, methods."""

import io

import pytest

from symsrv.model.errors import ArchiveError
from symsrv.packing.cab_folder import Folder, Mszip, blocks
from tests.made.cab_builder import block, checksum, mszip, stored

DATA = bytes(range(256)) * 300


def unpacked(data, *, method=0, count=1, reserve=0):
    return b"".join(blocks(io.BytesIO(data), Folder(0, count, method, reserve)))


def refused(data, **how):
    with pytest.raises(ArchiveError) as caught:
        unpacked(data, **how)
    return caught.value.reason


@pytest.mark.parametrize("size", range(9))
def test_checksums_of_any_length(size):
    assert unpacked(block(DATA[:size], size)) == DATA[:size] if size else True


def test_a_wrong_checksum_is_damage():
    assert refused(b"\1" + block(b"abcd", 4)[1:]) == "archive-damaged"


def test_no_checksum_is_none():
    assert unpacked(block(b"abcd", 4, checked=False)) == b"abcd"


@pytest.mark.parametrize("over", ["data", "reserve too"])
def test_a_checksum_with_or_without_the_reserve(over):
    made = bytearray(block(b"abcd", 4, reserve=b"1234"))
    if over != "data":
        made[0:4] = checksum(bytes(made[4:12]), checksum(b"abcd")).to_bytes(4, "little")

    assert unpacked(bytes(made), reserve=4) == b"abcd"


@pytest.mark.parametrize(("pack", "method"), [(stored, 0), (mszip, 1)])
def test_several_blocks(pack, method):
    frames = pack(DATA)
    made = b"".join(block(packed, size) for packed, size in frames)

    assert unpacked(made, method=method, count=len(frames)) == DATA


def test_a_block_that_goes_on_in_the_next_cabinet():
    assert refused(block(b"abcd", 0)) == "archive-unsupported"


@pytest.mark.parametrize("method", [4, 15])
def test_an_unknown_method(method):
    assert refused(block(b"abcd", 4), method=method) == "archive-unsupported"


@pytest.mark.parametrize(
    "data",
    [b"", block(b"abcd", 4)[:-1], block(b"abcd", 5), block(b"abcd", 3), block(b"", 0x8001), block(bytes(40_000), 9)],
)
def test_lengths_that_do_not_fit(data):
    assert refused(data) == "archive-damaged"


@pytest.mark.parametrize("change", [lambda one: one[2:], lambda one: one[:-1], lambda one: one[:2] + b"\xff" + one[3:]])
def test_damaged_mszip(change):
    ((packed, size),) = mszip(DATA[:1000])

    assert refused(block(change(packed), size), method=1) == "archive-damaged"


@pytest.mark.parametrize("size", [999, 1001, 1])
def test_mszip_of_another_size(size):
    ((packed, _),) = mszip(DATA[:1000])

    assert refused(block(packed, size), method=1) == "archive-damaged"


def test_a_bomb_of_mszip_is_cut_off_where_it_said():
    ((packed, _),) = mszip(bytes(32_768))

    assert len(Mszip().decode(packed, 10)) == 11


def test_much_under_quantum_is_refused_before_it_is_decoded():
    assert refused(b"", method=0x1402, count=2049) == "archive-unsupported"
