"""The notes of a core, of every class and byte order."""

import struct

import pytest

from symsrv.formats.base import BytesReader
from symsrv.formats.loading.elf_core_memory import program_headers
from symsrv.formats.loading.elf_core_notes import MAPPINGS_LIMIT, CoreNotes, read_notes
from symsrv.formats.structures.elf_tables import ElfTables
from symsrv.model.errors import NotIdentified
from tests.made.core_builder import Mapped, build_core

LISTED = [Mapped("/bin/crash", 0x400000), Mapped("/lib/ü.so", 0x500000, size=0x3000, offset=0x2000)]


def notes(data: bytes) -> CoreNotes:
    elf = ElfTables(BytesReader(data, 1 << 26))
    return read_notes(elf, [one for one in program_headers(elf, 64) if one.kind == 4])


@pytest.mark.parametrize(("wide", "order"), [(False, "<"), (False, ">"), (True, "<"), (True, ">")])
def test_every_shape(wide, order):
    found = notes(build_core(LISTED, wide=wide, order=order, auxv={3: 0x400040, 33: 0x600000}, program="crash"))

    assert found.program == "crash"
    assert found.auxv == {3: 0x400040, 33: 0x600000}
    assert found.files == [(0x400000, 0x401000, 0, "/bin/crash"), (0x500000, 0x503000, 0x2000, "/lib/ü.so")]


def test_none_of_them():
    assert notes(build_core([], program=None, files=False)) == CoreNotes()


@pytest.mark.parametrize("count", [3, 1 << 40])
def test_count_beyond_the_note_is_cut(count):
    found = notes(build_core([*LISTED, *LISTED], count=count)).files

    assert len(found) <= 8


def test_more_mappings_than_any_process_has():
    data = bytearray(build_core([], program=None, files=False))
    listed = struct.pack("<2Q", MAPPINGS_LIMIT + 1, 4096) + bytes(24 * (MAPPINGS_LIMIT + 1))
    one = struct.pack("<3I", 5, len(listed), 0x46494C45) + b"CORE\0\0\0\0" + listed
    struct.pack_into("<Q", data, 64 + 8, len(data))
    struct.pack_into("<Q", data, 64 + 32, len(one))

    with pytest.raises(NotIdentified) as caught:
        notes(bytes(data + one))
    assert caught.value.reason == "too-complex"


def test_a_note_that_reaches_beyond_its_segment_ends_them():
    whole = build_core(LISTED, auxv={3: 1})
    elf = ElfTables(BytesReader(whole))
    (segment,) = [one for one in program_headers(elf, 64) if one.kind == 4]

    for held in range(segment.held):
        read_notes(elf, [segment._replace(held=held)])
