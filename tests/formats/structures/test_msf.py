import struct
import sys

import pytest

from symsrv.formats.base import FRONT_BYTES, BytesReader, FileReader
from symsrv.formats.structures.msf import STREAMS_LIMIT, Msf, SmallMsf
from symsrv.model.errors import NotIdentified
from tests.made.pdb2_builder import lay_out_small
from tests.made.pdb_builder import NIL, PAGE_SIZES, lay_out, write_sparse_pdb

no_holes = pytest.mark.skipif(sys.platform == "win32", reason="NTFS would write 5 GiB of zeros")


def opened(data: bytes) -> Msf:
    return Msf(BytesReader(data))


def refusal(data: bytes) -> str:
    with pytest.raises(NotIdentified) as caught:
        opened(data).read(3, 0, 1)
    return caught.value.reason


def patched(offset: int, value: int, *, page_size: int = 512) -> bytes:
    data = bytearray(lay_out([b"0", b"1" * 600, b"2", b"3"], page_size=page_size))
    struct.pack_into("<I", data, offset, value)
    return bytes(data)


@pytest.mark.parametrize("scattered", [False, True])
@pytest.mark.parametrize("page_size", PAGE_SIZES)
def test_streams_of_every_page_size(page_size, scattered):
    contents = bytes(index % 251 for index in range(3 * page_size + 100))
    msf = opened(lay_out([b"", b"one", contents, b"three"], page_size=page_size, scattered=scattered))

    assert [msf.size(stream) for stream in range(5)] == [0, 3, len(contents), 5, 0]
    assert msf.read(2, 0, 1 << 40) == contents
    assert msf.read(2, page_size - 1, 2 * page_size) == contents[page_size - 1 :][: 2 * page_size]
    assert msf.read(3, 1, 3) == b"hre"
    assert msf.read(3, 5, 3) == b""
    assert msf.read(7, 0, 3) == b""


def test_nil_stream_has_no_pages():
    # Not 2^32 / page size of them, as the Python symstore package counts.
    msf = opened(lay_out([NIL, NIL, b"two", b"three"]))

    assert (msf.size(0), msf.size(1)) == (0, 0)
    assert msf.read(3, 0, 100) == b"three"


def test_directory_of_many_pages_and_a_map_of_many_pages():
    many = [b"x"] * 70_000  # 560,000 bytes of directory, 1,094 numbers in its map, 9 pages of map
    data = lay_out([b"zero", b"one", b"two", b"three", *many], page_size=512)
    reader = BytesReader(data)

    msf = Msf(reader)

    assert msf.read(3, 0, 100) == b"three"
    assert msf.directory_size > 512 * 512 // 4
    assert reader.bytes_read < FRONT_BYTES + 1024


@no_holes
def test_more_than_four_gigabytes(tmp_path):
    path = tmp_path / "huge.pdb"
    write_sparse_pdb(path, 5 << 30)
    with path.open("rb") as file:
        reader = FileReader(file.fileno())
        msf = Msf(reader)

        assert msf.read(1, 12, 16) == bytes(range(0x10, 0x20))
        assert msf.read(3, 0, 4) == b"\xff\xff\xff\xff"
        assert reader.size > 4 << 30
        assert reader.bytes_read < FRONT_BYTES + 1024


@pytest.mark.parametrize("page_size", [0, 1, 256, 511, 513, 1000, 131072, NIL])
def test_page_size_is_a_power_of_two_of_the_known_range(page_size):
    assert refusal(patched(32, page_size)) == "malformed"


def test_directory_that_does_not_fit_its_map():
    assert refusal(patched(44, NIL)) == "malformed"
    assert refusal(patched(44, 0)) == "malformed"


def test_page_outside_the_file():
    assert refusal(patched(52, 0)) == "malformed"
    assert refusal(patched(52, 0x7FFFFFFF)) == "malformed"
    assert refusal(patched(40, NIL)[:-512]) == "truncated"


def test_more_streams_than_the_directory_has():
    data = lay_out([b"0", b"1", b"2", b"3"])
    at = data.index(struct.pack("<5I", 4, 1, 1, 1, 1))

    assert refusal(data[:at] + struct.pack("<I", 0x40000000) + data[at + 4 :]) == "malformed"
    assert refusal(data[:at] + struct.pack("<5I", 4, NIL - 1, 1, 1, 1) + data[at + 20 :]) == "malformed"


def test_another_magic():
    assert refusal(b"x" * 512) == "unknown-format"


def small(data: bytes) -> SmallMsf:
    return SmallMsf(BytesReader(data))


@pytest.mark.parametrize("page_size", [512, 1024, 2048, 4096])
def test_small_streams_of_every_page_size(page_size):
    contents = bytes(index % 251 for index in range(3 * page_size + 100))
    msf = small(lay_out_small([NIL, b"one", contents, b"three", b"four", NIL, b"six"], page_size=page_size))

    assert [msf.size(stream) for stream in range(8)] == [0, 3, len(contents), 5, 4, 0, 3, 0]
    assert msf.read(2, page_size - 1, 2 * page_size) == contents[page_size - 1 :][: 2 * page_size]
    assert [msf.read(stream, 0, 9) for stream in (3, 4, 5, 6, 7)] == [b"three", b"four", b"", b"six", b""]


def test_streams_behind_the_first_four():
    many = [bytes([index % 251]) * (index % 1300) for index in range(3000)]
    for msf in (opened(lay_out(many, page_size=512)), small(lay_out_small(many, page_size=4096))):
        for stream in (4, 1023, 1024, 1025, 2999):
            assert msf.size(stream) == len(many[stream])
            assert msf.read(stream, 0, 1 << 20) == many[stream]
        assert msf.size(3000) == 0


def test_streams_that_have_no_number_are_not_looked_for():
    reader = BytesReader(lay_out([b""] * (STREAMS_LIMIT + 8)))
    msf = Msf(reader)
    before = reader.bytes_read

    assert (msf.size(STREAMS_LIMIT), msf.size(NIL)) == (0, 0)
    assert reader.bytes_read == before


@pytest.mark.parametrize(
    ("offset", "width", "value", "reason"),
    [
        (0, 4, 0, "unknown-format"),
        (44, 4, 0, "malformed"),  # page size
        (44, 4, 1000, "malformed"),
        (52, 4, 3, "malformed"),  # directory
        (52, 4, NIL, "malformed"),
        (60, 2, 0, "malformed"),
        (60, 2, 0xFFFF, "malformed"),
        (50, 2, 0xFFFF, "truncated"),
    ],
)
def test_small_header_that_lies(offset, width, value, reason):
    data = bytearray(lay_out_small([b"0", b"1", b"2", b"3"]))
    data[offset : offset + width] = value.to_bytes(width, "little")
    if reason == "truncated":
        data = data[:-1024]
    with pytest.raises(NotIdentified) as caught:
        small(bytes(data)).read(3, 0, 1)
    assert caught.value.reason == reason


def test_small_directory_that_lies():
    data = lay_out_small([b"0", b"1", b"2", b"3"])
    at = data.index(struct.pack("<2HI", 4, 0, 1))

    for lie in (struct.pack("<H", 0xFFFF), struct.pack("<2H2I", 4, 0, NIL - 1, 0)):
        with pytest.raises(NotIdentified) as caught:
            small(data[:at] + lie + data[at + len(lie) :]).read(3, 0, 1)
        assert caught.value.reason == "malformed"
