"""Cabinets by hand: stored, MSZIP, and LZX and Quantum by small compressors that use every kind of block and match."""

import struct
import zlib

from symsrv.packing.quantum import _LENGTH_BITS, _LENGTHS, _POSITION_BITS, _POSITIONS, _Model

FRAME = 1 << 15
STORED, MSZIP, QUANTUM, LZX = 0, 1, 2, 3
SLOTS = {15: 30, 16: 32, 17: 34, 18: 36, 19: 38, 20: 42, 21: 50}
FOOTERS = [0, 0, 0, 0, *(bits for bits in range(1, 17) for _ in range(2)), *[17] * 14]
BASES = [sum(1 << bits for bits in FOOTERS[:slot]) for slot in range(50)]


def checksum(data, seed=0):
    """Word after word, as [MS-CAB] shows it."""
    whole = len(data) // 4 * 4
    for (word,) in struct.iter_unpack("<L", data[:whole]):
        seed ^= word
    return seed ^ int.from_bytes(data[whole:], "big")


def block(packed, size, *, reserve=b"", checked=True):
    header = struct.pack("<2H", len(packed), size)
    return struct.pack("<L", checksum(header, checksum(packed)) if checked else 0) + header + reserve + packed


def stored(data):
    return [(data[at : at + FRAME], len(data[at : at + FRAME])) for at in range(0, len(data), FRAME)]


def mszip(data):
    made, history = [], b""
    for part, size in stored(data):
        packer = zlib.compressobj(9, zlib.DEFLATED, -15, zdict=history)
        made.append((b"CK" + packer.compress(part) + packer.flush(), size))
        history = part
    return made


def cab(files, *folders, reserves=None, flags=0, texts=b""):
    """A cabinet of `files` (name, size, offset, folder index[, attributes]) and folders (method, [(packed, size)])."""
    head_reserve, folder_reserve, data_reserve = reserves or (0, 0, 0)
    extra = struct.pack("<H2B", *reserves) + b"h" * head_reserve if reserves else b""
    listed = b"".join(
        struct.pack("<2L4H", size, offset, index, 0, 0, *(more or [0x20])) + name + b"\0"
        for name, size, offset, index, *more in files
    )
    start = 36 + len(extra) + len(texts) + len(folders) * (8 + folder_reserve)
    entries, data, place = b"", b"", start + len(listed)
    for method, frames in folders:
        blocks = b"".join(block(packed, size, reserve=b"d" * data_reserve) for packed, size in frames)
        entries += struct.pack("<L2H", place + len(data), len(frames), method) + b"f" * folder_reserve
        data += blocks
    flags |= 4 if reserves else 0
    header = struct.pack(
        "<4s5L2B5H", b"MSCF", 0, place + len(data), 0, start, 0, 3, 1, len(folders), len(files), flags, 0, 0
    )
    return header + extra + texts + entries + listed + data


def cab_of(files, pack=mszip, method=MSZIP):
    data, offset, listed = b"".join(files.values()), 0, []
    for name, content in files.items():
        listed.append((name.encode(), len(content), offset, 0, 0xA0))
        offset += len(content)
    return cab(listed, (method, pack(data)))


class Bits:
    """Bits into words of 16 bits, little end first, as LZX has them."""

    def __init__(self):
        self.text, self.raw = "", b""

    def put(self, value, count):
        self.text += f"{value:0{count}b}" if count else ""

    def align(self, *, always=False):
        self.text += "0" * (16 if always and len(self.text) % 16 == 0 else -len(self.text) % 16)
        self.raw += b"".join(
            int(self.text[at : at + 16], 2).to_bytes(2, "little") for at in range(0, len(self.text), 16)
        )
        self.text = ""

    def cut(self):
        """The bytes so far."""
        data, self.raw = self.raw, b""
        return data


