import pytest

from symsrv.formats.base import BytesReader
from symsrv.formats.structures.elf_notes import find_build_id
from symsrv.formats.structures.elf_tables import ElfTables
from tests.made.elf_builder import BUILD_ID, NOTE, TEXT, Part, build_elf, note


def found(data: bytes) -> bytes | None:
    elf = ElfTables(BytesReader(data))
    return find_build_id(elf, tuple(elf.sections(0, 100)))


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(("segment", "section"), [(True, None), (False, ".any.name")])
def test_by_segment_and_by_section(order, segment, section):
    assert found(build_elf(order=order, note_segment=segment, note_section=section)) == BUILD_ID


def test_segments_go_first():
    data = build_elf((Part(".note.gnu.build-id", note(b"\1" * 20), NOTE), TEXT), note_section=None)

    assert found(data) == BUILD_ID


def test_none():
    assert found(build_elf(notes=b"")) is None
    assert found(build_elf(notes=note(owner=b"CORE\0"))) is None
    assert found(build_elf(notes=note(bytes(65)))) is None
    assert found(build_elf(notes=note()[:-1])) is None
