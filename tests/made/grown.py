"""A file of every format that grows to any size: `write_grown(path, kind, size)`; what is inside are holes.

The holes lie where large files have their bulk: sections, streams, slices. What names the file lies behind them where
the format allows that, so that a reader has to find its way; text formats have it in their first lines. The ids are
those of the small files, and so is what has to be read.
"""

import os
import struct
from collections.abc import Callable, Iterable
from pathlib import Path

from tests.made.dbg_builder import build_dbg, coff_symbols
from tests.made.elf_builder import DEBUG, TEXT, build_elf
from tests.made.macho_builder import ARM64, FAT_HEADER_BYTES, OTHER_UUID, X86_64, build_fat, build_macho, uuid_command
from tests.made.macho_builder import segment as macho_segment
from tests.made.msfz_builder import HEADER_BYTES, STORED, ZSTD, chunk_row, fragment, packed
from tests.made.msfz_builder import MAGIC as MSFZ_MAGIC
from tests.made.pdb2_builder import MAGIC as PDB_2_MAGIC
from tests.made.pdb2_builder import info2_stream
from tests.made.pdb_builder import dbi_stream, info_stream, write_sparse_pdb
from tests.made.pe_builder import RAW, Entry, build_pe, rsds
from tests.made.portable_builder import build_portable
from tests.made.samples import SAMPLES
from tests.made.wasm_builder import FUNCTION, ID, build_wasm, number

_GIB = 1 << 30

Piece = tuple[int, bytes]


def smallest() -> dict[str, bytes]:
    """A small file of each kind; the names are those of the formats, and `fat` for another shape of Mach-O."""
    return {**SAMPLES, "fat": build_fat([(X86_64, 3, build_macho()), (ARM64, 0, _other_slice())])}


def write_grown(path: Path, kind: str, size: int) -> None:
    """Writes a file of about `size` bytes (at most, as many as the format can have); 0: as small as can be."""
    if not size:
        path.write_bytes(smallest()[kind])
    elif kind == "pdb":
        write_sparse_pdb(path, size)
    else:
        with path.open("wb") as file:
            for at, data in _GROWN.get(kind, lambda _: [(0, smallest()[kind])])(size):
                file.seek(at)
                file.write(data)
            if file.tell() < size and kind != "pdb2":
                os.truncate(path, size)  # on Linux and macOS a hole; NTFS takes the room


def _pe(size: int) -> Iterable[Piece]:
    """One section that lies at the end."""
    image = bytearray(build_pe([Entry(rsds(), by_address=True)]))
    held = bytes(image[RAW:])
    header = struct.unpack_from("<I", image, 0x3C)[0]
    section = header + 24 + struct.unpack_from("<H", image, header + 20)[0]
    at = size - len(held) & ~0x1FF
    struct.pack_into("<I", image, section + 20, at)
    return [(0, bytes(image[:RAW])), (at, held)]


def _dbg(size: int) -> Iterable[Piece]:
    """Exported names without end before the debug directory."""
    whole = bytearray(build_dbg([Entry(rsds()), Entry(coff_symbols(), kind=1)], names=b""))
    front = 48 + 2 * 40
    grow = size - len(whole)
    struct.pack_into("<I", whole, 28, grow)  # how long the names are
    for entry in (front, front + 28):
        struct.pack_into("<I", whole, entry + 24, struct.unpack_from("<I", whole, entry + 24)[0] + grow)
    return [(0, bytes(whole[:front])), (front + grow, bytes(whole[front:]))]


def _elf(size: int) -> Iterable[Piece]:
    """`.debug_info` takes the room; the section headers lie behind it."""
    whole = bytearray(build_elf((TEXT, DEBUG)))
    table, count = struct.unpack_from("<Q", whole, 40)[0], struct.unpack_from("<H", whole, 60)[0]
    grow = size - len(whole) & ~7
    end = whole.index(DEBUG.data) + len(DEBUG.data)
    for at in range(table, table + 64 * count, 64):
        offset, length = struct.unpack_from("<2Q", whole, at + 24)
        inside = offset + length == end
        struct.pack_into("<2Q", whole, at + 24, offset + (grow if offset >= end else 0), length + grow * inside)
    struct.pack_into("<Q", whole, 40, table + grow)
    return [(0, bytes(whole[:end])), (end + grow, bytes(whole[end:]))]


def _macho(size: int) -> Iterable[Piece]:
    """A segment that reaches to the end."""
    commands = (macho_segment("__TEXT", 0, 4096), macho_segment("__LINKEDIT", 4096, size - 4096), uuid_command())
    return [(0, build_macho(commands))]


