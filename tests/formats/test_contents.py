import pytest
from elftools.elf.elffile import ELFFile

from symsrv.formats.base import BytesReader
from symsrv.formats.contents import Span, section
from symsrv.model.errors import NotIdentified
from tests.made import zig
from tests.made.elf_builder import ALLOC, COMPRESSED, DEBUG, NOBITS, TEXT, Part, build_elf

PARTS = (
    TEXT,
    DEBUG,
    Part(".debug_line", b"\1\0\0\0zipped", flags=COMPRESSED),
    Part(".bss", kind=NOBITS, flags=ALLOC, size=40),
    Part(".empty"),
    Part(".beyond", b"x", size=1 << 30),
    Part(".debug", b"prefix"),
)


def found(data: bytes, name: str) -> Span | None:
    return section(BytesReader(data), name)


def contents(data: bytes, name: str) -> bytes | None:
    span = found(data, name)
    return None if span is None else data[span.offset : span.offset + span.size]


@pytest.mark.parametrize("extended", [False, True])
@pytest.mark.parametrize(("wide", "order"), [(False, "<"), (False, ">"), (True, "<"), (True, ">")])
def test_sections_of_every_shape(wide, order, extended):
    data = build_elf(PARTS, wide=wide, order=order, extended=extended)

    assert contents(data, ".text") == TEXT.data
    assert contents(data, ".debug_info") == DEBUG.data
    assert contents(data, ".debug") == b"prefix"


def test_compressed_sections_are_raw():
    # debuginfod(8): "the raw binary contents of the section"; its extract_section uses elf_rawdata.
    data = build_elf(PARTS)

    assert contents(data, ".debug_line") == PARTS[2].data
    assert found(data, ".debug_line").compressed
    assert not found(data, ".debug_info").compressed


@pytest.mark.parametrize(
    "name", [".bss", ".empty", ".beyond", ".nosuch", ".debug_inf", "", "a\0b", "\udc80", "\ud800x"]
)
def test_what_is_not_in_the_file_is_absent(name):
    assert found(build_elf(PARTS), name) is None


@pytest.mark.parametrize("data", [b"", b"MZ", b"\x7fELF", b"x" * 100])
def test_no_elf(data):
    if data[:4] == b"\x7fELF":
        with pytest.raises(NotIdentified):
            found(data, ".text")
    else:
        assert found(data, ".text") is None


def test_as_pyelftools_finds_them():
    path = zig.elf().path
    data = path.read_bytes()
    with path.open("rb") as file:
        for one in ELFFile(file).iter_sections():
            if one.name and one["sh_type"] != "SHT_NOBITS" and one["sh_size"]:
                assert contents(data, one.name) == data[one["sh_offset"] :][: one["sh_size"]]


def test_many_sections_with_long_names():
    parts = [Part(f".text.{'f' * 300}{index}", b"x", flags=ALLOC) for index in range(1500)]
    reader = BytesReader(build_elf((*parts, DEBUG)))

    assert section(reader, ".debug_info").size == len(DEBUG.data)
    assert reader.bytes_read < reader.budget


def test_beyond_the_budget_it_is_too_complex():
    parts = [Part(f".x{index}", b"x") for index in range(20_000)]

    with pytest.raises(NotIdentified) as caught:
        section(BytesReader(build_elf(parts)), ".nosuch")
    assert caught.value.reason == "too-complex"


def test_cut_anywhere():
    data = build_elf(PARTS)
    for size in range(len(data)):
        try:
            span = found(data[:size], ".debug_info")
        except NotIdentified:
            continue
        assert span is None or span.offset + span.size <= size
