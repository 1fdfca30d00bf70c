import pytest

from symsrv.formats.base import BytesReader
from symsrv.formats.sources import dwarf_units
from symsrv.formats.sources.dwarf_cursor import Forms, Strings
from symsrv.formats.sources.dwarf_units import compile_folders
from tests.made.dwarf_builder import ABBREV, info_unit, unit


def folders(info: bytes, *, order: str = "<", abbreviations: bytes = ABBREV) -> dict[int, bytes]:
    forms = Forms(Strings(None), Strings(None))
    return compile_folders(BytesReader(info), BytesReader(abbreviations), forms, little=order == "<")


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(("version", "kind"), [(2, 1), (3, 1), (4, 1), (5, 1), (5, 2), (5, 3), (5, 4), (5, 5), (5, 6)])
def test_every_header(version, kind, order, wide):
    info = info_unit("/src", 0x1234, version=version, kind=kind, order=order, wide=wide)

    assert folders(info, order=order) == {0x1234: b"/src"}


def test_the_first_unit_of_a_table_counts():
    info = info_unit("/a", 0) + info_unit("/b", 7) + info_unit("/c", 0)

    assert folders(info) == {0: b"/a", 7: b"/b"}


def test_units_that_make_no_sense_are_passed_over():
    info = info_unit("/a", 0, code=99) + unit(b"") + unit(b"\4\0") + info_unit("", 3) + info_unit("/b", 7)

    assert folders(info) == {7: b"/b"}


def test_abbreviations_are_bounded(monkeypatch):
    monkeypatch.setattr(dwarf_units, "DECLARATIONS_LIMIT", 50)
    endless = bytes([7, 0x24, 0]) + bytes([3, 8]) * 1000

    assert folders(info_unit("/a", 0) * 1000, abbreviations=endless) == {}


def test_folders_are_bounded(monkeypatch):
    monkeypatch.setattr(dwarf_units, "FOLDERS_LIMIT_BYTES", 40)
    info = b"".join(info_unit("/a", index) for index in range(100))
    other = b"".join(info_unit(f"/{index:09}", index) for index in range(100))

    assert len(folders(info)) == 100
    assert len(folders(other)) == 4


@pytest.mark.parametrize("abbreviations", [b"", b"\1", b"\1\x11", ABBREV[:-1], b"\x80" * 20])
def test_abbreviations_that_end(abbreviations):
    assert folders(info_unit("/a", 0), abbreviations=abbreviations) in ({}, {0: b"/a"})
