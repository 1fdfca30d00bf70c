"""Minidumps of any system and byte order, with chosen modules: `build_minidump(...)` returns the bytes."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

GUID = bytes.fromhex("9dd949324 00c3149 8610f4e4fb0b6936".replace(" ", ""))
BUILD_ID = bytes.fromhex("dfb85de42daffd09640c8fe377d572de3e168920")
WINDOWS, MACOS, LINUX, ANDROID = 2, 0x8101, 0x8201, 0x8203
MODULES, UNLOADED, SYSTEM = 4, 14, 7


def rsds(guid: bytes = GUID, age: int = 1, path: bytes = b"C:\\out\\crash.pdb", *, order: str = "<") -> bytes:
    """A CodeView record of a PDB 7; `guid` as it lies in a file."""
    return (b"RSDS" if order == "<" else b"SDSR") + guid + struct.pack(f"{order}I", age) + path + b"\0"


def nb10(signature: int = 0x5555CD4F, age: int = 0x2A, path: bytes = b"old.pdb", *, order: str = "<") -> bytes:
    """A CodeView record of a PDB 2.0."""
    return struct.pack(f"{order}4I", 0x3031424E, 0, signature, age) + path + b"\0"


def bpel(raw: bytes = BUILD_ID, *, order: str = "<") -> bytes:
    """Breakpad's record of a build id."""
    return struct.pack(f"{order}I", 0x4270454C) + raw


@dataclass(frozen=True)
class Loaded:
    """One module. `name_at`, `record_at`, `record_size`: what the module says instead of the truth."""

    path: str
    record: bytes = b""
    base: int = 0x10000
    size: int = 0x9000
    stamp: int = 0
    version: tuple[int, int, int, int] | None = None
    name_at: int | None = None
    record_at: int | None = None
    record_size: int | None = None


def build_minidump(
    modules: Sequence[Loaded] = (Loaded("C:\\out\\crash.exe", rsds(), stamp=0x5AB38077),),
    *,
    platform: int | None = WINDOWS,
    order: str = "<",
    aligned: bool = False,
    count: int | None = None,
    unloaded: Sequence[str] = (),
) -> bytes:
    """A dump with a module list, the system information (`platform` None: without), and names of unloaded modules.

    `aligned` leaves four bytes between the count and the list, as Breakpad does; `count` lies about it.
    """
    streams = [(MODULES, (8 if aligned else 4) + 108 * len(modules))]
    streams += [(SYSTEM, 56)] if platform is not None else []
    streams += [(UNLOADED, 12 + 24 * len(unloaded))] if unloaded else []
    at = 32 + 12 * len(streams)
    directory, places = b"", {}
    for kind, size in streams:
        directory += struct.pack(f"{order}3I", kind, size, at)
        places[kind] = at
        at += size
    tail = b""

    def put(data: bytes) -> int:
        nonlocal tail
        tail += data
        return at + len(tail) - len(data)

    def name(text: str) -> int:
        raw = text.encode("utf-16-le" if order == "<" else "utf-16-be")
        return put(struct.pack(f"{order}I", len(raw)) + raw + b"\0\0")

    listed = struct.pack(f"{order}I", len(modules) if count is None else count) + bytes(4 if aligned else 0)
    for one in modules:
        high = [0, 0, 0, 0]
        if one.version:
            first, second, third, fourth = one.version
            high = [0xFEEF04BD, 0x10000, first << 16 | second, third << 16 | fourth]
        name_at = name(one.path)
        record_at = put(one.record) if one.record else 0
        listed += struct.pack(
            f"{order}Q4I13I4I16x",
            *(one.base, one.size, 0, one.stamp, name_at if one.name_at is None else one.name_at),
            *(*high, *[0] * 9),
            *(len(one.record) if one.record_size is None else one.record_size,),
            *(record_at if one.record_at is None else one.record_at, 0, 0),
        )
    if platform is not None:
        listed += struct.pack(f"{order}HHHBBIIIIII24x", 9, 6, 0, 1, 1, 10, 0, 14393, platform, 0, 0)
    if unloaded:
        listed += struct.pack(f"{order}3I", 12, 24, len(unloaded))
        for text in unloaded:
            listed += struct.pack(f"{order}QIIII", 0x20000, 0x1000, 0, 1, name(text))
    magic = b"MDMP" if order == "<" else b"PMDM"
    head = magic + struct.pack(f"{order}IIIIIQ", 0xA793, len(streams), 32, 0, 0, 0)
    return head + directory + listed + tail
