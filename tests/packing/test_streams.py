"""Streams that are read once."""

import io

import pytest

from symsrv.model.errors import ArchiveError
from symsrv.packing.base import Limits
from symsrv.packing.streams import Body, Plain, Unpacked
from symsrv.packing.tally import Tally


def unpacked(*pieces, **limits):
    return Unpacked(iter(pieces), Tally(Limits(**limits), 1))


@pytest.fixture(params=["plain", "unpacked"])
def stream(request):
    return Plain(io.BytesIO(b"0123456789"), 10) if request.param == "plain" else unpacked(b"012", b"3456", b"789")


def test_reads_over_pieces_and_fewer_at_the_end(stream):
    assert [stream.read(5), stream.read(4), stream.read(4), stream.read(4)] == [b"01234", b"5678", b"9", b""]


def test_skips(stream):
    stream.skip(4)
    stream.skip(0)

    assert stream.read(2) == b"45"


def test_skipping_behind_the_end_is_damage(stream):
    with pytest.raises(ArchiveError, match="in the middle"):
        stream.skip(11)


def test_a_body_is_left_where_it_ends(stream):
    body = Body(stream, 6)
    assert next(body.pieces())
    body.leave()

    assert stream.read(2) == b"67"


def test_a_body_longer_than_its_stream_is_damage(stream):
    with pytest.raises(ArchiveError, match="in the middle"):
        list(Body(stream, 11).pieces())


def test_what_was_looked_at_is_still_ahead():
    stream = unpacked(b"012", b"3456", b"789")

    assert stream.peek(4) == b"0123"
    assert stream.read(2) == b"01"
    assert list(stream.rest()) == [b"23456", b"789"]


def test_what_is_passed_over_counts():
    with pytest.raises(ArchiveError, match="more than 5 bytes"):
        unpacked(b"012", b"3456", b"789", total_bytes=5).skip(10)
