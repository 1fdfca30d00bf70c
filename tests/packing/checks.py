"""How the tests of this folder unpack. Imported by them."""

import time
import tracemalloc

import pytest

from symsrv.model.errors import ArchiveError
from symsrv.packing import members
from symsrv.packing.base import PIECE_BYTES

REASONS = {
    "archive-damaged",
    "archive-encrypted",
    "archive-unsupported",
    "archive-limit",
    "bad-name",
    "not-a-file",
}


def written(folder, data, name="made.bin"):
    path = folder / name
    path.write_bytes(data)
    return path


def unpacked(path, limits=None):
    """The members as (name, bytes or reason word), the error that ended the archive as (None, word)."""
    found = []
    try:
        for member in members(path, limits):
            try:
                pieces = list(member.pieces())
            except ArchiveError as error:
                found.append((member.name, known(error)))
            else:
                assert all(0 < len(piece) <= PIECE_BYTES for piece in pieces)
                found.append((member.name, b"".join(pieces)))
    except ArchiveError as error:
        found.append((None, known(error)))
    return found


def known(error):
    assert str(error)
    assert error.reason in REASONS
    return error.reason


def reason(path, limits=None):
    """The reason word of the first error that is not a problem of one member."""

    def read():
        for member in members(path, limits):
            if member.problem is None:
                for _ in member.pieces():
                    pass

    with pytest.raises(ArchiveError) as caught:
        read()
    return known(caught.value)


def measured(work):
    """The most memory that Python held while it worked."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def survives(path, limits=None, *, seconds=5, peak_bytes=64 << 20):
    """Members, or ArchiveError, soon and within some memory; anything else fails the test."""
    began, found = time.monotonic(), []
    assert measured(lambda: found.extend(unpacked(path, limits))) < peak_bytes
    assert time.monotonic() - began < seconds
    return found
