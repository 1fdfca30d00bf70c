"""Spans cover a file without gaps, whoever splits them and whoever gives them back."""

import random

from symsrv.mirror.spans import Board, Span


def shape(board):
    return [(span.start, span.at, span.end) for span in board.snapshot()]


def test_a_file_of_unknown_length_is_one_span():
    board = Board()
    span = board.claim()
    board.advance(span, 5)

    assert (board.left, board.here, board.complete) == (None, 5, False)
    assert board.split(1) is None
    assert board.finish(span)
    assert board.complete
    assert shape(board) == [(0, 5, 5)]


def test_the_longest_span_is_split_in_its_middle():
    board = Board([Span(0, 0, 100), Span(100, 100, 1100)])
    first, second = board.claim(), board.claim()
    board.advance(second, 200)

    made = board.split(100)

    assert (made.start, made.end, second.end) == (700, 1100, 700)
    assert first.end == 100
    assert board.claim() is None
    assert board.left == 900


def test_small_spans_and_those_that_nobody_is_at_are_not_split():
    board = Board([Span(0, 0, 1000)])
    assert board.split(1) is None
    board.claim()
    assert board.split(501) is None
    assert board.split(500) is not None


def test_a_span_that_was_not_begun_goes_to_who_is_before_it():
    board = Board([Span(0, 0, 1000)])
    first = board.claim()
    second = board.split(100)
    board.give_back(second)

    assert shape(board) == [(0, 0, 1000)]
    board.advance(first, 500)
    assert not board.finish(first)


def test_a_span_that_was_begun_waits_for_somebody():
    board = Board([Span(0, 0, 1000)])
    first, second = board.claim(), board.split(100)
    board.advance(second, 1)
    board.give_back(second)

    assert shape(board) == [(0, 0, 500), (500, 501, 1000)]
    assert board.claim() is second
    board.give_back(first)
    assert board.claim() is first


def test_a_span_after_one_that_nobody_is_at_stays():
    board = Board([Span(0, 0, 1000)])
    first, second = board.claim(), board.split(100)
    board.give_back(first)
    board.give_back(second)

    assert shape(board) == [(0, 0, 500), (500, 500, 1000)]


def test_a_new_beginning_forgets_all():
    board = Board([Span(0, 5, 10), Span(10, 10, 20)])
    old = board.claim()

    span = board.begin(None)
    board.give_back(old)

    assert shape(board) == [(0, 0, None)]
    assert span.owned


def test_whatever_happens_there_are_no_gaps():
    chance = random.Random(5)
    for _ in range(200):
        board, total = Board([Span(0, 0, 1000)]), 1000
        owned = [board.claim()]
        while not board.complete:
            span = chance.choice(owned) if owned else board.claim()
            deed = chance.random()
            if span not in owned:
                owned.append(span)
            if deed < 0.2 and (made := board.split(10)) is not None:
                owned.append(made)
            elif deed < 0.3:
                board.give_back(span)
                owned.remove(span)
            elif span.left:
                board.advance(span, chance.randint(1, span.left))
            elif board.finish(span):
                owned.remove(span)
            ends = [0, *(span.end for span in board.snapshot())]
            assert [span.start for span in board.snapshot()] == ends[:-1]
            assert ends[-1] == total
        assert board.here == total
