import struct
import tracemalloc
import zlib

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from symsrv.formats.base import READ_BUDGET_BYTES, BytesReader
from symsrv.formats.msfz import Msfz
from symsrv.formats.structures.msfz_container import (
    DIRECTORY_LIMIT_BYTES,
    FRAGMENTS_LIMIT,
    OUTPUT_FACTOR,
    MsfzContainer,
)
from symsrv.model.errors import NotIdentified
from tests.made.msfz_builder import (
    DEFLATE,
    HEADER_BYTES,
    NIL,
    STORED,
    ZSTD,
    build_msfz,
    chunk_row,
    container,
    fragment,
)

KINDS = (STORED, ZSTD, DEFLATE)
BOMB_BYTES = 256 << 20
BOMB = zstandard.ZstdCompressor().compress(bytes(BOMB_BYTES))


def opened(data: bytes) -> MsfzContainer:
    return MsfzContainer(BytesReader(data))


def refusal(data: bytes, stream: int = 1, size: int = 1 << 20) -> str:
    """Why a stream cannot be read, within the bounds of every reader."""
    reader = BytesReader(data)
    tracemalloc.start()
    try:
        MsfzContainer(reader).read(stream, 0, size)
    except NotIdentified as error:
        return error.reason
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 4 * READ_BUDGET_BYTES
    raise AssertionError("read")


def one_chunk(row: bytes, *, size: int = 100, offset: int = 0, body: bytes = b"", more: bytes = b"") -> bytes:
    """A container whose stream 1 is in chunk 0."""
    directory = bytes(4) + fragment(size, chunk=0, offset=offset) + bytes(4)
    return container(directory, row + more, body=body, stream_count=2)


@pytest.mark.parametrize("fragment_bytes", [7, 1000, 1 << 30])
@pytest.mark.parametrize("chunk_bytes", [16, 3000, 1 << 20])
@pytest.mark.parametrize("compression", KINDS)
@pytest.mark.parametrize("directory_compression", KINDS)
def test_streams_in_fragments_and_chunks(directory_compression, compression, chunk_bytes, fragment_bytes):
    first, last = bytes(index % 251 for index in range(10_000)), b"last" * 20
    msfz = opened(
        build_msfz(
            more=[first, NIL, b"", last],
            compression=compression,
            directory_compression=directory_compression,
            chunk_bytes=chunk_bytes,
            fragment_bytes=fragment_bytes,
            plain=(1, 7),
        )
    )

    assert msfz.read(7, 0, 1 << 30) == last
    assert msfz.read(4, 0, 1 << 30) == first
    assert msfz.read(4, 9_990, 100) == first[9_990:]
    assert msfz.read(4, 2_995, 10) == first[2_995:3_005]
    assert [msfz.size(stream) for stream in (0, 4, 5, 6, 7, 8, 1 << 31)] == [0, 10_000, 0, 0, 80, 0, 0]
    assert (msfz.read(5, 0, 10), msfz.read(8, 0, 10), msfz.read(4, 10_000, 1)) == (b"", b"", b"")


def test_only_what_is_needed_is_read():
    noise = zlib.compress(b"".join(struct.pack("<I", zlib.crc32(struct.pack("<I", index))) for index in range(1 << 20)))
    reader = BytesReader(build_msfz(more=[noise, b"small"], directory_compression=ZSTD, chunk_bytes=1 << 24))
    assert reader.size > 4 << 20

    (found,) = Msfz().identify(reader, "a.pdb")

    assert found.debug_id
    assert reader.bytes_read < 256 * 1024


@pytest.mark.parametrize(
    ("at", "word", "reason"),
    [
        (0, 0, "unknown-format"),
        (32, 1, "unknown-format"),  # version
        (40, NIL, "truncated"),  # directory
        (44, 1, "truncated"),
        (56, 0, "malformed"),  # streams
        (60, 3, "malformed"),  # compression of the directory
        (60, ZSTD, "malformed"),
        (60, DEFLATE, "malformed"),
        (64, NIL, "malformed"),
        (72, 9, "malformed"),  # chunks
        (76, 21, "malformed"),
    ],
)
def test_header_that_lies(at, word, reason):
    data = bytearray(build_msfz())
    struct.pack_into("<I", data, at, word)

    assert refusal(bytes(data)) == reason


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (chunk_row(HEADER_BYTES, STORED, 99, 100), "malformed"),
        (chunk_row(HEADER_BYTES, STORED, 100, 99), "malformed"),  # the fragment runs on into a chunk that is not there
        (chunk_row(HEADER_BYTES, STORED, 100, 0), "malformed"),
        (chunk_row(HEADER_BYTES, 7, 100, 100), "malformed"),
        (chunk_row(HEADER_BYTES, ZSTD, 100, 100), "malformed"),
        (chunk_row(HEADER_BYTES, DEFLATE, 100, 100), "malformed"),
        (chunk_row(1 << 63, STORED, 100, 100), "truncated"),
        (chunk_row(HEADER_BYTES, STORED, NIL, 100), "truncated"),
        (b"", "malformed"),
    ],
)
def test_chunk_that_lies(row, reason):
    assert refusal(one_chunk(row, body=b"\xff" * 100)) == reason


