import struct
import zlib

import pytest
import zstandard

from symsrv.formats.base import BytesReader
from symsrv.formats.sources import elf_sections
from symsrv.formats.sources.dwarf_lines import source_files
from symsrv.formats.sources.elf_sections import dwarf_of, is_compressed, named_sections, opened
from symsrv.formats.structures.elf_tables import ElfTables
from symsrv.model.errors import NotIdentified
from tests.made.dwarf_builder import ABBREV, info_unit, line_unit, strings
from tests.made.elf_builder import ALLOC, COMPRESSED, NOBITS, TEXT, Part, build_elf

EVERY_SHAPE = [(wide, order) for wide in (False, True) for order in "<>"]
LINE = line_unit([], [("a.c", 0), ("b.c", 0)])


def packed(data: bytes, *, method: int = 1, wide: bool = True, order: str = "<") -> bytes:
    body = zlib.compress(data) if method == 1 else zstandard.compress(data)
    header = (method, 0, len(data), 1) if wide else (method, len(data), 1)
    return struct.pack(order + ("IIQQ" if wide else "III"), *header) + body


def read(data: bytes, name: str) -> bytes:
    elf = ElfTables(BytesReader(data))
    section = next(one for _, found, one in named_sections(elf) if found == name)
    reader = opened(elf, name, section)
    return reader.at(0, reader.size)


def sources(data: bytes) -> tuple[str, ...]:
    elf = ElfTables(BytesReader(data))
    dwarf = dwarf_of(elf, {name: (index, one) for index, name, one in named_sections(elf)})
    return () if dwarf is None else source_files(dwarf)


def test_listed_are_those_with_bytes_in_the_file():
    parts = (TEXT, Part(".bss", kind=NOBITS, flags=ALLOC, size=9), Part(".empty"), Part(".beyond", b"x", size=1 << 40))
    elf = ElfTables(BytesReader(build_elf((*parts, Part(".x" * 300, b"x")))))

    assert [(index, name) for index, name, _ in named_sections(elf)] == [
        (1, ".note.gnu.build-id"),
        (2, ".text"),
        (6, (".x" * 300)[: elf_sections.NAME_LIMIT_BYTES]),
        (7, ".shstrtab"),
    ]


@pytest.mark.parametrize("method", [1, 2])
@pytest.mark.parametrize(("wide", "order"), EVERY_SHAPE)
def test_compressed_by_flag(wide, order, method):
    part = Part(".debug_str", packed(b"text" * 99, method=method, wide=wide, order=order), flags=COMPRESSED)

    assert read(build_elf((TEXT, part), wide=wide, order=order), ".debug_str") == b"text" * 99


def test_compressed_by_name():
    part = Part(".zdebug_str", b"ZLIB" + struct.pack(">Q", 396) + zlib.compress(b"text" * 99))

    assert read(build_elf((part,)), ".zdebug_str") == b"text" * 99
    assert read(build_elf((Part(".zdebug_str", b"plain"),)), ".zdebug_str") == b"plain"


def test_what_counts_as_compressed():
    elf = ElfTables(BytesReader(build_elf((Part(".zdebug_x", b"x"), Part(".debug_x", b"x", flags=COMPRESSED), TEXT))))

    assert [name for _, name, one in named_sections(elf) if is_compressed(name, one)] == [".zdebug_x", ".debug_x"]


@pytest.mark.parametrize("method", [1, 2])
def test_bombs_end_at_the_limit(method, monkeypatch):
    monkeypatch.setattr(elf_sections, "SECTION_LIMIT_BYTES", 100_000)
    part = Part(".debug_str", packed(bytes(1 << 24), method=method), flags=COMPRESSED)

    assert len(read(build_elf((part,)), ".debug_str")) == 100_000


@pytest.mark.parametrize(
    "data", [b"", b"\1\0\0\0", packed(b"x" * 99)[:24] + b"junk", struct.pack("<IIQQ", 2, 0, 9, 1) + b"junk", b"\3" * 30]
)
def test_what_cannot_be_decompressed(data):
    line = Part(".debug_line", data or b"x", flags=COMPRESSED)

    with pytest.raises(NotIdentified):
        read(build_elf((line,)), ".debug_line")
    assert sources(build_elf((line,))) == ()


def test_sections_of_debug_information_are_found_packed_and_plain():
    info, abbreviations = info_unit("/src", 0), ABBREV
    plain = (Part(".debug_line", LINE), Part(".debug_info", info), Part(".debug_abbrev", abbreviations))
    zipped = (
        Part(".debug_line", packed(LINE), flags=COMPRESSED),
        Part(".zdebug_info", b"ZLIB" + bytes(8) + zlib.compress(info)),
        Part(".debug_abbrev", packed(abbreviations, method=2), flags=COMPRESSED),
    )

    assert sources(build_elf(plain)) == sources(build_elf(zipped)) == ("/src/a.c", "/src/b.c")


def test_split_dwarf():
    assert sources(build_elf((Part(".debug_line.dwo", LINE),))) == ("a.c", "b.c")
    assert sources(build_elf((TEXT,))) == ()


@pytest.mark.parametrize(
    ("machine", "kind", "wide", "order"),
    [(62, 10, True, "<"), (183, 258, True, "<"), (22, 4, True, ">"), (21, 1, True, ">"), (20, 1, False, ">")],
)
def test_files_that_are_not_linked(machine, kind, wide, order):
    text, places = strings("other", "/src", "a.c")
    line = line_unit(["/src"], [("a.c", 0)], version=5, order=order, places=places)
    entries = []
    for name in ("/src", "a.c"):
        at = line.index(struct.pack(f"{order}I", places[name]), line.index(b"\x1f"))
        line = line[:at] + bytes(4) + line[at + 4 :]
        # The symbol's value and the addend make the offset together.
        info = 1 << (32 if wide else 8) | kind
        entries.append(struct.pack(order + ("QQq" if wide else "IIi"), at, info, places[name] - 2))
    symbol = struct.pack(
        order + ("IBBHQQ" if wide else "IIIBBH"), *((0, 0, 0, 0, 2, 0) if wide else (0, 2, 0, 0, 0, 0))
    )
    relocations = Part(".rela.debug_line", b"".join(entries), kind=4, info=2)
    parts = (
        Part(".debug_line", line),
        Part(".debug_line_str", text),
        relocations,
        Part(".symtab", bytes(len(symbol)) + symbol, kind=2),
    )
    made = {"wide": wide, "order": order, "machine": machine}

    assert sources(build_elf(parts, file_type=1, **made)) == ("/src/a.c",)
    assert sources(build_elf(parts, file_type=3, **made)) == ("other/other",)


def test_relocations_that_lead_outside_are_passed_over():
    entries = b"".join(
        struct.pack("<QQq", *one) for one in [(1 << 40, 10, 7), (0, 99 << 32 | 10, 7), (len(LINE) - 3, 10, 7)]
    )
    parts = (Part(".debug_line", LINE), Part(".rela.debug_line", entries + b"cut", kind=4, info=2))

    assert sources(build_elf((*parts, Part(".symtab", bytes(24), kind=2)), file_type=1)) == ("a.c", "b.c")


def test_a_huge_section_that_is_not_linked_is_left_out(monkeypatch):
    monkeypatch.setattr(elf_sections, "SECTION_LIMIT_BYTES", 10)
    parts = (Part(".debug_line", LINE), Part(".rela.debug_line", bytes(24), kind=4, info=2))

    assert sources(build_elf(parts, file_type=1)) == ()
