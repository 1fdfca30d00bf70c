"""Receiving: the body of an answer into a span of a file, by as few calls and copies as Python has."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO

from symsrv.mirror.base import Unavailable
from symsrv.mirror.spans import Board, Span

if TYPE_CHECKING:
    from symsrv.mirror.connections import Answer

BUFFER_BYTES = 256 << 10
_FLUSH_SECONDS = 1.0

Heard = Callable[[Span, memoryview], None]
"""Hears of each piece before it is written; what it raises ends the receiving."""


def receive(answer: "Answer", span: Span, board: Board, *, file: BinaryIO, heard: Heard) -> None:
    """Writes the body from `span.at` on, until the span or the body ends; the span is finished or stays the caller's.

    Raises Unavailable when the body breaks off, with all that came written, and what `heard` raises.
    """
    file.seek(span.at)
    room = span.left
    view = memoryview(bytearray(BUFFER_BYTES if room is None else min(BUFFER_BYTES, room)))
    filled, written = 0, time.monotonic()
    while True:
        failure: Unavailable | None = None
        count, room = 0, span.left
        if room != 0:
            try:
                count = answer.take(view[filled : None if room is None else min(len(view), room)])
            except Unavailable as error:
                failure = error
        filled += count
        if filled and (not count or filled in (len(view), room) or time.monotonic() - written >= _FLUSH_SECONDS):
            _write(file, view[:filled], span, board=board, heard=heard)
            filled, written = 0, time.monotonic()
        if failure is not None:
            raise failure
        if not count:
            if span.left and not answer.whole:
                raise Unavailable("cut", f"it ended after {span.at} bytes, {span.left} too early", status=answer.status)
            if span.left is None and not answer.whole:
                raise Unavailable("cut", f"it broke off after {span.at} bytes", status=answer.status)
            if span.left or board.finish(span):
                return


def read(answer: "Answer", count: int) -> bytes:
    """The next bytes of the body; fewer only at its end. Raises Unavailable."""
    data = bytearray(count)
    view, at = memoryview(data), 0
    while at < count and (took := answer.take(view[at:])):
        at += took
    return bytes(view[:at])


def _write(file: BinaryIO, piece: memoryview, span: Span, *, board: Board, heard: Heard) -> None:
    heard(span, piece)
    rest = piece
    while rest:
        rest = rest[file.write(rest) :]
    board.advance(span, len(piece))
