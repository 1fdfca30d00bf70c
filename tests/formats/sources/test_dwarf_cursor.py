import pytest

from symsrv.formats.base import BytesReader
from symsrv.formats.sources.dwarf_cursor import (
    STRINGS_AT_ONCE_BYTES,
    TEXT_LIMIT_BYTES,
    WINDOW_BYTES,
    Cursor,
    Forms,
    Strings,
)
from symsrv.model.errors import NotIdentified
from tests.made.dwarf_builder import leb, unit


def cursor(data: bytes, *, little: bool = True) -> Cursor:
    return Cursor(BytesReader(data), little=little)


def test_numbers_in_both_orders():
    assert cursor(b"\1\2\3").number(3) == 0x030201
    assert cursor(b"\1\2\3", little=False).number(3) == 0x010203


@pytest.mark.parametrize("value", [0, 1, 127, 128, 300, 1 << 32, (1 << 64) - 1])
def test_variable_length(value):
    assert cursor(leb(value)).leb() == value


def test_variable_length_without_end():
    with pytest.raises(NotIdentified):
        cursor(b"\x80" * 100).leb()


def test_texts_across_windows():
    texts = [b"x" * (index * 37 % 900) for index in range(200)]
    one = cursor(b"".join(text + b"\0" for text in texts))

    assert [one.text() for _ in texts] == texts
    with pytest.raises(NotIdentified):
        one.text()


def test_a_text_ends_before_its_unit_does():
    one = cursor(b"abc\0def\0")
    one.move(0, 6)

    assert one.text() == b"abc"
    with pytest.raises(NotIdentified):
        one.text()


def test_a_text_of_any_length_is_none():
    with pytest.raises(NotIdentified):
        cursor(b"x" * TEXT_LIMIT_BYTES + b"\0").text()


def test_places_may_be_visited_in_any_order():
    data = bytes(range(256)) * 100
    one = cursor(data)
    for at in (20_000, 5, WINDOW_BYTES - 1, 20_001, 0):
        one.move(at, len(data))
        assert one.take(4) == data[at : at + 4]


def test_units_of_both_widths():
    data = unit(b"abc") + unit(b"defg", wide=True) + unit(b"")
    one = cursor(data)

    assert [(data[each.start : each.end], each.offset_bytes) for each in one.units()] == [
        (b"abc", 4),
        (b"defg", 8),
        (b"", 4),
    ]


@pytest.mark.parametrize("data", [b"", b"\1", b"\xf0\xff\xff\xff1234", b"\xff\xff\xff\xff1234"])
def test_no_units(data):
    assert list(cursor(data).units()) == []


def test_zeros_are_units_without_content_and_end():
    assert len(list(cursor(bytes(1000)).units())) == 250


@pytest.mark.parametrize("padding", [0, STRINGS_AT_ONCE_BYTES])
def test_strings_read_at_once_or_one_by_one(padding):
    texts = Strings(BytesReader(b"abc\0" + b"d" * 300 + b"\0" + b"e" * (TEXT_LIMIT_BYTES + padding)))

    assert texts.at(1) == b"bc"
    assert texts.at(4) == b"d" * 300
    assert texts.at(305) == texts.at(1 << 60) == Strings(None).at(0) == b""


FORMS = Forms(Strings(BytesReader(b"_text\0")), Strings(BytesReader(b"_line\0")))


@pytest.mark.parametrize(
    ("form", "data", "value"),
    [
        (0x08, b"abc\0", b"abc"),
        (0x0E, b"\1\0\0\0", b"text"),
        (0x1F, b"\1\0\0\0", b"line"),
        (0x17, b"\7\0\0\0", 7),
        (0x0F, b"\x80\1", 128),
        (0x0B, b"\7", 7),
        (0x27, b"\7\0\0", 7),
        (0x19, b"", 0),
        (0x1E, b"\7" + bytes(15), 7),
        (0x01, bytes(8), None),
        (0x10, bytes(4), None),
        (0x0A, b"\2ab", None),
        (0x03, b"\2\0ab", None),
        (0x04, b"\2\0\0\0ab", None),
        (0x09, b"\2ab", None),
        (0x18, b"\2ab", None),
        (0x16, b"\x0b\7", 7),
        (0x1F20, b"\7\0\0\0", 7),
    ],
)
def test_forms(form, data, value):
    one = cursor(data + b"end")

    assert FORMS.value(one, form, offset_bytes=4) == value
    assert one.take(3) == b"end"


@pytest.mark.parametrize(("form", "data"), [(0x77, b"abc"), (0x04, b"\xff\xff\xff\x7f"), (0x16, b"\x16"), (0x08, b"x")])
def test_forms_that_make_no_sense(form, data):
    with pytest.raises(NotIdentified):
        FORMS.value(cursor(data), form, offset_bytes=4)
