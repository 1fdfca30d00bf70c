"""PE images with chosen numbers and debug records: `build_pe(...)` returns the bytes.

One section, `.rdata`, at RVA 0x1000 and file offset 0x400, holds the debug directory and its records, and behind them
what other data directories point to.
"""

import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

GUID = bytes(range(0x10, 0x20))
GUID_TEXT = "13121110151417161819" + "1a1b1c1d1e1f"
STAMP, IMAGE_SIZE = 0x0A1B2C3D, 0x3000
RVA, RAW = 0x1000, 0x400
IMAGE_BASE = 0x10000000
RESOURCES, LOAD_CONFIG, CLR = 2, 10, 14
CODE, DATA = 0x60000020, 0x40000040


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


def mtoc(path: bytes = b"/Build/DEBUG/made.dll", *, uuid: bytes = GUID) -> bytes:
    """A CodeView record that names a Mach-O file, as EDK II writes it."""
    return b"MTOC" + uuid + path + b"\0"


def mpdb(pdb: bytes, *, size: int | None = None, packed: bytes | None = None) -> bytes:
    """An embedded portable PDB, the record of an entry of kind 17; `size` and `packed` replace what is true."""
    if packed is None:
        deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
        packed = deflate.compress(pdb) + deflate.flush()
    return b"MPDB" + struct.pack("<I", len(pdb) if size is None else size) + packed


def misc(name: str, *, wide: bool = False) -> bytes:
    """An IMAGE_DEBUG_MISC record, of an entry of kind 4."""
    text = (name + "\0").encode("utf-16-le" if wide else "ascii")
    return struct.pack("<IIB3x", 1, 12 + len(text), wide) + text


def load_config(*, wide: bool = True, chpe: int = IMAGE_BASE + RVA, size: int | None = None) -> bytes:
    """A load configuration with a CHPE metadata pointer; `size` is what its own size field says."""
    table = bytearray(0x140 if wide else 0xC0)
    struct.pack_into("<I", table, 0, len(table) if size is None else size)
    struct.pack_into("<Q" if wide else "<I", table, 200 if wide else 124, chpe)
    return bytes(table)


def clr_header(*, flags: int = 1, native: int = 0) -> bytes:
    """A .NET header; `native` is the address of its ManagedNativeHeader."""
    return struct.pack("<IHHIIIIQQQQQII", 72, 2, 5, 0, 0, flags, 0, 0, 0, 0, 0, 0, native, 4 if native else 0)


def build_pe(
    entries: Sequence[Entry] = (),
    *,
    wide: bool = True,
    machine: int = 0x8664,
    stamp: int = STAMP,
    image_size: int = IMAGE_SIZE,
    directory: tuple[int, int] | None = None,
    header_at: int = 0x80,
    others: Mapping[int, bytes] | None = None,
    flags: int = 0x2022,
    section_flags: int = CODE,
    entry_point: int = 0,
    subsystem: int = 3,
    at_rva: bytes = b"",
) -> bytes:
    """A PE32+ (`wide`) or PE32 image. `directory` replaces address and size of the debug directory.

    `others` are the contents of other data directories by their number. `at_rva` lies at the beginning of the section,
    before the debug directory; its length must be a multiple of four.
    """
    table, records = b"", b""
    start = len(at_rva)
    records_at = start + 28 * len(entries)
    for one in entries:
        at = records_at + len(records)
        pointer = 0 if one.by_address else RAW + at
        table += struct.pack("<IIHHIIII", 0, one.stamp, 0, one.minor, one.kind, len(one.record), RVA + at, pointer)
        records += one.record
    contents = at_rva + table + records
    address, size = directory or ((RVA + start, len(table)) if entries else (0, 0))
    optional = bytearray(240 if wide else 224)
    struct.pack_into("<H", optional, 0, 0x20B if wide else 0x10B)
    struct.pack_into("<I", optional, 16, entry_point)
    struct.pack_into("<Q" if wide else "<I", optional, 24 if wide else 28, IMAGE_BASE)
    struct.pack_into("<I", optional, 56, image_size)
    struct.pack_into("<H", optional, 68, subsystem)
    directories = 112 if wide else 96
    struct.pack_into("<I", optional, directories - 4, 16)
    struct.pack_into("<II", optional, directories + 8 * 6, address, size)
    for number, other in (others or {}).items():
        struct.pack_into("<II", optional, directories + 8 * number, RVA + len(contents), len(other))
        contents += other
    coff = struct.pack("<HHIIIHH", machine, 1, stamp, 0, 0, len(optional), flags)
    section = struct.pack("<8sIIII12xI", b".rdata", len(contents), RVA, len(contents), RAW, section_flags)
    stub = bytearray(header_at)
    stub[:2] = b"MZ"
    struct.pack_into("<I", stub, 0x3C, header_at)
    headers = bytes(stub) + b"PE\0\0" + coff + bytes(optional) + section
    return headers.ljust(RAW, b"\0") + contents
