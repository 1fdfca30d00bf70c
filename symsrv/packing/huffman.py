"""Canonical Huffman codes of up to 16 bits, first bit first, for decoders written in Python."""

from collections.abc import Sequence

from symsrv.packing.tally import damaged

TABLE_BITS = 11  # longer codes are rare; a table of 16 bits would cost more to build than a block takes to read
LONGEST_BITS = 16


class Code:
    """A code by the lengths of its symbols; 0 means that a symbol does not occur.

    `table` maps the next TABLE_BITS bits to `symbol << 5 | length`, or to 0 where the code is longer, or no code.
    """

    def __init__(self, lengths: Sequence[int]) -> None:
        counts = [0] * (LONGEST_BITS + 1)
        for length in lengths:
            counts[length] += 1
        counts[0] = 0
        self._counts = counts
        self._symbols = sorted((one for one in range(len(lengths)) if lengths[one]), key=lengths.__getitem__)
        self._firsts = [0] * (LONGEST_BITS + 1)
        self.table: list[int] = []
        code = at = 0
        for length in range(1, LONGEST_BITS + 1):
            code <<= 1
            self._firsts[length] = code
            if length <= TABLE_BITS:
                for symbol in self._symbols[at : at + counts[length]]:
                    self.table.extend([symbol << 5 | length] * (1 << (TABLE_BITS - length)))
            at += counts[length]
            code += counts[length]
            if code > 1 << length:
                raise damaged("a Huffman code has more words than there is room for")
        self.table.extend([0] * ((1 << TABLE_BITS) - len(self.table)))

    def slow(self, bits: int) -> int:
        """What the table would hold, for 16 bits at whose beginning no code of the table stands."""
        at = 0
        for length in range(1, LONGEST_BITS + 1):
            place = (bits >> (LONGEST_BITS - length)) - self._firsts[length]
            if 0 <= place < self._counts[length]:
                return self._symbols[at + place] << 5 | length
            at += self._counts[length]
        raise damaged("a Huffman code has no such word")
