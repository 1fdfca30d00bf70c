"""Cabinets that we write: what our reader and others take out of them is what went in."""

import os
import random
import struct

import pytest

from symsrv.packing import CAB_BYTES, ArchiveError, write_cab
from symsrv.packing import cab_writing as writing
from tests.made.corpus import entries
from tests.packing.checks import measured, unpacked

BLOCK = 1 << 15
SYMBOLS = bytes(random.Random(3).choices(b"?$_@AZabcdef0123", k=3 * BLOCK + 77))
DATA = {
    "empty": b"",
    "a byte": b"x",
    "a block": bytes(BLOCK),
    "a block and a byte": b"ab" * (BLOCK // 2) + b"c",
    "symbols": SYMBOLS,
    "random": random.Random(2).randbytes(2 * BLOCK + 5),
}


def packed(tmp_path, data, name="foo.pdb"):
    source, target = tmp_path / "source", tmp_path / "target.cab"
    source.write_bytes(data)
    write_cab(source, target, name=name)
    return target


@pytest.mark.parametrize("what", DATA)
def test_what_was_packed_is_unpacked(tmp_path, what):
    assert unpacked(packed(tmp_path, DATA[what])) == [("foo.pdb", DATA[what])]


@pytest.mark.parametrize("entry", entries("pe") + entries("pdb"))
def test_real_files_come_back(tmp_path, entry):
    data = entry.path.read_bytes()

    assert unpacked(packed(tmp_path, data)) == [("foo.pdb", data)]


def test_the_same_input_gives_the_same_bytes_whatever_its_time(tmp_path):
    first = packed(tmp_path, SYMBOLS).read_bytes()
    os.utime(tmp_path / "source", (1, 1))
    write_cab(tmp_path / "source", tmp_path / "again.cab", name="foo.pdb")

    assert (tmp_path / "again.cab").read_bytes() == first


def test_the_header_says_what_clients_look_at(tmp_path):
    data = packed(tmp_path, SYMBOLS).read_bytes()

    magic, _, size, _, files, _, minor, major, folders, count, flags, set_id, index = struct.unpack_from(
        "<4s5L2B5H", data
    )
    begin, blocks, method = struct.unpack_from("<L2H", data, 36)
    plain, offset, folder, _date, _time, attributes = struct.unpack_from("<2L4H", data, files)
    assert (magic, size, minor, major, folders, count) == (b"MSCF", len(data), 3, 1, 1, 1)
    assert (flags, set_id, index, blocks, method) == (0, 0, 0, 4, 1)
    assert (plain, offset, folder, attributes) == (len(SYMBOLS), 0, 0, 0x20)
    assert data[files + 16 : begin] == b"foo.pdb\0"


def test_a_name_beyond_ascii_is_utf_8_and_says_so(tmp_path):
    path = packed(tmp_path, b"x", "prüfung.dll")

    assert struct.unpack_from("<H", path.read_bytes(), 44 + 14)[0] == 0xA0
    assert unpacked(path) == [("prüfung.dll", b"x")]


def test_a_block_may_look_back_into_the_one_before(tmp_path):
    noise = random.Random(4).randbytes(BLOCK // 2)

    assert packed(tmp_path, bytes(BLOCK // 2) + noise + noise).stat().st_size < BLOCK * 3 // 4


def test_no_block_is_longer_than_the_format_allows(tmp_path):
    data = packed(tmp_path, DATA["random"]).read_bytes()
    place = struct.unpack_from("<L", data, 36)[0]

    for _ in range(2):
        length, size = struct.unpack_from("<2H", data, place + 4)
        assert size == BLOCK
        assert length <= BLOCK + 12
        place += 8 + length


def test_each_checksum_is_right(tmp_path):
    path = packed(tmp_path, SYMBOLS)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)

    assert unpacked(path) == [("foo.pdb", "archive-damaged")]


def test_a_file_that_is_too_long_is_refused(tmp_path, monkeypatch):
    assert CAB_BYTES == 65535 * BLOCK
    monkeypatch.setattr(writing, "_MOST_BLOCKS", 2)

    packed(tmp_path, bytes(2 * BLOCK))
    with pytest.raises(ArchiveError) as caught:
        packed(tmp_path, bytes(2 * BLOCK + 1))

    assert caught.value.reason == "archive-unsupported"


def test_a_name_that_is_too_long_is_refused(tmp_path):
    packed(tmp_path, b"x", "n" * 255)

    with pytest.raises(ArchiveError, match="too long a name"):
        packed(tmp_path, b"x", "ü" * 128)


def test_memory_does_not_grow_with_the_file(tmp_path):
    source = tmp_path / "source"
    with source.open("wb") as stream:
        stream.truncate(64 << 20)

    assert measured(lambda: write_cab(source, tmp_path / "target.cab", name="big.pdb")) < 4 << 20
