"""WebAssembly files with chosen sections: `build_wasm(...)` returns the bytes."""

from collections.abc import Sequence

BUILD_ID = bytes.fromhex("a3ccfe45dd2411a9a56a9d2b49f537a5a50b1a76")
CORE, COMPONENT = b"\1\0\0\0", b"\x0d\0\1\0"
CODE, MEMORY, IMPORT = 10, 5, 2


def number(value: int, *, width: int = 1) -> bytes:
    """LEB128, of at least `width` bytes."""
    found = bytearray()
    while value >= 0x80 or len(found) + 1 < width:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*found, value))


def section(kind: int, content: bytes = b"", *, size: int | None = None) -> bytes:
    """One section; `size`: what its header claims."""
    return bytes([kind]) + number(len(content) if size is None else size) + content


def custom(name: str, content: bytes = b"", *, name_size: int | None = None) -> bytes:
    """A custom section; `name_size`: what it claims."""
    text = name.encode()
    return section(0, number(len(text) if name_size is None else name_size) + text + content)


def prefixed(raw: bytes = BUILD_ID, *, width: int = 1) -> bytes:
    """A build id behind its length, as wasm-ld writes it."""
    return number(len(raw), width=width) + raw


FUNCTION = section(CODE, b"\1\2\0\x0b")
ID = custom("build_id", prefixed())
DEBUG = custom(".debug_info", b"d" * 300)


def build_wasm(sections: Sequence[bytes] = (FUNCTION, ID), *, version: bytes = CORE) -> bytes:
    """A module, or a component."""
    return b"\0asm" + version + b"".join(sections)
