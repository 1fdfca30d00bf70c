"""Spans of a stream."""

import io

from symsrv.backends.streams import Span


def test_a_span_ends_where_it_should_and_closes_its_source():
    source = io.BytesIO(b"0123456789")
    source.seek(2)
    span = Span(source, 5)

    assert span.read(3) == b"234"
    assert span.read() == b"56"
    assert span.read(1) == b""
    span.close()
    span.close()
    assert source.closed


def test_a_source_that_ends_early_ends_the_span():
    assert Span(io.BytesIO(b"01"), 100).read() == b"01"
