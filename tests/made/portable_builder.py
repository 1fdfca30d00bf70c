"""Portable PDBs with chosen documents and custom debug information: `build_portable(...)` returns the bytes."""

import struct
import uuid
from collections.abc import Sequence

from tests.made.pe_builder import GUID

STAMP = 0x0C9A3B51
SOURCE_LINK = uuid.UUID("CC110556-A091-4D38-9FEC-25AB9A351A6A").bytes_le
EMBEDDED_SOURCE = uuid.UUID("0E8A571B-6926-466E-B4AB-8AB04611F5FE").bytes_le
OTHER_KIND = uuid.UUID("54FD2AC5-E925-401A-9C2A-F94F171072F8").bytes_le
METHOD_TAG, MODULE_TAG, DOCUMENT_TAG = 0, 7, 22


class Heap:
    """`#Blob`, with a number before each blob that says how long it is."""

    def __init__(self) -> None:
        self.raw = b"\0"

    def add(self, blob: bytes) -> int:
        at = len(self.raw)
        self.raw += compressed(len(blob)) + blob
        return at


def compressed(number: int) -> bytes:
    """A compressed unsigned number (ECMA-335 II.23.2)."""
    if number < 0x80:
        return bytes([number])
    if number < 0x4000:
        return struct.pack(">H", 0x8000 | number)
    return struct.pack(">I", 0xC0000000 | number)


def build_metadata(streams: Sequence[tuple[str, bytes]], *, version: str = "PDB v1.0") -> bytes:
    """A metadata root with these streams."""
    text = version.encode() + b"\0"
    text += bytes(-len(text) % 4)
    names = [name.encode() + bytes(4 - len(name) % 4) for name, _ in streams]
    at = 16 + len(text) + 4 + sum(8 + len(name) for name in names)
    head = struct.pack("<4sHHII", b"BSJB", 1, 1, 0, len(text)) + text + struct.pack("<HH", 0, len(streams))
    for name, (_, content) in zip(names, streams, strict=True):
        head += struct.pack("<II", at, len(content)) + name
        at += len(content)
    return head + b"".join(content for _, content in streams)


def build_portable(
    documents: Sequence[str] = (),
    *,
    embedded: Sequence[int] = (),
    source_link: str | bytes | None = None,
    separator: str = "/",
    guid: bytes = GUID,
    stamp: int = STAMP,
    methods: int = 0,
    method_infos: int = 0,
    in_order: bool = True,
    wide: bool = False,
    extra: bool = False,
    tables_stream: str = "#~",
) -> bytes:
    """A portable PDB.

    `embedded` are the numbers of documents, from 1, that have their text inside. `methods` is how many methods the
    program has, `method_infos` how many of them have custom information of another kind. Without `in_order` the rows
    of custom information stand backwards and are not marked as sorted. `wide`: all heaps have indices of four bytes.
    """
    blobs = Heap()
    parts: dict[str, int] = {"": 0}
    rows = b""
    heap = "I" if wide else "H"
    for name in documents:
        pieces = name.split(separator) if separator else [name]
        for one in pieces:
            if one not in parts:
                parts[one] = blobs.add(one.encode())
        spelled = (separator.encode() or b"\0") + b"".join(compressed(parts[one]) for one in pieces)
        rows += struct.pack(f"<4{heap}", blobs.add(spelled), 0, 0, 0)
    infos = [(number << 5 | METHOD_TAG, 3, blobs.add(b"")) for number in range(1, method_infos + 1)]
    if source_link is not None:
        text = source_link.encode() if isinstance(source_link, str) else source_link
        infos.append((1 << 5 | MODULE_TAG, 1, blobs.add(text)))
    infos += [(number << 5 | DOCUMENT_TAG, 2, blobs.add(bytes(4) + b"class A {}")) for number in embedded]
    infos.sort(reverse=not in_order)
    many = max(methods, len(documents)) >= 1 << 11
    custom = b"".join(struct.pack(f"<{'I' if many else 'H'}2{heap}", *one) for one in infos)
    debug_rows = struct.pack(f"<H{heap}", 0, 0) * 3
    present = {0x30: len(documents), 0x31: 3, 0x37: len(infos)}
    tables = struct.pack(
        "<IBBBBQQ",
        0,
        2,
        0,
        (7 if wide else 0) | (0x40 if extra else 0),
        1,
        sum(1 << table for table in present),
        (1 << 0x37) if in_order else 0,
    )
    tables += (
        struct.pack(f"<{len(present)}I", *present.values()) + bytes(4 if extra else 0) + rows + debug_rows + custom
    )
    pdb = guid + struct.pack("<IIQ", stamp, 0, 1 << 6 | 1) + struct.pack("<II", 1, methods)
    kinds = SOURCE_LINK + EMBEDDED_SOURCE + OTHER_KIND
    streams = [("#Pdb", pdb), (tables_stream, tables), ("#Strings", b"\0"), ("#GUID", kinds), ("#Blob", blobs.raw)]
    return build_metadata(streams)
