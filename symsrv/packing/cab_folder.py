"""The blocks of a cabinet's folder ([MS-CAB] CFFOLDER, CFDATA), checked and unpacked one by one."""

import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from symsrv.packing.lzx import Lzx
from symsrv.packing.quantum import Quantum
from symsrv.packing.tally import damaged, unsupported

BLOCK_BYTES = 1 << 15
_PACKED_BYTES = BLOCK_BYTES + 6144  # what LZX may grow to
_QUANTUM = 2
_QUANTUM_BLOCKS = 2048  # 64 MiB: it decodes slowly, and nobody packs symbols with it
_DATA = struct.Struct("<L2H")


@dataclass(frozen=True, slots=True)
class Folder:
    """A CFFOLDER: where its blocks begin, how many there are, and how they are compressed."""

    place: int
    blocks: int
    method: int
    reserve: int
    """Bytes between the header of a block and its data."""


def blocks(file: BinaryIO, folder: Folder) -> Iterator[bytes]:
    """What the blocks hold, at most BLOCK_BYTES each. The file may be read elsewhere in between."""
    decode = _decoder(folder.method)
    if folder.method & 15 == _QUANTUM and folder.blocks > _QUANTUM_BLOCKS:
        raise unsupported("a cabinet with more than 64 MiB under Quantum; pack it anew with MSZIP or LZX")
    place = folder.place
    for _ in range(folder.blocks):
        file.seek(place)
        header = file.read(_DATA.size + folder.reserve)
        if len(header) < _DATA.size + folder.reserve:
            raise damaged("a folder of the cabinet ends too early")
        checksum, packed, size = _DATA.unpack_from(header)
        if not size:
            raise unsupported("a cabinet that goes on in the next one; symsrv reads single cabinets")
        if packed > _PACKED_BYTES or size > BLOCK_BYTES:
            raise damaged("a block of the cabinet is too large")
        data = file.read(packed)
        if len(data) < packed:
            raise damaged("a block of the cabinet ends too early")
        if checksum and checksum not in (
            xor_words(data) ^ xor_words(header[4:8]),
            xor_words(data) ^ xor_words(header[4:]),
        ):
            raise damaged("the checksum of a block is wrong")
        place = file.tell()
        piece = decode(data, size)
        if len(piece) != size:
            raise damaged("a block has another size than it says")
        yield piece


def _decoder(method: int) -> Callable[[bytes, int], bytes]:
    kind, window_bits = method & 15, method >> 8 & 31
    if kind == 0:
        return lambda data, size: data
    if kind == 1:
        return Mszip().decode
    if kind == _QUANTUM:
        quantum = Quantum(window_bits)
        # The frame's end mark is not in the cabinet.
        return lambda data, size: quantum.decode(data + b"\xff", size)
    if kind == 3:
        return Lzx(window_bits).decode
    raise unsupported(f"a cabinet with compression {method:#x}")


class Mszip:
    """MSZIP ([MS-MCI]): `CK` and a whole deflate stream, which may look back into the blocks before."""

    def __init__(self) -> None:
        self._history = b""

    def decode(self, data: bytes, size: int) -> bytes:
        """The next block."""
        if not data.startswith(b"CK"):
            raise damaged("a block of MSZIP does not begin with its mark")
        inflate = zlib.decompressobj(-15, zdict=self._history)
        try:
            out = inflate.decompress(data[2:], size + 1)
        except zlib.error as error:
            raise damaged(f"a block of MSZIP is not what it should be ({error})") from error
        if not inflate.eof and not inflate.unconsumed_tail and len(out) <= size:
            raise damaged("a block of MSZIP ends too early")
        self._history = (self._history + out)[-BLOCK_BYTES:]
        return out


def xor_words(data: bytes) -> int:
    """[MS-CAB] 3.1: words of 32 bits, little end first; the one to three bytes behind them, big end first."""
    whole = len(data) & ~3
    number, words = int.from_bytes(data[:whole], "little"), whole // 4
    while words > 1:
        half = (words + 1) // 2
        number = number >> 32 * half ^ number & ((1 << 32 * half) - 1)
        words = half
    return number ^ int.from_bytes(data[whole:], "big")
