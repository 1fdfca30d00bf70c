"""Mach-O files of any width and byte order, and fat files of them: `build_macho(...)`, `build_fat(...)` -> bytes."""

import struct
from collections.abc import Sequence

UUID = bytes.fromhex("67e9247c814e392ba027dbde6748fcbf")
OTHER_UUID = bytes.fromhex("2556f1515a403847be6ce2c1b5be4df8")
EXECUTE, CORE, DYLIB, STUB, BUNDLE, DSYM = 2, 4, 6, 9, 8, 10
X86_64, ARM64, ARM, PPC = 0x01000007, 0x0100000C, 12, 18
FAT_HEADER_BYTES = 4096


def uuid_command(raw: bytes = UUID, *, order: str = "<") -> bytes:
    """LC_UUID."""
    return struct.pack(order + "II", 0x1B, 8 + len(raw)) + raw


def segment(name: str, offset: int, size: int, *, wide: bool = True, order: str = "<") -> bytes:
    """LC_SEGMENT or LC_SEGMENT_64 without sections."""
    fields = (name.encode(), 0x1000, size, offset, size, 7, 5, 0, 0)
    if wide:
        return struct.pack(order + "II16s4Q4I", 0x19, 72, *fields)
    return struct.pack(order + "II16s4I4I", 0x1, 56, *fields)


def library(path: str, *, kind: int = 0xC, order: str = "<") -> bytes:
    """LC_LOAD_DYLIB, or one of its kin."""
    text = path.encode() + b"\0"
    text += bytes(-len(text) % 8)
    return struct.pack(order + "6I", kind, 24 + len(text), 24, 2, 0x10000, 0x10000) + text


def filler(size: int, *, order: str = "<") -> bytes:
    """A load command that means nothing here (LC_NOTE)."""
    return struct.pack(order + "II", 0x31, size) + bytes(size - 8)


def build_macho(
    commands: Sequence[bytes] | None = None,
    *,
    wide: bool = True,
    order: str = "<",
    machine: int = X86_64,
    subtype: int = 3,
    file_type: int = DYLIB,
    content: bytes = b"\x90" * 64,
    count: int | None = None,
    commands_size: int | None = None,
) -> bytes:
    """A thin file; without `commands`: `__TEXT` and LC_UUID. `count`, `commands_size`: what the header claims."""
    if commands is None:
        commands = (segment("__TEXT", 0, 16, wide=wide, order=order), uuid_command(order=order))
    body = b"".join(commands)
    header = struct.pack(
        order + "7I",
        0xFEEDFACF if wide else 0xFEEDFACE,
        *(machine, subtype, file_type),
        len(commands) if count is None else count,
        len(body) if commands_size is None else commands_size,
        0x85,
    )
    return header + (bytes(4) if wide else b"") + body + content


def build_fat(
    parts: Sequence[tuple[int, int, bytes]], *, wide: bool = False, first: int = FAT_HEADER_BYTES, gap: int = 4096
) -> bytes:
    """A fat file of (machine, subtype, content), each beginning on a multiple of `gap`."""
    table, body, at = b"", b"", first
    for machine, subtype, content in parts:
        table += (
            struct.pack(">IIQQII", machine, subtype, at, len(content), 12, 0)
            if wide
            else struct.pack(">5I", machine, subtype, at, len(content), 12)
        )
        padded = content + bytes(-len(content) % gap)
        body += padded
        at += len(padded)
    header = struct.pack(">II", 0xCAFEBABF if wide else 0xCAFEBABE, len(parts)) + table
    return header.ljust(first, b"\0") + body


def fat_arch(data: bytes, index: int, *, offset: int | None = None, size: int | None = None) -> bytes:
    """The fat file (not fat64) with another offset or size of one slice."""
    changed = bytearray(data)
    at = 8 + 20 * index + 8
    old_offset, old_size = struct.unpack_from(">II", data, at)
    struct.pack_into(">II", changed, at, old_offset if offset is None else offset, old_size if size is None else size)
    return bytes(changed)