def test_offset_behind_the_first_chunk_lies_in_a_later_one():
    rows = chunk_row(HEADER_BYTES, STORED, 10, 10) + chunk_row(HEADER_BYTES + 10, STORED, 10, 10)
    msfz = opened(one_chunk(rows, size=5, offset=12, body=bytes(range(20))))

    assert msfz.read(1, 0, 100) == bytes(range(12, 17))


@pytest.mark.parametrize("compression", [ZSTD, DEFLATE])
def test_bomb_in_a_chunk(compression):
    bomb = BOMB if compression == ZSTD else zlib.compress(bytes(64 << 20), wbits=-15)
    row = chunk_row(HEADER_BYTES, compression, len(bomb), NIL)

    data = one_chunk(row, offset=60 << 20, body=bomb)

    assert len(data) < 1 << 20
    assert OUTPUT_FACTOR * READ_BUDGET_BYTES < 60 << 20
    assert refusal(data) == "too-complex"


def test_bomb_in_the_directory():
    zeros = container(BOMB, b"", stream_count=NIL)  # as many streams as there can be, all empty
    bomb = bytearray(zeros)
    struct.pack_into("<I", bomb, 60, ZSTD)
    struct.pack_into("<I", bomb, 68, BOMB_BYTES)

    assert [opened(bytes(bomb)).size(stream) for stream in (1000, 1 << 15, 1 << 16, NIL)] == [0, 0, 0, 0]


def test_stream_of_too_many_fragments():
    many = (fragment(1, offset=0) * (FRAGMENTS_LIMIT + 1)) + bytes(4)

    assert refusal(container(bytes(4) + many, b"", stream_count=2, directory_compression=ZSTD)) == "too-complex"
    assert opened(container(bytes(4) + many + bytes(4), b"", stream_count=3)).size(2) == 0


def test_directory_of_too_many_fragments():
    many = fragment(1, offset=0) * (DIRECTORY_LIMIT_BYTES // 12 + 2)

    data = container(bytes(4) + many + bytes(8), b"", stream_count=3, directory_compression=ZSTD)

    assert refusal(data, stream=2) == "too-complex"


def test_nil_behind_a_fragment():
    directory = bytes(4) + fragment(1, offset=0) + struct.pack("<I", NIL)

    assert refusal(container(directory, b"", stream_count=2)) == "malformed"


def test_directory_that_ends_early():
    assert refusal(container(bytes(4), b"", stream_count=3)) == "malformed"


def test_window_larger_than_is_allowed():
    parameters = zstandard.ZstdCompressionParameters(window_log=27, write_content_size=False)
    chunk = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    stored = chunk.compress(bytes(100)) + chunk.flush()

    assert refusal(one_chunk(chunk_row(HEADER_BYTES, ZSTD, len(stored), 100), body=stored)) == "malformed"


@settings(deadline=None)
@given(
    layout=st.sampled_from(
        [
            build_msfz(directory_compression=first, compression=second, chunk_bytes=size, plain=plain)
            for first in KINDS
            for second in KINDS
            for size, plain in ((100, ()), (1 << 20, (1,)))
        ]
    ),
    changes=st.lists(
        st.tuples(st.integers(0, 4000), st.sampled_from([0, 1, 0x7FFFFFFF, 1 << 31, NIL]) | st.integers(0, NIL)),
        min_size=1,
        max_size=8,
    ),
    cut=st.integers(0, 4000),
)
def test_mutated_files_are_identified_or_not(layout, changes, cut):
    data = bytearray(layout)
    for at, word in changes:
        struct.pack_into("<I", data, at % (len(data) - 4), word)
    for one in (data, data[:cut]):
        reader = BytesReader(bytes(one))
        try:
            (found,) = Msfz().identify(reader, "made.pdb")
        except NotIdentified:
            continue
        assert found.ids
        assert reader.bytes_read <= reader.budget
