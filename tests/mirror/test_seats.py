"""Files come before parts of files."""

from symsrv.mirror.seats import Seats


def test_helpers_take_what_is_left():
    seats = Seats(3)
    with seats.file():
        assert [seats.take(), seats.take(), seats.take()] == [True, True, False]
        assert seats.fit
        with seats.file():
            assert not seats.fit
            assert not seats.take()
            seats.leave()
            assert seats.fit
        assert seats.take()
        seats.leave()
        seats.leave()


def test_one_connection_has_no_helpers():
    seats = Seats(1)
    with seats.file():
        assert not seats.take()
