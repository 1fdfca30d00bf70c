"""Bytes go from an answer to their place in a file, all that came, whatever ends them."""

import pytest

from symsrv.mirror.base import Unavailable
from symsrv.mirror.receiving import BUFFER_BYTES, read, receive
from symsrv.mirror.spans import Board, Span


class Answer:
    """An answer that gives pieces, and then ends whole, cut or by an error."""

    status = 200

    def __init__(self, *pieces, whole=True):
        self.pieces = list(pieces)
        self.whole = whole
        self.asked = []

    def take(self, view):
        self.asked.append(len(view))
        if not self.pieces:
            return 0
        if isinstance(self.pieces[0], Exception):
            raise self.pieces.pop(0)
        count = min(len(view), len(self.pieces[0]))
        view[:count] = self.pieces[0][:count]
        self.pieces[0] = self.pieces[0][count:]
        if not self.pieces[0]:
            self.pieces.pop(0)
        return count


def receiving(tmp_path, answer, board, span, heard=lambda _span, _piece: None):
    path = tmp_path / "file"
    path.touch()
    with path.open("r+b", buffering=0) as file:
        receive(answer, span, board, file=file, heard=heard)
    return path


def test_a_body_of_unknown_length_ends_where_it_ends(tmp_path):
    board = Board()
    path = receiving(tmp_path, Answer(b"abc", b"de"), board, board.claim())

    assert path.read_bytes() == b"abcde"
    assert board.complete


def test_a_span_is_filled_and_no_more(tmp_path):
    board = Board([Span(0, 2, 4), Span(4, 4, 9)])
    answer = Answer(b"cdefghi")
    path = receiving(tmp_path, answer, board, board.claim())

    assert path.read_bytes() == b"\0\0cd"
    assert answer.asked == [2]
    assert not board.complete


def test_big_bodies_are_written_by_the_buffer(tmp_path):
    body, board, pieces = bytes(range(256)) * 4096, Board([Span(0, 0, 1 << 20)]), []
    path = receiving(
        tmp_path, Answer(body[:100], body[100:]), board, board.claim(), lambda _span, piece: pieces.append(len(piece))
    )

    assert path.read_bytes() == body
    assert pieces == [BUFFER_BYTES] * 4


@pytest.mark.parametrize(
    ("answer", "end"),
    [
        (Answer(b"abc", whole=False), 9),
        (Answer(b"abc", whole=False), None),
        (Answer(b"abc", Unavailable("stalled", "a sentence")), 9),
    ],
)
def test_what_came_before_it_broke_is_there(tmp_path, answer, end):
    board = Board([Span(0, 0, end)])
    with pytest.raises(Unavailable) as caught:
        receiving(tmp_path, answer, board, board.claim())

    assert caught.value.reason in ("cut", "stalled")
    assert board.here == 3
    assert (tmp_path / "file").read_bytes() == b"abc"


def test_a_span_that_is_made_longer_goes_on_if_the_body_does(tmp_path):
    board = Board([Span(0, 0, BUFFER_BYTES * 4)])
    span, body = board.claim(), bytes(BUFFER_BYTES * 4)
    second = board.split(BUFFER_BYTES)
    times = []

    def heard(_span, _piece):
        times.append(1)
        if len(times) == 2:
            board.give_back(second)

    receiving(tmp_path, Answer(body), board, span, heard)

    assert board.complete
    assert len(times) == 4


def test_a_body_that_is_shorter_than_its_span_by_order_leaves_the_rest(tmp_path):
    board = Board([Span(0, 0, 9)])
    span = board.claim()
    receiving(tmp_path, Answer(b"abc"), board, span)

    assert (span.left, span.owned) == (6, True)


def test_an_empty_body(tmp_path):
    board = Board([Span(0, 0, 0)])
    assert board.complete
    board = Board()
    receiving(tmp_path, Answer(), board, board.claim())
    assert board.complete


def test_what_hears_may_end_it(tmp_path):
    board = Board()

    def heard(_span, _piece):
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError):
        receiving(tmp_path, Answer(b"abc"), board, board.claim(), heard)
    assert board.here == 0


def test_reading_a_few_bytes():
    assert read(Answer(b"ab", b"cd", b"ef"), 5) == b"abcde"
    assert read(Answer(b"ab"), 5) == b"ab"
    assert read(Answer(), 0) == b""