def _fat(size: int) -> Iterable[Piece]:
    """Two slices, the second at the end; of 64 bits where offsets need them."""
    second = _other_slice()
    at = size - len(second) & ~0xFFF
    wide = size >= 4 * _GIB
    row = ">IIQQII" if wide else ">5I"
    more = (12, 0) if wide else (12,)
    table = struct.pack(row, X86_64, 3, FAT_HEADER_BYTES, at - FAT_HEADER_BYTES, *more)
    table += struct.pack(row, ARM64, 0, at, len(second), *more)
    header = struct.pack(">II", 0xCAFEBABF if wide else 0xCAFEBABE, 2) + table
    return [(0, header), (FAT_HEADER_BYTES, build_macho()), (at, second)]


def _other_slice() -> bytes:
    return build_macho((macho_segment("__TEXT", 0, 16), uuid_command(OTHER_UUID)), machine=ARM64, subtype=0)


def _portable(size: int) -> Iterable[Piece]:
    """A hole between the root and its streams."""
    whole = bytearray(build_portable(["/src/a.cs"]))
    at = 16 + struct.unpack_from("<I", whole, 12)[0]
    count = struct.unpack_from("<H", whole, at + 2)[0]
    grow = size - len(whole) & ~3
    at += 4
    first = struct.unpack_from("<I", whole, at)[0]
    for _ in range(count):
        struct.pack_into("<I", whole, at, struct.unpack_from("<I", whole, at)[0] + grow)
        at += 8 + (whole.index(0, at + 8) - at - 8 + 4 & ~3)
    return [(0, bytes(whole[:first])), (first + grow, bytes(whole[first:]))]


def _wasm(size: int) -> Iterable[Piece]:
    """A custom section of debug information, and the build id behind it."""
    front = build_wasm((FUNCTION,))
    name = number(11) + b".debug_info"
    content = size - len(front) - 6 - len(ID)
    return [(0, front + b"\0" + number(content, width=5) + name), (size - len(ID), ID)]


def _msfz(size: int) -> Iterable[Piece]:
    """A stream 2 in the open that takes the room, and DBI, the directory and the table of chunks behind it."""
    info, dbi = info_stream(), dbi_stream()
    chunk = packed(dbi, ZSTD)
    bulk = size - 4096 - HEADER_BYTES - len(info)
    rows = [bytes(4), fragment(len(info), offset=HEADER_BYTES) + bytes(4)]
    at = HEADER_BYTES + len(info)
    rows += [fragment(min(_GIB, bulk - done), offset=at + done) for done in range(0, bulk, _GIB)]
    rows += [bytes(4), fragment(len(dbi), chunk=0, offset=0) + bytes(4)]
    directory, chunk_at = b"".join(rows), at + bulk
    table = chunk_row(chunk_at, ZSTD, len(chunk), len(dbi))
    directory_at = chunk_at + len(chunk)
    numbers = (4, STORED, len(directory), len(directory), 1, len(table))
    header = MSFZ_MAGIC + struct.pack("<3Q6I", 0, directory_at, directory_at + len(directory), *numbers)
    return [(0, header + info), (chunk_at, chunk + directory + table)]


def _pdb2(size: int) -> Iterable[Piece]:
    """Pages as large as they have to be, for there are 65,535 at most; stream 2 has nearly all of them.

    Microsoft's tools wrote pages of up to 4 KB, and so 256 MB; readers take larger ones.
    """
    page = next(one for one in (1024, 2048, 4096, 8192, 16384, 32768, 65536) if one * 0xFFFF >= min(size, 65535 << 16))
    info, dbi = info2_stream(), dbi_stream(2, version=19970606, machine=0)
    last = min(size // page, 0xFFFF)
    listing_pages = -(-(2 * last + 64) // page)
    types = last - 3 - 2 - listing_pages
    first = 3 + types
    streams = ((0, ()), (len(info), (first,)), (types * page, range(3, first)), (len(dbi), (first + 1,)))
    directory = struct.pack("<2H", len(streams), 0) + b"".join(struct.pack("<2I", one, 0) for one, _ in streams)
    directory += b"".join(struct.pack(f"<{len(pages)}H", *pages) for _, pages in streams)
    listing = range(first + 2, first + 2 + -(-len(directory) // page))
    header = PDB_2_MAGIC + struct.pack("<I2H2I", page, 1, last, len(directory), 0)
    header += struct.pack(f"<{len(listing)}H", *listing)
    pages = ((0, header), (first, info), (first + 1, dbi), (first + 2, directory.ljust(len(listing) * page, b"\0")))
    return [(number * page, data) for number, data in pages]


_GROWN: dict[str, Callable[[int], Iterable[Piece]]] = {
    "pe": _pe,
    "dbg": _dbg,
    "elf": _elf,
    "macho": _macho,
    "fat": _fat,
    "portable-pdb": _portable,
    "wasm": _wasm,
    "msfz": _msfz,
    "pdb2": _pdb2,
}
