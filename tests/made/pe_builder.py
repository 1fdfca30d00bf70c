"""PE images with chosen numbers and debug records: `build_pe(...)` returns the bytes.

One section, `.rdata`, at RVA 0x1000 and file offset 0x400, holds the debug directory and its records.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

GUID = bytes(range(0x10, 0x20))
GUID_TEXT = "13121110151417161819" + "1a1b1c1d1e1f"
STAMP, IMAGE_SIZE = 0x0A1B2C3D, 0x3000
RVA, RAW = 0x1000, 0x400


@dataclass(frozen=True)
class Entry:
    """One debug directory entry. `by_address`: PointerToRawData is 0, as in images dumped from memory."""

    record: bytes
    kind: int = 2
    minor: int = 0
    stamp: int = STAMP
    by_address: bool = False


def rsds(path: bytes = b"C:\\out\\made.pdb", *, age: int = 1, guid: bytes = GUID) -> bytes:
    """A CodeView record of a PDB 7 or a portable PDB."""
    return b"RSDS" + guid + struct.pack("<I", age) + path + b"\0"


def nb10(path: bytes = b"C:\\out\\old.pdb", *, signature: int = 0x5555CD4F, age: int = 2) -> bytes:
    """A CodeView record of a PDB 2.0."""
    return b"NB10" + struct.pack("<3I", 0, signature, age) + path + b"\0"


def build_pe(
    entries: Sequence[Entry] = (),
    *,
    wide: bool = True,
    machine: int = 0x8664,
    stamp: int = STAMP,
    image_size: int = IMAGE_SIZE,
    directory: tuple[int, int] | None = None,
    header_at: int = 0x80,
) -> bytes:
    """A PE32+ (`wide`) or PE32 image. `directory` replaces address and size of the debug directory."""
    table, records = b"", b""
    records_at = 28 * len(entries)
    for one in entries:
        at = records_at + len(records)
        pointer = 0 if one.by_address else RAW + at
        table += struct.pack("<IIHHIIII", 0, one.stamp, 0, one.minor, one.kind, len(one.record), RVA + at, pointer)
        records += one.record
    contents = table + records
    address, size = directory or ((RVA, len(table)) if entries else (0, 0))
    optional = bytearray(240 if wide else 224)
    struct.pack_into("<H", optional, 0, 0x20B if wide else 0x10B)
    struct.pack_into("<I", optional, 56, image_size)
    directories = 112 if wide else 96
    struct.pack_into("<I", optional, directories - 4, 16)
    struct.pack_into("<II", optional, directories + 8 * 6, address, size)
    coff = struct.pack("<HHIIIHH", machine, 1, stamp, 0, 0, len(optional), 0x2022)
    section = struct.pack("<8sIIII16x", b".rdata", len(contents), RVA, len(contents), RAW)
    stub = bytearray(header_at)
    stub[:2] = b"MZ"
    struct.pack_into("<I", stub, 0x3C, header_at)
    headers = bytes(stub) + b"PE\0\0" + coff + bytes(optional) + section
    return headers.ljust(RAW, b"\0") + contents
