"""Decompressors: whole, cut, lying, hungry."""

import io
import lzma
import random

import pytest
import zstandard

from symsrv.model.errors import ArchiveError
from symsrv.packing.base import PIECE_BYTES
from symsrv.packing.decoders import Unzstd, bzip2_decoder, gzip_decoder, unpacked, xz_decoder
from tests.made.archive_builder import COMPRESSORS

DECODERS = {"gz": gzip_decoder, "bz2": bzip2_decoder, "xz": xz_decoder, "zst": Unzstd}
NOISE = random.Random(7).randbytes(400_000)


def decoded(ending, data, *, step=None):
    held = io.BytesIO(data)
    read = held.read if step is None else lambda count: held.read(min(step, count))
    return list(unpacked(DECODERS[ending], read, many=True))


def refused(ending, data):
    with pytest.raises(ArchiveError) as caught:
        decoded(ending, data)
    return caught.value.reason


@pytest.mark.parametrize("ending", DECODERS)
@pytest.mark.parametrize("data", [b"", b"x", bytes(5 << 20), NOISE, NOISE + bytes(3 << 20) + NOISE], ids=len)
def test_whole(ending, data):
    pieces = decoded(ending, COMPRESSORS[ending](data))

    assert b"".join(pieces) == data
    assert all(0 < len(piece) <= PIECE_BYTES for piece in pieces)


@pytest.mark.parametrize("ending", DECODERS)
def test_byte_after_byte(ending):
    assert b"".join(decoded(ending, COMPRESSORS[ending](NOISE[:3000]) * 2, step=1)) == NOISE[:3000] * 2


@pytest.mark.parametrize("ending", DECODERS)
def test_cut(ending):
    made = COMPRESSORS[ending](b"symbols and more symbols" * 5)

    for end in range(len(made)):
        assert refused(ending, made[:end]) == "archive-damaged"


@pytest.mark.parametrize("ending", DECODERS)
def test_a_wrong_checksum(ending):
    made = bytearray(COMPRESSORS[ending](b"symbols" * 20))
    made[-6 if ending != "zst" else -2] ^= 0x40

    assert refused(ending, bytes(made)) == "archive-damaged"


@pytest.mark.parametrize("ending", DECODERS)
def test_garbage_behind(ending):
    assert refused(ending, COMPRESSORS[ending](b"symbols") + b"garbage!") == "archive-damaged"


def test_xz_may_not_ask_for_much_memory():
    made = lzma.compress(b"x", filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 512 << 20}])

    assert refused("xz", made) == "archive-limit"


def test_zstd_may_not_ask_for_much_memory():
    header = b"\x28\xb5\x2f\xfd\x00\xa8" + b"\1\0\0"  # a window of 2 GiB

    assert refused("zst", header) == "archive-limit"


def test_zstd_with_a_large_window_that_is_allowed():
    parameters = zstandard.ZstdCompressionParameters(window_log=27)

    assert b"".join(decoded("zst", zstandard.ZstdCompressor(compression_params=parameters).compress(NOISE))) == NOISE


def test_zstd_without_a_stated_size_and_without_a_checksum():
    packer = zstandard.ZstdCompressor(write_content_size=False).compressobj()
    made = packer.compress(NOISE) + packer.flush()

    assert b"".join(decoded("zst", made)) == NOISE


def test_zstd_frames_that_are_to_be_skipped():
    frame = b"\x5a\x2a\x4d\x18\x0a\0\0\0" + b"0123456789"
    empty = b"\x50\x2a\x4d\x18\0\0\0\0"
    made = COMPRESSORS["zst"](b"x")

    assert b"".join(decoded("zst", made + frame + empty + made + frame)) == b"xx"
    assert refused("zst", made + frame[:-1]) == "archive-damaged"


@pytest.mark.parametrize(
    "header", [b"\x28\xb5\x2f\xfd\x00\x58" + b"\xff\xff\xff", b"\x28\xb5\x2f\xfd\x00\x58" + b"\7\0\0"]
)
def test_zstd_blocks_that_cannot_be(header):
    assert refused("zst", header + bytes(300_000)) == "archive-damaged"


def test_many_empty_streams_are_nothing():
    assert decoded("gz", COMPRESSORS["gz"](b"") * 1000) == []
