"""Text files of other tools: no byte changes when lines are taken out, and every code is read."""

import pytest

from symsrv.store.lines import columns, rows, text_of

LINES = ['1,"Überraschung"', "2,plain", '3,"x, y"']


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("last", [True, False], ids=["terminated", "separated"])
@pytest.mark.parametrize("code", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1"])
def test_lines_are_split_and_joined_without_changing_a_byte(code, last, end):
    data = (end.join(LINES) + (end if last else "")).encode(code)

    text = text_of(data)

    assert [text.read(line) for line in text.lines] == LINES
    assert text.joined(text.lines) == data
    without = text_of(text.joined([text.lines[0], text.lines[1]]))
    assert [without.read(line) for line in without.lines] == LINES[:2]
    assert without.ended == last
    assert rows(data) == [["1", "Überraschung"], ["2", "plain"], ["3", "x, y"]]


def test_two_tools_may_have_written_one_file_each_in_its_own_code():
    data = "1,Grün\n".encode("latin-1") + "2,Grün\n".encode()

    assert rows(data) == [["1", "Grün"], ["2", "Grün"]]


def test_an_ellipsis_of_a_code_page_ends_no_line():
    """0x85 is U+0085 in Latin-1, where Python's own splitlines ends a line."""
    assert rows(b'1,"wait\x85",x\r\n') == [["1", "wait\x85", "x"]]


@pytest.mark.parametrize("line", ["", '"', '"a\rb",c', "a\0b", "x" * 70_000, ",,,"])
def test_columns_never_fail(line):
    assert isinstance(columns(line), list)


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"\n", b"\0", b"a\0\n\0b", b"\xff\xfea", b"\0\0\0"])
def test_any_bytes_are_text(data):
    text = text_of(data)

    assert text.mark + b"".join(text.lines) == data
    assert all(isinstance(text.read(line), str) for line in text.lines)


def test_nothing_left_is_an_empty_file():
    assert text_of("a\n".encode("utf-16")).joined([]) == b""
    assert text_of(b"").ended
