"""LZX: every kind of block, match and window; damage."""

import random

import pytest

from symsrv.model.errors import ArchiveError
from symsrv.packing.lzx import FRAME_BYTES, Lzx
from tests.made.cab_builder import SLOTS, LzxPacker

CHANCE = random.Random(3)
WORDS = [CHANCE.randbytes(CHANCE.randrange(2, 30)) for _ in range(200)]
DATA = b"".join(CHANCE.choice(WORDS) for _ in range(5000)) + bytes(3000)


def decoded(frames, window_bits=16):
    decoder = Lzx(window_bits)
    return b"".join(decoder.decode(data, size) for data, size in frames)


@pytest.mark.parametrize("window_bits", SLOTS)
@pytest.mark.parametrize("kinds", [(1,), (2,), (3,), (1, 2, 3), (3, 1)], ids=str)
def test_blocks_of_every_kind_in_windows_of_every_size(window_bits, kinds):
    packer = LzxPacker(window_bits, kinds=kinds, block_bytes=777 * window_bits)

    assert decoded(packer(DATA), window_bits) == DATA


@pytest.mark.parametrize("size", [1, 2, 11, FRAME_BYTES - 1, FRAME_BYTES, FRAME_BYTES + 1])
@pytest.mark.parametrize("kind", [1, 2, 3])
def test_last_frames_of_any_size(size, kind):
    assert decoded(LzxPacker(kinds=(kind,), block_bytes=1 << 20)(DATA[:size])) == DATA[:size]


@pytest.mark.parametrize("block_bytes", [1, 3, 50])
def test_small_stored_blocks_with_their_padding(block_bytes):
    assert decoded(LzxPacker(kinds=(3,), block_bytes=block_bytes)(DATA[:2000])) == DATA[:2000]


def test_a_stored_block_may_lie_over_the_end_of_a_frame_at_an_odd_place():
    packer = LzxPacker(kinds=(3, 1), block_bytes=32701)

    assert decoded(packer(DATA)) == DATA


def test_a_window_that_is_smaller_than_the_file():
    data = DATA * 4

    assert decoded(LzxPacker(15, kinds=(1, 2))(data), 15) == data


def translated(data, size):
    """What a compressor does to calls, the plain way."""
    out = bytearray(data)
    for start in range(0, len(data), FRAME_BYTES):
        at, end = start, min(start + FRAME_BYTES, len(data)) - 10
        while at < end:
            if out[at] != 0xE8:
                at += 1
                continue
            target = int.from_bytes(out[at + 1 : at + 5], "little", signed=True)
            if -at <= target < size - at:
                target += at
            elif size - at <= target < size:
                target -= size
            out[at + 1 : at + 5] = target.to_bytes(4, "little", signed=True)
            at += 5
    return bytes(out)


def test_calls_are_made_relative_again():
    size = 70_000
    data = b"".join(
        b"\xe8" + CHANCE.randrange(-80_000, 80_000).to_bytes(4, "little", signed=True) + b"xyz" for _ in range(9000)
    )
    packed = translated(data, size)
    assert packed != data

    assert decoded(LzxPacker(17, call_size=size)(packed), 17) == data
    assert decoded(LzxPacker(17)(packed), 17) == packed


def test_memory_is_twice_the_window():
    decoder = Lzx(15)
    for data, size in LzxPacker(15)(DATA * 10):
        decoder.decode(data, size)

    assert len(decoder._out) <= 3 << 15


@pytest.mark.parametrize("window_bits", [0, 14, 22, 31])
def test_windows_that_do_not_exist(window_bits):
    with pytest.raises(ArchiveError, match="window"):
        Lzx(window_bits)


@pytest.mark.parametrize("kinds", [(1,), (2,), (3,), (1, 2, 3)], ids=str)
def test_turned_bits_and_cuts_are_damage_or_other_bytes(kinds):
    chance = random.Random(str(kinds))
    frames = LzxPacker(kinds=kinds, block_bytes=900)(DATA[:3000])
    for _ in range(150):
        data = bytearray(frames[0][0])
        if chance.random() < 0.3:
            del data[chance.randrange(len(data)) :]
        else:
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        try:
            found = decoded([(bytes(data), 3000)])
        except ArchiveError as error:
            found = error.reason
        assert found == "archive-damaged" or len(found) == 3000


@pytest.mark.parametrize("data", [b"", b"\0" * 20, b"\xff" * 40, b"\0\x10" + bytes(30), b"\0\x38" + bytes(12)])
def test_headers_that_cannot_be(data):
    with pytest.raises(ArchiveError):
        decoded([(data, 100)])


def test_bytes_that_no_frame_needs_are_damage():
    ((data, size),) = LzxPacker()(b"x" * 10)

    with pytest.raises(ArchiveError, match="another length"):
        decoded([(data + bytes(70_000), size)])
