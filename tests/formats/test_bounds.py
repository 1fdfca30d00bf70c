"""What is read, and what is held in memory, does not grow with the file: for every format, up to 4 GB."""

import sys
import tracemalloc

import pytest

from symsrv.formats import FORMATS, identify
from symsrv.formats.base import FileReader
from symsrv.model.errors import NotIdentified
from tests.made.grown import smallest, write_grown

no_holes = pytest.mark.skipif(sys.platform == "win32", reason="NTFS would write gigabytes of zeros")

MEGABYTE = 1 << 20
SIZES = (MEGABYTE, 64 * MEGABYTE, 4096 * MEGABYTE)
KINDS = tuple(smallest())
SPREAD_BYTES = 1024  # a page number or a fragment more, where there are more of them
READ_LIMIT_BYTES = 64 * 1024
MEMORY_LIMIT_BYTES = 256 * 1024


def ids_of(reader):
    """The ids, or why there are none."""
    try:
        return [one.ids for one in identify(reader, "made.bin")]
    except NotIdentified as error:
        return error.reason


def test_every_format_has_a_kind_that_grows():
    assert {one.name for one in FORMATS} == set(KINDS) - {"fat"}


@pytest.mark.parametrize("kind", KINDS)
def test_the_sample_is_of_its_format(kind):
    first = next(one for one in FORMATS if one.sniff(smallest()[kind][:64]))

    assert first.name == {"fat": "macho"}.get(kind, kind)


@no_holes
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_read_does_not_grow_with_the_file(kind, tmp_path):
    path = tmp_path / "grown.bin"
    read, found, peaks = [], [], []
    for size in (0, *SIZES):
        write_grown(path, kind, size)
        assert path.stat().st_size >= size * 0.75
        with path.open("rb") as file:
            reader = FileReader(file.fileno())
            found.append(ids_of(reader))  # once before it is measured: what is loaded only once does not count
            read.append(reader.bytes_read)
            tracemalloc.start()
            ids_of(FileReader(file.fileno()))
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()

    assert found == [found[0]] * 4
    assert found[0] == "not-symbols" if kind == "minidump" else isinstance(found[0], list)
    small, *large = read
    assert small <= max(large)
    assert max(large) <= min(large) + SPREAD_BYTES
    assert max(large) <= READ_LIMIT_BYTES
    assert max(peaks) <= MEMORY_LIMIT_BYTES, peaks
