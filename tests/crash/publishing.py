"""Small real files and drafts for the crash scenarios: PE images whose key and bytes we choose."""

import struct
from pathlib import Path

from symsrv.formats import identify_path
from symsrv.layouts import home
from symsrv.store import Draft, Offer, SymbolStore


def image(folder: Path, name: str, *, stamp: int = 0x5AB38077, payload: bytes = b"") -> Path:
    """A PE image with no sections: its key is `name`, the stamp and 0x9000; the payload makes other bytes of it."""
    coff = struct.pack("<HHIIIHH", 0x8664, 0, stamp, 0, 0, 240, 0x22)
    optional = struct.pack("<H", 0x20B).ljust(56, b"\0") + struct.pack("<II", 0x9000, 0x200)
    head = b"MZ".ljust(60, b"\0") + struct.pack("<I", 64)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(head + b"PE\0\0" + coff + optional.ljust(240, b"\0") + payload)
    return path


def offer(store: SymbolStore, path: Path) -> Offer:
    identities = identify_path(path)
    staged = store.stage(path)
    return Offer(path, f"C:\\build\\{path.name}", home(identities[0]), staged.size, staged.sha256, identities, staged)


def draft(store: SymbolStore, *paths: Path, replace: bool = False, compress: bool = False) -> Draft:
    offers = tuple(offer(store, path) for path in paths)
    return Draft(offers, product="app", version="1.0", replace=replace, compress=compress)
