"""The memory of a core: what is held, what is not, and images read out of it."""

import pytest

from symsrv.formats.base import BytesReader
from symsrv.formats.loading.elf_core_memory import ElfImage, Header, Image, Memory, executable, program_headers
from symsrv.formats.structures.elf_tables import ElfTables
from symsrv.model.errors import NotIdentified
from tests.made.elf_builder import BUILD_ID, build_elf


def memory(data: bytes, *loads: Header) -> Memory:
    return Memory(BytesReader(data), loads)


def load(offset: int, address: int, held: int, size: int | None = None, flags: int = 4) -> Header:
    return Header(1, flags, offset, address, held, held if size is None else size)


def test_reads_across_segments_and_zeros_where_nothing_is():
    one = memory(b"abcdef", load(0, 0x1000, 3), load(3, 0x1003, 3, 8))

    assert one.read(0x1001, 4) == b"bcde"
    assert one.read(0x1004, 6) == b"ef\0\0\0\0"
    assert one.read(0x500, 2) == b"\0\0"
    assert [one.held(at) for at in (0xFFF, 0x1000, 0x1004, 0x1007, 0x100B)] == [0, 3, 2, 0, 0]


def test_what_was_cut_off_is_not_held():
    assert memory(b"abc", load(1, 0x1000, 0x1000)).held(0x1000) == 2


def test_text_needs_its_end():
    one = memory(b"crash\0/bin/cra", load(0, 0x1000, 14))

    assert one.text(0x1000, 100) == "crash"
    assert one.text(0x1000, 4) == ""
    assert one.text(0x1006, 100) == ""
    assert one.text(0, 100) == ""


def test_image_by_offsets_of_the_file():
    image = Image(memory(b"headtail", load(0, 0x1000, 4), load(4, 0x8000, 4)), [(0, 0x1000, 4), (4, 0x8000, 4)])

    assert image.size == 8
    assert image.at(2, 4) == b"adta"


def test_image_does_not_make_up_what_is_missing():
    image = Image(memory(b"head", load(0, 0x1000, 4)), [(0, 0x1000, 8)])

    with pytest.raises(NotIdentified):
        image.at(2, 4)


@pytest.mark.parametrize(("wide", "order"), [(False, "<"), (False, ">"), (True, "<"), (True, ">")])
def test_program_headers_of_every_shape(wide, order):
    data = build_elf(wide=wide, order=order)

    first, second = program_headers(ElfTables(BytesReader(data)), 8)

    assert (first.kind, second.kind) == (1, 4)
    assert first.offset == first.address == (176 if wide else 120)
    assert first.held == first.size
    assert first.flags == 4


def test_image_of_an_elf_file():
    data = build_elf(sections=False)

    image = ElfImage(memory(data, load(0, 0x7000, len(data))), 0x7000)

    assert image.build_id == BUILD_ID
    assert 0x7000 < image.end <= 0x7000 + len(data)
    assert image.soname == ""


def test_budget_of_the_core_is_not_the_images():
    data = build_elf(sections=False)
    one = Memory(BytesReader(data, 100), [load(0, 0x7000, len(data))])

    with pytest.raises(NotIdentified, match="100 bytes"):
        ElfImage(one, 0x7000)


def test_executable():
    assert executable(load(0, 0, 0, flags=5))
    assert not executable(load(0, 0, 0, flags=6))
    assert not executable(None)
