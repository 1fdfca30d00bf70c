import pytest

from symsrv.formats.base import BytesReader
from symsrv.formats.structures.elf_tables import PT_NOTE, ElfTables, Section, SectionNames
from tests.made.elf_builder import BUILD_ID, DEBUG, TEXT, build_dynamic_elf, build_elf


@pytest.mark.parametrize("extended", [False, True])
@pytest.mark.parametrize(("wide", "order"), [(False, "<"), (False, ">"), (True, "<"), (True, ">")])
def test_tables_of_every_shape(wide, order, extended):
    data = build_elf((TEXT, DEBUG), wide=wide, order=order, extended=extended)
    elf = ElfTables(BytesReader(data))
    names = elf.names()
    sections = list(elf.sections(0, 100))

    assert (elf.wide, elf.little, elf.type, elf.machine, elf.sound) == (wide, order == "<", 3, 62, True)
    assert [elf.name(names, one, 8).split(b"\0")[0] for one in sections] == [
        b"",
        b".note.gn",
        b".text",
        b".debug_i",
        b".shstrta",
    ]
    note = next(one for one in elf.segments(100) if one.kind == PT_NOTE)
    assert BUILD_ID in data[note.offset : note.offset + note.size]


def test_limits():
    elf = ElfTables(BytesReader(build_elf((TEXT, DEBUG))))

    assert len(list(elf.segments(1))) == 1
    assert [one.size for one in elf.sections(3, 1)] == [len(DEBUG.data)]
    assert list(elf.sections(100, 5)) == []


def test_a_window_outside_the_file_is_empty_and_remembered():
    elf = ElfTables(BytesReader(build_elf()))

    assert elf.window(1 << 60, 4) == b""
    assert not elf.sound


@pytest.mark.parametrize("extended", [False, True])
def test_no_section_headers(extended):
    elf = ElfTables(BytesReader(build_elf(sections=False, extended=extended)))

    assert (elf.section_count, elf.names(), list(elf.sections(0, 10))) == (0, None, [])


@pytest.mark.parametrize("limit", [0, 1 << 20])
def test_names_read_at_once_or_one_by_one(limit):
    elf = ElfTables(BytesReader(build_elf((TEXT, DEBUG))))
    names = SectionNames(elf, limit)

    found = [names.name(one, 100) for one in elf.sections(0, 100)]

    assert found == [b"", b".note.gnu.build-id", b".text", b".debug_info", b".shstrtab"]
    assert names.name(next(elf.sections(3, 1)), 4) == b".deb"
    assert (names.whole is None) == (limit == 0)


def test_no_names():
    elf = ElfTables(BytesReader(build_elf(sections=False)))

    assert SectionNames(elf, 100).name(Section(1, 1, 0, 0, 1, 0, 0, 1), 10) == b""


@pytest.mark.parametrize("wide", [False, True])
def test_addresses_of_segments(wide):
    elf = ElfTables(BytesReader(build_dynamic_elf(wide=wide)))

    assert [(one.kind, one.address - one.offset) for one in elf.segments(9)] == [(1, 0x10000), (2, 0x10000)]
