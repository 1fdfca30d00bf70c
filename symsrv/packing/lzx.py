"""LZX as cabinets use it ([MS-PATCH] with the frames of [MS-CAB]): one block of the cabinet is one frame of 32 KiB."""

import struct

from symsrv.packing.huffman import TABLE_BITS, Code
from symsrv.packing.tally import damaged

FRAME_BYTES = 1 << 15
_SLOTS = {15: 30, 16: 32, 17: 34, 18: 36, 19: 38, 20: 42, 21: 50}
_EXTRA_BITS = [min(max(slot // 2 - 1, 0), 17) for slot in range(50)]
_BASES = [sum(1 << bits for bits in _EXTRA_BITS[:slot]) - 2 for slot in range(50)]
_VERBATIM, _ALIGNED, _STORED = 1, 2, 3
_LENGTHS = 249
_TRANSLATED_FRAMES = 1 << 15
_MASK = (1 << TABLE_BITS) - 1
_LOW = [(1 << bits) - 1 for bits in range(65)]
_CARRIED_BYTES = 1 << 16


class Lzx:
    """The frames of one folder. What it holds is twice the window, of at most 2 MiB."""

    def __init__(self, window_bits: int) -> None:
        if window_bits not in _SLOTS:
            raise damaged(f"LZX with a window of {window_bits} bits")
        self._window = 1 << window_bits
        self._main_lengths = [0] * (256 + 8 * _SLOTS[window_bits])
        self._length_lengths = [0] * _LENGTHS
        self._main = self._length = self._aligned = Code([])
        self._recent = (1, 1, 1)
        self._kind = _VERBATIM
        self._left = 0
        self._out = bytearray()
        self._done = 0
        self._call_size: int | None = None
        self._carried = b""
        self._padded = False
        # Where the frame's input is: whole words of 32 bits in _words, bits taken from them in _bits; or a byte.
        self._data = b""
        self._words: tuple[int, ...] = ()
        self._at = self._bits = self._count = 0
        self._byte: int | None = None

    def decode(self, data: bytes, size: int) -> bytes:
        """The next frame: `size` bytes, FRAME_BYTES for all but the last."""
        self._open(self._carried + data)
        if self._byte is not None:
            self._byte = 0
        if self._call_size is None:
            self._call_size = (self._take(16) << 16 | self._take(16)) if self._take(1) else 0
        if len(self._out) > 2 * self._window:
            del self._out[: -self._window]
        start = len(self._out)
        left = size
        while left:
            if not self._left:
                self._block()
            step = min(left, self._left)
            if self._kind == _STORED:
                self._copy(step)
            else:
                self._unpack(step)
            left -= step
            self._left -= step
        self._carry()
        frame = self._translated(self._out[start:])
        self._done += size
        return frame

    def _open(self, data: bytes) -> None:
        """Begins to read at the beginning of `data`; zeros behind it let the reader look ahead."""
        self._data = data
        padded = data + bytes(8 + -len(data) % 4)
        swapped = bytearray(len(padded))
        swapped[0::2], swapped[1::2] = padded[1::2], padded[0::2]
        self._words = struct.unpack(f">{len(swapped) // 4}L", swapped)
        self._at = self._bits = self._count = 0

    def _carry(self) -> None:
        """A frame ends on a word of 16 bits; what is behind it belongs to the next."""
        place = self._byte if self._byte is not None else (self._at * 32 - self._count + 15) // 16 * 2
        if place > len(self._data) + 1 or len(self._data) - place > _CARRIED_BYTES:
            raise damaged("a block of LZX has another length than it needs")
        self._carried = self._data[place:]

    def _fill(self) -> None:
        if self._at >= len(self._words):
            raise damaged("a block of LZX ends too early")
        self._bits = (self._bits & _LOW[self._count]) << 32 | self._words[self._at]
        self._at += 1
        self._count += 32

    def _take(self, count: int) -> int:
        if self._count < count:
            self._fill()
        self._count -= count
        return self._bits >> self._count & _LOW[count]

    def _symbol(self, code: Code) -> int:
        if self._count < 16:
            self._fill()
        entry = code.table[self._bits >> (self._count - TABLE_BITS) & _MASK] or code.slow(
            self._bits >> (self._count - 16) & 0xFFFF
        )
        self._count -= entry & 31
        return entry >> 5

    def _block(self) -> None:
        """The header of a block."""
        if self._byte is not None:
            self._to_bits(self._byte + self._padded)
            self._padded = False
        self._kind = self._take(3)
        self._left = self._take(16) << 8 | self._take(8)
        if self._kind == _STORED:
            place = (self._at * 32 - self._count) // 16 * 2 + 2  # 1 to 16 bits of padding
            recent = self._data[place : place + 12]
            if len(recent) < 12:
                raise damaged("a block of LZX ends too early")
            self._recent = struct.unpack("<3L", recent)
            self._byte = place + 12
            self._padded = bool(self._left & 1)
        elif self._kind in (_VERBATIM, _ALIGNED):
            if self._kind == _ALIGNED:
                self._aligned = Code([self._take(3) for _ in range(8)])
            self._lengths(self._main_lengths, 0, 256)
            self._lengths(self._main_lengths, 256, len(self._main_lengths))
            self._main = Code(self._main_lengths)
            self._lengths(self._length_lengths, 0, _LENGTHS)
            self._length = Code(self._length_lengths)
        else:
            raise damaged(f"a block of LZX has kind {self._kind}")

    def _lengths(self, lengths: list[int], at: int, end: int) -> None:
        """Lengths of codes, as differences from those of the block before, packed by a code of their own."""
        code = Code([self._take(4) for _ in range(20)])
        while at < end:
            symbol, run = self._symbol(code), 1
            if symbol == 17:
                run, value = self._take(4) + 4, 0
            elif symbol == 18:
                run, value = self._take(5) + 20, 0
            else:
                if symbol == 19:
                    run = self._take(1) + 4
                    symbol = self._symbol(code)
                if symbol > 16:
                    raise damaged("the lengths of an LZX code are wrong")
                value = (lengths[at] - symbol) % 17
            stop = min(at + run, end)
            lengths[at:stop] = [value] * (stop - at)
            at = stop

    def _to_bits(self, place: int) -> None:
        """Goes on with bits at a byte, which lies on a word's border unless a frame ended in a stored block."""
        if place & 1:
            self._open(self._data[place:])
            place = 0
        self._byte = None
        self._at, self._count = place // 4, 0
        if place & 2:
            self._fill()
            self._count = 16

    def _copy(self, count: int) -> None:
        """A part of a stored block."""
        place = self._byte or 0
        part = self._data[place : place + count]
        if len(part) < count:
            raise damaged("a block of LZX ends too early")
        self._out += part
        self._byte = place + count

    def _unpack(self, size: int) -> None:
        """A part of a compressed block. One long loop over locals: this is where all the time goes."""
        words, at, bits, count = self._words, self._at, self._bits, self._count
        main, length_table = self._main.table, self._length.table
        aligned = self._aligned.table if self._kind == _ALIGNED else None
        first, second, third = self._recent
        out, window, low = self._out, self._window, _LOW
        append = out.append
        last = len(words)
        while size > 0:
            if count < 32:
                if at >= last:
                    raise damaged("a block of LZX ends too early")
                bits = (bits & low[count]) << 32 | words[at]
                at += 1
                count += 32
            entry = main[bits >> (count - TABLE_BITS) & _MASK] or self._main.slow(bits >> (count - 16) & 0xFFFF)
            count -= entry & 31
            symbol = entry >> 5
            if symbol < 256:
                append(symbol)
                size -= 1
                continue
            length = (symbol & 7) + 2
            if length == 9:
                entry = length_table[bits >> (count - TABLE_BITS) & _MASK] or self._length.slow(
                    bits >> (count - 16) & 0xFFFF
                )
                count -= entry & 31
                length += entry >> 5
            slot = (symbol - 256) >> 3
            if slot > 2:
                if count < 32:
                    if at >= last:
                        raise damaged("a block of LZX ends too early")
                    bits = (bits & low[count]) << 32 | words[at]
                    at += 1
                    count += 32
                extra = _EXTRA_BITS[slot]
                if aligned is not None and extra >= 3:
                    count -= extra - 3
                    distance = _BASES[slot] + ((bits >> count & low[extra - 3]) << 3)
                    entry = aligned[bits >> (count - TABLE_BITS) & _MASK] or self._aligned.slow(
                        bits >> (count - 16) & 0xFFFF
                    )
                    count -= entry & 31
                    distance += entry >> 5
                else:
                    count -= extra
                    distance = _BASES[slot] + (bits >> count & low[extra])
                first, second, third = distance, first, second
            elif slot == 1:
                first, second = second, first
            elif slot == 2:
                first, third = third, first
            start = len(out) - first
            size -= length
            if start < 0 or not 0 < first <= window or size < 0:
                raise damaged("LZX copies from where nothing is")
            if first >= length:
                out += out[start : start + length]
            else:
                out += (out[start:] * (length // first + 1))[:length]
        self._at, self._bits, self._count = at, bits, count
        self._recent = (first, second, third)

    def _translated(self, frame: bytearray) -> bytes:
        """Undoes what helps to compress x86 code: the targets of calls (E8) were made absolute."""
        size = self._call_size
        if not size or self._done >= _TRANSLATED_FRAMES * FRAME_BYTES or len(frame) <= 10:
            return bytes(frame)
        size -= (size & 0x80000000) << 1
        end = len(frame) - 10
        at = frame.find(0xE8, 0, end)
        while at >= 0:
            place = self._done + at
            target = int.from_bytes(frame[at + 1 : at + 5], "little", signed=True)
            if -place <= target < size:
                target += -place if target >= 0 else size
                frame[at + 1 : at + 5] = (target & 0xFFFFFFFF).to_bytes(4, "little")
            at = frame.find(0xE8, at + 5, end)
        return bytes(frame)
