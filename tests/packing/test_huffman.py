"""Canonical codes."""

import pytest

from symsrv.model.errors import ArchiveError
from symsrv.packing.huffman import TABLE_BITS, Code


def symbol(code, bits):
    """The symbol and length at the beginning of a text of bits."""
    bits = bits.ljust(16, "0")
    entry = code.table[int(bits[:TABLE_BITS], 2)] or code.slow(int(bits, 2))
    return entry >> 5, entry & 31


def test_words_go_by_length_then_by_symbol():
    code = Code([2, 0, 1, 2])

    assert [symbol(code, bits) for bits in ("0", "10", "11")] == [(2, 1), (0, 2), (3, 2)]


def test_words_longer_than_the_table():
    code = Code([1, *range(2, 17), 16])

    assert symbol(code, "1" * 16) == (16, 16)
    assert symbol(code, "1" * 15 + "0") == (15, 16)
    assert symbol(code, "1" * 11 + "0") == (11, 12)
    assert symbol(code, "1" * 10 + "0") == (10, 11)


def test_more_words_than_room_are_damage():
    with pytest.raises(ArchiveError, match="more words"):
        Code([1, 1, 1])


@pytest.mark.parametrize("lengths", [[], [0, 0], [1]])
def test_bits_that_are_no_word_are_damage(lengths):
    with pytest.raises(ArchiveError, match="no such word"):
        symbol(Code(lengths), "1")
