"""Quantum, the oldest compression of cabinets: matches under an arithmetic coder that learns.

Never published by its makers; the facts are those of Matthew Russotto's analysis and of libmspack's documentation.
"""

from symsrv.packing.tally import damaged

FRAME_BYTES = 1 << 15
_POSITION_BITS = [max(slot // 2 - 1, 0) for slot in range(42)]
_POSITIONS = [sum(1 << bits for bits in _POSITION_BITS[:slot]) for slot in range(42)]
_LENGTH_BITS = [max((slot - 2) // 4, 0) for slot in range(26)] + [0]
_LENGTHS = [sum(1 << bits for bits in _LENGTH_BITS[:slot]) for slot in range(26)] + [254]
_FULL = 3800


class _Model:
    """Symbols with how often each (and all behind it) came, the commonest brought to the front now and then."""

    def __init__(self, start: int, count: int) -> None:
        self.symbols = list(range(start, start + count))
        self.sums = list(range(count, -1, -1))
        self._rounds = 4

    def update(self) -> None:
        """Halves the sums; each fiftieth time sorts the symbols, and where equals come to lie is part of the format."""
        sums, symbols = self.sums, self.symbols
        count = len(symbols)
        self._rounds -= 1
        if self._rounds:
            for at in range(count - 1, -1, -1):
                sums[at] = max(sums[at] >> 1, sums[at + 1] + 1)
            return
        self._rounds = 50
        weights = [(sums[at] - sums[at + 1] + 1) >> 1 for at in range(count)]
        for at in range(count - 1):
            for other in range(at + 1, count):
                if weights[at] < weights[other]:
                    weights[at], weights[other] = weights[other], weights[at]
                    symbols[at], symbols[other] = symbols[other], symbols[at]
        for at in range(count - 1, -1, -1):
            sums[at] = weights[at] + sums[at + 1]


class Quantum:
    """The frames of one folder; the models live on from frame to frame, the coder begins anew."""

    def __init__(self, window_bits: int) -> None:
        if not 10 <= window_bits <= 21:
            raise damaged(f"Quantum with a window of {window_bits} bits")
        self._window = 1 << window_bits
        slots = window_bits * 2
        self._literals = [_Model(start, 64) for start in (0, 64, 128, 192)]
        self._near, self._mid, self._far = _Model(0, min(slots, 24)), _Model(0, min(slots, 36)), _Model(0, slots)
        self._lengths, self._kinds = _Model(0, 27), _Model(0, 7)
        self._out = bytearray()
        self._bits, self._at = b"", 0
        self._low = self._high = self._code = 0

    def decode(self, data: bytes, size: int) -> bytes:
        """The next frame: `size` bytes, FRAME_BYTES for all but the last."""
        number = int.from_bytes(data, "big")
        self._bits, self._at = f"{number:0{len(data) * 8}b}{0:064b}".encode(), 0
        self._low, self._high, self._code = 0, 0xFFFF, self._take(16)
        if len(self._out) > 2 * self._window:
            del self._out[: -self._window]
        out = self._out
        start = len(out)
        end = start + size
        while len(out) < end:
            kind = self._symbol(self._kinds)
            if kind < 4:
                out.append(self._symbol(self._literals[kind]))
                continue
            length = kind - 1
            if kind == 6:
                slot = self._symbol(self._lengths)
                length = _LENGTHS[slot] + self._take(_LENGTH_BITS[slot]) + 5
            slot = self._symbol((self._near, self._mid, self._far)[kind - 4])
            distance = _POSITIONS[slot] + self._take(_POSITION_BITS[slot]) + 1
            place = len(out) - distance
            if place < 0 or distance > self._window or len(out) + length > start + FRAME_BYTES:
                raise damaged("Quantum copies from where nothing is")
            out += (out[place : place + length] * (length // min(distance, length) + 1))[:length]
        return bytes(out[start:end])  # the last match may run over the end of the folder

    def _take(self, count: int) -> int:
        place = self._at
        self._at += count
        return int(self._bits[place : self._at] or b"0", 2)

    def _symbol(self, model: _Model) -> int:
        low, high, code, sums = self._low, self._high, self._code, model.sums
        span, total = high - low + 1, sums[0]
        wanted = ((code - low + 1) * total - 1) // span
        at = 1
        while sums[at] > wanted:
            at += 1
            if at == len(sums):
                raise damaged("the coder of Quantum is out of step")
        symbol = model.symbols[at - 1]
        high = low + sums[at - 1] * span // total - 1
        low += sums[at] * span // total
        sums[:at] = [one + 8 for one in sums[:at]]
        if sums[0] > _FULL:
            model.update()
        bits, place = self._bits, self._at
        if place + 64 > len(bits):
            raise damaged("a block of Quantum ends too early")
        while True:
            if (low ^ high) & 0x8000:
                if not (low & 0x4000 and not high & 0x4000):
                    break
                code ^= 0x4000
                low &= 0x3FFF
                high |= 0x4000
            low = low << 1 & 0xFFFF
            high = high << 1 & 0xFFFF | 1
            code = code << 1 & 0xFFFF | bits[place] & 1
            place += 1
        self._low, self._high, self._code, self._at = low, high, code, place
        return symbol
