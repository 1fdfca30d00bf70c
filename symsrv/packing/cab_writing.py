"""Writing cabinets: one file in one folder, compressed by MSZIP; the same file and name give the same bytes.

What every reader of compressed symbols takes: one member under its plain name, set 0, and each block may look back into
the one before. The date in it is fixed, so that a file published twice from two builds compresses to the same bytes
(those depend on nothing else but the version of zlib).
"""

import struct
import zlib
from pathlib import Path
from typing import BinaryIO

from symsrv.packing.cab_folder import BLOCK_BYTES, xor_words
from symsrv.packing.tally import unsupported

CAB_BYTES = 0x7FFF8000
"""What one file in a cabinet can have: 65535 blocks. Other tools go wrong beyond it, silently."""

LEVEL = 6
_HEADER = struct.Struct("<4s5L2B5H")
_FOLDER = struct.Struct("<L2H")
_FILE = struct.Struct("<2L4H")
_MSZIP = 1
_DATE = 0x21  # 1 January 1980, the first that DOS knows
_ARCHIVED, _UTF8_NAME = 0x20, 0x80
_NAME_BYTES = 255
_MOST_BLOCKS = 0xFFFF


def write_cab(source: Path, target: Path, *, name: str, level: int = LEVEL) -> None:
    """Writes a cabinet that holds `source` as `name`; what it needs of memory does not grow with the file.

    Raises ArchiveError if the file, or its name, is too long for a cabinet.
    """
    text = name.encode()
    if len(text) > _NAME_BYTES:
        raise unsupported(f"{name[:80]!r} is too long a name for a cabinet")
    with source.open("rb") as reading, target.open("wb") as writing:
        begin = _HEADER.size + _FOLDER.size + _FILE.size + len(text) + 1
        writing.write(bytes(begin))
        size, blocks = _write_blocks(reading, writing, level)
        end = writing.tell()
        writing.seek(0)
        writing.write(_HEADER.pack(b"MSCF", 0, end, 0, _HEADER.size + _FOLDER.size, 0, 3, 1, 1, 1, 0, 0, 0))
        writing.write(_FOLDER.pack(begin, blocks, _MSZIP))
        flags = _ARCHIVED if name.isascii() else _ARCHIVED | _UTF8_NAME
        writing.write(_FILE.pack(size, 0, 0, _DATE, 0, flags) + text + b"\0")


def _write_blocks(reading: BinaryIO, writing: BinaryIO, level: int) -> tuple[int, int]:
    """Writes the file block by block; returns how many bytes and how many blocks that were."""
    history, size, blocks = b"", 0, 0
    while block := reading.read(BLOCK_BYTES):
        if blocks == _MOST_BLOCKS:
            raise unsupported(f"a file of more than {CAB_BYTES} bytes does not fit into a cabinet")
        data = _packed(block, history, level)
        sizes = struct.pack("<2H", len(data), len(block))
        writing.write(struct.pack("<L", xor_words(data) ^ xor_words(sizes)) + sizes + data)
        history, size, blocks = block, size + len(block), blocks + 1
    return size, blocks


def _packed(block: bytes, history: bytes, level: int) -> bytes:
    """A block of MSZIP ([MS-MCI]): `CK` and a whole deflate stream, which may look back into the block before."""
    deflate = zlib.compressobj(level, zlib.DEFLATED, -15, 9, zlib.Z_DEFAULT_STRATEGY, zdict=history)
    data = deflate.compress(block) + deflate.flush()
    if len(data) > len(block) + 5:
        # No block may be longer than 32 KiB and 12 bytes: what does not compress is one stored block of deflate.
        data = struct.pack("<B2H", 1, len(block), len(block) ^ 0xFFFF) + block
    return b"CK" + data
