"""ELF cores of any class and byte order, with chosen mappings and notes: `build_core(...)` returns the bytes."""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

PAGE = 0x1000
PHDR, ENTRY, EXECFN, VDSO = 3, 9, 31, 33
PRPSINFO, AUXV, FILES, PRSTATUS = 3, 6, 0x46494C45, 1


@dataclass(frozen=True)
class Mapped:
    """One mapping. `data` is what the core has of it; `path` "" for one that no file is named for."""

    path: str
    start: int
    data: bytes = b""
    size: int = PAGE
    offset: int = 0
    executable: bool = False


def build_core(
    mappings: Sequence[Mapped],
    *,
    wide: bool = True,
    order: str = "<",
    auxv: Mapping[int, int] | None = None,
    program: str | None = "crash",
    files: bool = True,
    count: int | None = None,
    extended: bool = False,
) -> bytes:
    """A core. `files` False leaves NT_FILE out, `count` lies in it; `extended` has its segment count in section 0."""
    word = "Q" if wide else "I"

    def note(kind: int, descriptor: bytes, owner: bytes = b"CORE\0") -> bytes:
        head = struct.pack(f"{order}3I", len(owner), len(descriptor), kind) + owner
        head += bytes(-len(head) % 4)
        return head + descriptor + bytes(-len(descriptor) % 4)

    notes = note(PRSTATUS, bytes(336 if wide else 144))
    # Of the same type as NT_FILE and NT_PRPSINFO, but of another owner.
    notes += note(FILES, b"x" * 21, b"LINUX\0") + note(PRPSINFO, b"y" * 136, b"GNU\0")
    if program is not None:
        head = bytes(40 if wide else 28)
        notes += note(PRPSINFO, head + program.encode()[:15].ljust(16, b"\0") + program.encode().ljust(80, b"\0"))
    if auxv is not None:
        notes += note(AUXV, b"".join(struct.pack(f"{order}2{word}", *one) for one in [*auxv.items(), (0, 0)]))
    named = [one for one in mappings if one.path]
    if files:
        listed = struct.pack(f"{order}2{word}", len(named) if count is None else count, PAGE)
        for one in named:
            listed += struct.pack(f"{order}3{word}", one.start, one.start + one.size, one.offset // PAGE)
        notes += note(FILES, listed + b"".join(one.path.encode() + b"\0" for one in named))
    header_size, segment_size, section_size = (64, 56, 64) if wide else (52, 32, 40)
    segments = len(mappings) + 1
    notes_at = header_size + segments * segment_size + (section_size if extended else 0)
    at = notes_at + len(notes)
    table, body = b"", b""

    def segment(kind: int, flags: int, offset: int, address: int, held: int, size: int) -> bytes:
        if wide:
            return struct.pack(f"{order}IIQQQQQQ", kind, flags, offset, address, 0, held, size, 1)
        return struct.pack(f"{order}8I", kind, offset, address, 0, held, size, flags, 1)

    table += segment(4, 0, notes_at, 0, len(notes), 0)
    for one in mappings:
        held = one.data[: one.size]
        table += segment(1, 5 if one.executable else 4, at + len(body), one.start, len(held), one.size)
        body += held
    section = b""
    if extended:
        fields = (0, 0, 0, 0, 0, 1, 0, segments, 0, 0)
        section = struct.pack(order + ("IIQQQQIIQQ" if wide else "10I"), *fields)
    ident = b"\x7fELF" + bytes([2 if wide else 1, 1 if order == "<" else 2, 1]) + bytes(9)
    header = ident + struct.pack(
        order + ("HHIQQQIHHHHHH" if wide else "HHIIIIIHHHHHH"),
        *(4, 62, 1, 0, header_size, header_size + len(table) if extended else 0, 0, header_size),
        *(segment_size, 0xFFFF if extended else segments, section_size if extended else 0, int(extended), 0),
    )
    return header + table + section + notes + body
