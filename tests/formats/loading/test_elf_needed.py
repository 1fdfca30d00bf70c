import struct
from contextlib import suppress

import pytest
from elftools.elf.dynamic import DynamicSection, DynamicSegment
from elftools.elf.elffile import ELFFile
from hypothesis import given, settings
from hypothesis import strategies as st

from symsrv.formats.base import BytesReader
from symsrv.formats.loading.elf_needed import NAMES_LIMIT, needed
from symsrv.model.errors import NotIdentified
from tests.made import corpus
from tests.made.elf_builder import NOBITS, TEXT, Part, build_dynamic_elf, build_elf

NAMES = ("libcoreclr.so", "libc.so.6")
EVERY_SHAPE = [(wide, order) for wide in (False, True) for order in "<>"]


@pytest.mark.parametrize("sections", [True, False])
@pytest.mark.parametrize(("wide", "order"), EVERY_SHAPE)
def test_every_shape(wide, order, sections):
    data = build_dynamic_elf(NAMES, wide=wide, order=order, sections=sections)

    assert needed(BytesReader(data)) == NAMES


@pytest.mark.parametrize("entry", corpus.entries("elf"))
def test_corpus_as_pyelftools_reads_it(entry):
    data = entry.path.read_bytes()
    try:
        found = needed(BytesReader(data))
    except NotIdentified:
        assert entry.where.startswith("broken/")
        return
    with entry.path.open("rb") as file:
        try:
            elf = ELFFile(file)
            tables = [one for one in elf.iter_sections() if isinstance(one, DynamicSection)]
            if not any(one["sh_type"] != "SHT_NULL" for one in elf.iter_sections()):
                tables = [one for one in elf.iter_segments() if isinstance(one, DynamicSegment)]
            theirs = [one.needed for table in tables for one in table.iter_tags() if one.entry.d_tag == "DT_NEEDED"]
        except Exception:  # pyelftools refuses damaged files in many ways
            return
    assert list(found) == theirs


def test_debug_files_need_nothing():
    data = build_elf((TEXT, Part(".dynamic", kind=NOBITS, size=64)))

    assert needed(BytesReader(data)) == ()


def test_bounded():
    many = build_dynamic_elf(tuple(f"lib{index}.so" for index in range(2000)))
    reader = BytesReader(many)

    assert len(needed(reader)) == NAMES_LIMIT
    assert reader.bytes_read < 128 * 1024
    assert needed(BytesReader(build_dynamic_elf(("x" * 300, "y" * 255)))) == ("y" * 255,)


def test_no_elf():
    with pytest.raises(NotIdentified):
        needed(BytesReader(b"MZ" * 100))


@pytest.mark.parametrize("sections", [True, False])
def test_cut_anywhere(sections):
    data = build_dynamic_elf(NAMES, sections=sections)
    for size in range(len(data)):
        try:
            found = needed(BytesReader(data[:size]))
        except NotIdentified:
            continue
        assert set(found) <= set(NAMES)


@settings(deadline=None)
@given(
    st.sampled_from([True, False]),
    st.lists(st.tuples(st.integers(0, 900), st.sampled_from([0, 1, 0x7F, 0x80, 0xFF])), max_size=8),
)
def test_any_bytes(sections, changes):
    data = bytearray(build_dynamic_elf(NAMES, sections=sections))
    for at, byte in changes:
        data[at % len(data)] = byte
    with suppress(NotIdentified):
        assert len(needed(BytesReader(bytes(data)))) <= NAMES_LIMIT


def test_strings_in_no_segment():
    data = bytearray(build_dynamic_elf(NAMES, sections=False))
    at = data.index(struct.pack("<Q", 5))
    data[at + 8 : at + 16] = b"\xff" * 8

    assert needed(BytesReader(bytes(data))) == ()
