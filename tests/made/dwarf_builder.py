"""DWARF sections with chosen file tables: `line_unit(...)`, `info_unit(...)` and `strings(...)` return bytes."""

import struct
from collections.abc import Sequence

SHORT, LONG = 4, 8


def leb(value: int) -> bytes:
    """An unsigned number of variable length."""
    found = b""
    while True:
        found += bytes([value & 0x7F | (0x80 if value > 0x7F else 0)])
        value >>= 7
        if not value:
            return found


def strings(*texts: str) -> tuple[bytes, dict[str, int]]:
    """A section of strings, and where each is."""
    section, places = b"", {}
    for one in texts:
        places[one] = len(section)
        section += one.encode() + b"\0"
    return section, places


def unit(body: bytes, *, order: str = "<", wide: bool = False) -> bytes:
    """A unit: its length in the form of DWARF32 or DWARF64, and the body."""
    return (
        struct.pack(f"{order}IQ", 0xFFFFFFFF, len(body)) + body if wide else struct.pack(f"{order}I", len(body)) + body
    )


def line_unit(
    folders: Sequence[str],
    files: Sequence[tuple[str, int]],
    *,
    version: int = 4,
    order: str = "<",
    wide: bool = False,
    places: dict[str, int] | None = None,
    form: int = 0x1F,
    program: bytes = b"\0\1\1",
) -> bytes:
    """A line table of version 2 to 5. `places`: version 5 names are offsets (of the form given) by these."""
    word = f"{order}{'Q' if wide else 'I'}"
    tables = b""
    if version < 5:
        tables += b"".join(one.encode() + b"\0" for one in folders) + b"\0"
        tables += b"".join(name.encode() + b"\0" + leb(index) + leb(300) + leb(7) for name, index in files) + b"\0"
    else:

        def text(one: str) -> bytes:
            return one.encode() + b"\0" if places is None else struct.pack(word, places[one])

        kind = 0x08 if places is None else form
        tables += b"\1" + leb(1) + leb(kind) + leb(len(folders)) + b"".join(map(text, folders))
        tables += b"\3" + leb(1) + leb(kind) + leb(2) + leb(0x0B) + leb(5) + leb(0x1E) + leb(len(files))
        tables += b"".join(text(name) + bytes([index]) + b"5" * 16 for name, index in files)
    counts = bytes([0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1])
    head = b"\1" + (b"\1" if version >= 4 else b"") + b"\1\xfb\x0e" + bytes([len(counts) + 1]) + counts
    body = struct.pack(f"{order}H", version) + (b"\x08\0" if version >= 5 else b"")
    body += struct.pack(word, len(head) + len(tables)) + head + tables + program
    return unit(body, order=order, wide=wide)


def info_unit(
    folder: str, table: int, *, version: int = 4, order: str = "<", wide: bool = False, kind: int = 1, code: int = 1
) -> bytes:
    """A unit of `.debug_info` whose first entry, declared in `ABBREV`, has its folder and table among other values."""
    word = f"{order}{'Q' if wide else 'I'}"
    head = struct.pack(f"{order}H", version)
    if version >= 5:
        head += bytes([kind, 8]) + struct.pack(word, 0)
        head += bytes(8) if kind in (4, 5) else bytes(8) + struct.pack(word, 0) if kind in (2, 6) else b""
    else:
        head += struct.pack(word, 0) + b"\x08"
    values = b"name.c\0" + b"\3abc" + b"\2ab" + leb(300) + bytes(8) + struct.pack(word, 0)
    values += folder.encode() + b"\0" + struct.pack(word, table)
    return unit(head + leb(code) + values, order=order, wide=wide)


# Entry 7 is in the way; entry 1 is a compile unit: name (string), block1, exprloc, udata, addr, strp, a constant that
# is in no entry, comp_dir, stmt_list.
ABBREV = (
    bytes([7, 0x24, 0, 0x03, 0x08, 0x33, 0x21, 0x05, 0, 0])
    + bytes([1, 0x11, 1, 0x03, 0x08, 0x34, 0x0A, 0x02, 0x18, 0x13, 0x0F, 0x11, 0x01, 0x25, 0x0E])
    + bytes([0x33, 0x21, 0x05, 0x1B, 0x08, 0x10, 0x17, 0, 0, 0])
)
