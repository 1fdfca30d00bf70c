"""DBG files with chosen numbers: `build_dbg(...)` returns the bytes."""

import struct
from collections.abc import Sequence

from tests.made.pe_builder import IMAGE_SIZE, STAMP, Entry


def coff_symbols(*, lines: int = 0) -> bytes:
    """An IMAGE_COFF_SYMBOLS_HEADER, the record of an entry of kind 1."""
    return struct.pack("<8I", 1, 32, lines, 50, 0, 0, 0, 0)


def build_dbg(
    entries: Sequence[Entry] = (),
    *,
    machine: int = 0x14C,
    stamp: int = STAMP,
    image_size: int = IMAGE_SIZE,
    sections: int = 2,
    names: bytes = b"main\0exit\0",
    flags: int = 0,
    directory_size: int | None = None,
) -> bytes:
    """The header, `sections` section headers, exported names, the debug directory, and its records."""
    size = 28 * len(entries)
    at = 48 + 40 * sections + len(names) + size
    table, records = b"", b""
    for one in entries:
        pointer = at + len(records)
        table += struct.pack("<IIHHIIII", 0, one.stamp, 0, one.minor, one.kind, len(one.record), 0, pointer)
        records += one.record
    claimed = size if directory_size is None else directory_size
    header = struct.pack(
        "<2sHHHIIIIIIII8x",
        b"DI",
        flags,
        machine,
        0x230E,
        stamp,
        0,
        0x400000,
        image_size,
        sections,
        len(names),
        claimed,
        4096,
    )
    return header + bytes(40 * sections) + names + table + records
