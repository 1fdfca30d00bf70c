"""Quantum: matches of all lengths in windows of all sizes; damage."""

import random

import pytest

from symsrv.model.errors import ArchiveError
from symsrv.packing.quantum import Quantum
from tests.made.cab_builder import QuantumPacker

CHANCE = random.Random(5)
WORDS = [CHANCE.randbytes(CHANCE.randrange(2, 30)) for _ in range(100)]
DATA = b"".join(CHANCE.choice(WORDS) for _ in range(2500)) + bytes(3000) + CHANCE.randbytes(500)


def decoded(frames, window_bits):
    decoder = Quantum(window_bits)
    return b"".join(decoder.decode(data + b"\xff", size) for data, size in frames)


@pytest.mark.parametrize("window_bits", [10, 11, 15, 18, 21])
def test_windows_of_every_size(window_bits):
    assert decoded(QuantumPacker(window_bits)(DATA), window_bits) == DATA


@pytest.mark.parametrize("window_bits", [0, 9, 22])
def test_windows_that_do_not_exist(window_bits):
    with pytest.raises(ArchiveError, match="window"):
        Quantum(window_bits)


def test_the_last_match_may_run_over_the_end():
    """As the makers' compressor leaves it; a peer's cabinet of 524159 zeros ends so."""
    ((data, _),) = QuantumPacker(15)(bytes(300))

    assert decoded([(data, 290)], 15) == bytes(290)


def test_turned_bits_and_cuts_are_damage_or_other_bytes():
    ((data, size),) = QuantumPacker(12)(DATA[:2000])
    chance = random.Random(1)
    for _ in range(100):
        turned = bytearray(data)
        if chance.random() < 0.3:
            del turned[chance.randrange(len(turned)) :]
        else:
            turned[chance.randrange(len(turned))] ^= 1 << chance.randrange(8)
        try:
            found = decoded([(bytes(turned), size)], 12)
        except ArchiveError as error:
            found = error.reason
        assert found == "archive-damaged" or len(found) == size
