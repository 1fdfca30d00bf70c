"""ELF files of any class and byte order, with chosen notes and numbering: `build_elf(...)` returns the bytes."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

BUILD_ID = bytes.fromhex("dfb85de42daffd09640c8fe377d572de3e168920")
PROGBITS, NOTE, NOBITS = 1, 7, 8
ALLOC, COMPRESSED = 2, 0x800


@dataclass(frozen=True)
class Part:
    """One section. `size` None: that of the data; otherwise what the header claims."""

    name: str
    data: bytes = b""
    kind: int = PROGBITS
    flags: int = 0
    size: int | None = None
    align: int = 1
    info: int = 0


TEXT = Part(".text", b"\x90" * 16, flags=ALLOC)
DEBUG = Part(".debug_info", b"d" * 32)


def note(
    descriptor: bytes = BUILD_ID, *, owner: bytes = b"GNU\0", kind: int = 3, order: str = "<", align: int = 4
) -> bytes:
    """One note; name and descriptor padded to `align`."""
    head = struct.pack(f"{order}3I", len(owner), len(descriptor), kind) + owner
    head += bytes(-len(head) % align)
    return head + descriptor + bytes(-len(descriptor) % align)


def build_elf(
    parts: Sequence[Part] = (TEXT,),
    *,
    wide: bool = True,
    order: str = "<",
    notes: bytes | None = None,
    note_align: int = 4,
    note_section: str | None = ".note.gnu.build-id",
    note_segment: bool = True,
    sections: bool = True,
    extended: bool = False,
    file_type: int = 3,
    machine: int = 62,
) -> bytes:
    """An ELF file with one PT_LOAD, and the notes as a segment, a section or both.

    `extended` puts all counts into section 0, as files with more than 65,279 sections must.
    """
    notes = note(order=order) if notes is None else notes
    header_size, segment_size, section_size = (64, 56, 64) if wide else (52, 32, 40)
    at = header_size + 2 * segment_size
    at += -at % 8
    load_at, note_at = at, at
    body = notes + bytes(-len(notes) % 8)
    every = [Part("", kind=0)]
    if note_section:
        every.append(Part(note_section, notes, NOTE, ALLOC, align=note_align))
    every += parts
    offsets = [0] + ([note_at] if note_section else [])
    for one in parts:
        offsets.append(at + len(body))
        body += one.data + bytes(-len(one.data) % 8)
    names = b"\0" + b"".join(one.name.encode() + b"\0" for one in (*every[1:], Part(".shstrtab")))
    every.append(Part(".shstrtab", names, 3))
    offsets.append(at + len(body))
    body += names + bytes(-len(names) % 8)
    table_at = at + len(body)

    count = len(every)
    table, name_at = b"", 1
    for index, (one, offset) in enumerate(zip(every, offsets, strict=True)):
        size = len(one.data) if one.size is None else one.size
        link, info = 0, one.info
        if index == 0 and extended:
            size, link, info = count, count - 1, 2
        fields = (name_at if index else 0, one.kind, one.flags, 0, offset, size, link, info, one.align, 0)
        table += struct.pack(order + ("IIQQQQIIQQ" if wide else "10I"), *fields)
        name_at += len(one.name) + 1 if index else 0

    def segment(kind: int, offset: int, size: int, align: int) -> bytes:
        if wide:
            return struct.pack(order + "IIQQQQQQ", kind, 4, offset, offset, offset, size, size, align)
        return struct.pack(order + "8I", kind, offset, offset, offset, size, size, 4, align)

    segments = segment(1, load_at, len(body), 8) + (
        segment(4, note_at, len(notes), note_align) if note_segment else segment(0, 0, 0, 0)
    )
    numbers = (0, 0xFFFF) if extended else (count, count - 1)
    if not sections:
        table, table_at, numbers = b"", 0, (0, 0)
    ident = b"\x7fELF" + bytes([2 if wide else 1, 1 if order == "<" else 2, 1]) + bytes(9)
    header = ident + struct.pack(
        order + ("HHIQQQIHHHHHH" if wide else "HHIIIIIHHHHHH"),
        *(file_type, machine, 1, 0, header_size, table_at, 0, header_size),
        *(segment_size, 0xFFFF if extended else 2, section_size, *numbers),
    )
    return (header + segments).ljust(at, b"\0") + body + table


def build_dynamic_elf(
    needed: Sequence[str] = ("libc.so.6",), *, wide: bool = True, order: str = "<", sections: bool = True
) -> bytes:
    """A library with a dynamic table of these DT_NEEDED names; with section headers, or known by its segments alone."""
    header_size, segment_size, section_size = (64, 56, 64) if wide else (52, 32, 40)
    word = "Q" if wide else "I"
    base = 0x10000
    strings = b"\0" + b"".join(one.encode() + b"\0" for one in needed)
    strings_at = header_size + 2 * segment_size
    dynamic_at = strings_at + len(strings) + -len(strings) % 8
    entries, at = [(14, 1)], 1
    for one in needed:
        entries.append((1, at))
        at += len(one.encode()) + 1
    entries += [(5, base + strings_at), (0, 0), (1, 1)]
    dynamic = b"".join(struct.pack(f"{order}2{word}", *one) for one in entries)

    def segment(kind: int, offset: int, size: int) -> bytes:
        if wide:
            return struct.pack(order + "IIQQQQQQ", kind, 4, offset, base + offset, 0, size, size, 8)
        return struct.pack(order + "8I", kind, offset, base + offset, 0, size, size, 4, 8)

    def section(kind: int, offset: int, size: int, link: int) -> bytes:
        return struct.pack(order + ("IIQQQQIIQQ" if wide else "10I"), 0, kind, 2, 0, offset, size, link, 0, 8, 0)

    end = dynamic_at + len(dynamic)
    table = section(0, 0, 0, 0) + section(3, strings_at, len(strings), 0) + section(6, dynamic_at, len(dynamic), 1)
    ident = b"\x7fELF" + bytes([2 if wide else 1, 1 if order == "<" else 2, 1]) + bytes(9)
    header = ident + struct.pack(
        order + ("HHIQQQIHHHHHH" if wide else "HHIIIIIHHHHHH"),
        *(3, 62, 1, 0, header_size, end if sections else 0, 0, header_size, segment_size, 2),
        *(section_size, 3 if sections else 0, 0),
    )
    segments = segment(1, 0, end) + segment(2, dynamic_at, len(dynamic))
    body = (header + segments + strings).ljust(dynamic_at, b"\0") + dynamic
    return body + (table if sections else b"")
