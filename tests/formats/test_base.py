import os

import pytest

from symsrv.formats.base import BytesReader, FileReader, Reader
from symsrv.model.errors import NotIdentified


def refusal(reader: Reader, offset: int, size: int) -> str:
    with pytest.raises(NotIdentified) as caught:
        reader.at(offset, size)
    return caught.value.reason


@pytest.fixture(params=["bytes", "file"])
def make_reader(request, tmp_path):
    opened = []

    def make(data: bytes, **options: int) -> Reader:
        if request.param == "bytes":
            return BytesReader(data, **options)
        path = tmp_path / "data"
        path.write_bytes(data)
        opened.append(os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0)))
        return FileReader(opened[-1], **options)

    yield make
    for descriptor in opened:
        os.close(descriptor)


def test_at_gives_exactly_what_was_asked_for(make_reader):
    assert make_reader(b"0123456789\r\n\x1a").at(8, 5) == b"89\r\n\x1a"


@pytest.mark.parametrize(("offset", "size"), [(8, 3), (11, 0), (-1, 2), (0, -1), (1 << 70, 1), (0, 1 << 70)])
def test_at_refuses_what_is_not_in_the_file(make_reader, offset, size):
    assert refusal(make_reader(b"0123456789"), offset, size) == "truncated"


def test_up_to_gives_less_at_the_end(make_reader):
    assert make_reader(b"0123456789").up_to(8, 64) == b"89"


def test_reading_more_than_the_budget_ends(make_reader):
    reader = make_reader(bytes(100), budget=10)
    reader.at(0, 10)

    assert refusal(reader, 0, 1) == "too-complex"


def test_every_byte_counts(make_reader):
    reader = make_reader(bytes(100))
    reader.at(0, 10)
    reader.up_to(95, 10)

    assert reader.bytes_read == 15


def test_a_file_that_shrinks_is_truncated(tmp_path):
    path = tmp_path / "data"
    path.write_bytes(bytes(100))
    with path.open("rb") as file:
        reader = FileReader(file.fileno())
        os.truncate(path, 50)

        assert refusal(reader, 40, 20) == "truncated"
