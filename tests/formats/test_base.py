import os

import pytest

from symsrv.formats.base import FRONT_BYTES, BytesReader, FileReader, Reader
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

    assert refusal(reader, 10, 1) == "too-complex"


def test_every_byte_that_was_read_counts_and_the_front_once(make_reader):
    reader = make_reader(bytes(3 * FRONT_BYTES))
    for offset in range(0, FRONT_BYTES - 64, 16):
        reader.at(offset, 64)
    reader.at(FRONT_BYTES - 10, 20)
    reader.up_to(3 * FRONT_BYTES - 5, 10)

    assert reader.bytes_read == FRONT_BYTES + 20 + 5


def test_the_front_is_read_only_if_it_is_asked_for(make_reader):
    reader = make_reader(bytes(range(256)) * 100)

    assert reader.at(4999, 3) == bytes([135, 136, 137])
    assert reader.bytes_read == 3


def test_a_file_that_shrinks_is_truncated(tmp_path):
    path = tmp_path / "data"
    path.write_bytes(bytes(5000))
    with path.open("rb") as file:
        reader = FileReader(file.fileno())
        os.truncate(path, 4000)

        assert refusal(reader, 3990, 20) == "truncated"
