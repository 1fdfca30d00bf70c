import struct
import sys

import pytest

from symsrv.formats.base import FRONT_BYTES, BytesReader, FileReader
from symsrv.formats.msf import Msf
from symsrv.model.errors import NotIdentified
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