def tokens(data, *, window):
    """Literals and (length, distance), none over a frame's end; greedy."""
    seen, at = {}, 0
    while at < len(data):
        last = seen.get(data[at : at + 3])
        room = min(len(data), at // FRAME * FRAME + FRAME) - at
        length = 0
        if last is not None and at - last <= window - 3 and room >= 3:
            while length < min(room, 257) and data[last + length] == data[at + length]:
                length += 1
        for one in range(at, at + max(length, 1)):
            seen[data[one : one + 3]] = one
        if length >= 3:
            yield length, at - last
        else:
            yield data[at]
        at += max(length, 1)


def huffman(used, count):
    """Lengths and words of a code in which all have about as many bits and no word is to spare, as libmspack asks."""
    used = sorted(used if len(used) > 1 else {*used, 0 if used != {0} else 1})
    width = (len(used) - 1).bit_length()
    short = (1 << width) - len(used)
    lengths = [0] * count
    for at, symbol in enumerate(used):
        lengths[symbol] = width - (at < short)
    words, word = {}, 0
    for length in (width - 1, width):
        word <<= 1
        for symbol in used:
            if lengths[symbol] == length:
                words[symbol] = f"{word:0{length}b}"
                word += 1
    return lengths, words


class LzxPacker:
    """LZX with simple codes; `kinds` of blocks take turns, each of about `block_bytes`."""

    def __init__(self, window_bits=16, *, kinds=(1, 2, 3), block_bytes=5000, call_size=0):
        self.slots, self.window = SLOTS[window_bits], 1 << window_bits
        self.kinds, self.block_bytes, self.call_size = kinds, block_bytes, call_size
        self.main, self.length = [0] * (256 + 8 * self.slots), [0] * 249
        self.recent = [1, 1, 1]

    def __call__(self, data):
        self.bits, self.frames, self.place = Bits(), [], 0
        self.bits.put(1 if self.call_size else 0, 1)
        if self.call_size:
            self.bits.put(self.call_size, 32)
        held, size, turn, at = [], 0, 0, 0
        for token in [*tokens(data, window=self.window), None]:
            if token is None or size >= self.block_bytes:
                self.block(self.kinds[turn % len(self.kinds)], held, data[at : at + size])
                held, at, size, turn = [], at + size, 0, turn + 1
            if token is not None:
                held.append(token)
                size += token[0] if isinstance(token, tuple) else 1
        if self.place % FRAME:
            self.end_frame(self.place % FRAME)
        return self.frames

    def end_frame(self, size):
        self.bits.align()
        self.frames.append((self.bits.cut(), size))

    def went(self, count):
        self.place += count
        if self.place % FRAME == 0:
            self.end_frame(FRAME)

    def block(self, kind, held, data):
        if not data:
            return
        self.bits.put(kind, 3)
        self.bits.put(len(data), 24)
        if kind == 3:
            self.stored(data)
            return
        coded = [self.coded(token) for token in held]
        if kind == 2:
            for _ in range(8):
                self.bits.put(3, 3)
        main, words = huffman({one[0] for one in coded}, len(self.main))
        length, length_words = huffman(set(range(249)), 249)
        self.lengths(self.main, main, 0, 256)
        self.lengths(self.main, main, 256, len(main))
        self.lengths(self.length, length, 0, 249)
        for symbol, rest, footer, extra, count in coded:
            self.bits.text += words[symbol]
            if rest is not None:
                self.bits.text += length_words[rest]
            if kind == 2 and footer >= 3:
                self.bits.put(extra >> 3, footer - 3)
                self.bits.put(extra & 7, 3)
            else:
                self.bits.put(extra, footer)
            self.went(count)

    def coded(self, token):
        """Main symbol, length symbol, footer's bits, footer, bytes."""
        if not isinstance(token, tuple):
            return token, None, 0, 0, 1
        length, distance = token
        if distance in self.recent:
            slot, footer, extra = self.recent.index(distance), 0, 0
            self.recent[0], self.recent[slot] = self.recent[slot], self.recent[0]
        else:
            slot = max(one for one in range(3, self.slots) if BASES[one] <= distance + 2)
            footer, extra = FOOTERS[slot], distance + 2 - BASES[slot]
            self.recent = [distance, *self.recent[:2]]
        return 256 + slot * 8 + min(length - 2, 7), length - 9 if length >= 9 else None, footer, extra, length

    def stored(self, data):
        # The recent distances are set anew; what this packer says of them is right whatever it says.
        self.bits.align(always=True)
        self.recent = [3, 2, 1]
        self.bits.raw += struct.pack("<3L", *self.recent)
        for one in range(len(data)):
            self.bits.raw += data[one : one + 1]
            self.went(1)
        if len(data) % 2:
            self.bits.raw += b"\0"

    def lengths(self, old, new, at, end):
        """Differences, and runs, by a code of all 20 symbols."""
        lengths, words = huffman(set(range(20)), 20)
        for length in lengths:
            self.bits.put(length, 4)
        while at < end:
            run = 1
            while at + run < end and new[at + run] == new[at] and run < 51:
                run += 1
            difference = words[(old[at] - new[at]) % 17]
            if new[at] == 0 and run >= 20:
                self.bits.text += words[18]
                self.bits.put(run - 20, 5)
            elif new[at] == 0 and run >= 4:
                self.bits.text += words[17]
                self.bits.put(run - 4, 4)
            elif run >= 4:
                run = min(run, 5)
                self.bits.text += words[19]
                self.bits.put(run - 4, 1)
                self.bits.text += difference
            else:
                run = 1
                self.bits.text += difference
            at += run
        old[:] = [*new[:end], *old[end:]]


class QuantumPacker:
    """Quantum: the decoder's models under an encoder of its own."""

    def __init__(self, window_bits=16):
        slots = window_bits * 2
        self.window = 1 << window_bits
        self.literals = [_Model(start, 64) for start in (0, 64, 128, 192)]
        self.places = [_Model(0, min(slots, 24)), _Model(0, min(slots, 36)), _Model(0, slots)]
        self.lengths, self.kinds = _Model(0, 27), _Model(0, 7)

    def __call__(self, data):
        frames, place = [], 0
        self.begin()
        for token in tokens(data, window=self.window):
            if isinstance(token, tuple):
                self.match(data[place : place + token[0]], *token)
                place += token[0]
            else:
                self.literal(token)
                place += 1
            if place % FRAME == 0 or place == len(data):
                frames.append((self.end(), (place - 1) % FRAME + 1))
                self.begin()
        return frames

    def literal(self, byte):
        self.symbol(self.kinds, byte >> 6)
        self.symbol(self.literals[byte >> 6], byte)

    def match(self, data, length, distance):
        kind = min(length + 1, 6)
        model = self.places[kind - 4]
        slot = max(one for one in range(42) if _POSITIONS[one] < distance)
        if slot >= len(model.symbols):  # short matches reach less far
            for byte in data:
                self.literal(byte)
            return
        self.symbol(self.kinds, kind)
        if kind == 6:
            long = max(one for one in range(27) if _LENGTHS[one] <= length - 5)
            self.symbol(self.lengths, long)
            self.raw(length - 5 - _LENGTHS[long], _LENGTH_BITS[long])
        self.symbol(model, slot)
        self.raw(distance - 1 - _POSITIONS[slot], _POSITION_BITS[slot])

    def begin(self):
        self.low, self.high, self.pending, self.out = 0, 0xFFFF, 0, []
        self.inserts = []

    def raw(self, value, count):
        """Bits beside the coder: they stand 16 bits of its own later, so their place is kept until then."""
        self.inserts.append((len(self.out) + self.pending + 16, f"{value:0{count}b}" if count else ""))

    def bit(self, bit):
        self.out += [bit, *[1 - bit] * self.pending]
        self.pending = 0

    def symbol(self, model, symbol):
        at = model.symbols.index(symbol)
        span, total = self.high - self.low + 1, model.sums[0]
        self.high = self.low + model.sums[at] * span // total - 1
        self.low += model.sums[at + 1] * span // total
        for one in range(at + 1):
            model.sums[one] += 8
        if model.sums[0] > 3800:
            model.update()
        while True:
            if not (self.low ^ self.high) & 0x8000:
                self.bit(self.low >> 15)
            elif self.low & 0x4000 and not self.high & 0x4000:
                self.pending += 1
                self.low, self.high = self.low & 0x3FFF, self.high | 0x4000
                # The middle half is spread; the top bit stays.
                self.low, self.high = self.low << 1 & 0x7FFF, self.high << 1 & 0xFFFF | 0x8001
                continue
            else:
                break
            self.low, self.high = self.low << 1 & 0xFFFF, self.high << 1 & 0xFFFF | 1

    def end(self):
        self.pending += 1
        self.bit(self.low >> 14 & 1)
        bits = "".join(map(str, self.out)) + "0" * 16
        made, at = "", 0
        for place, text in self.inserts:
            made += bits[at:place] + text
            at = place
        made += bits[at:]
        made += "0" * (-len(made) % 8)
        return bytes(int(made[one : one + 8], 2) for one in range(0, len(made), 8))
