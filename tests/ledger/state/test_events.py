import threading

import pytest

from symsrv.ledger.state import open_state
from tests.ledger.state.wishing import START


def kinds(found):
    return [one.kind for one in found]


def test_events_are_read_in_their_order_from_where_one_stopped(state):
    for number in range(5):
        assert state.events.add(f"kind{number % 2}", {"number": number, "text": "\0\udc80"})

    first, second = state.events.after(0, 2)
    assert (first.kind, first.data, first.at) == ("kind0", {"number": 0, "text": "\0\udc80"}, START)
    assert [one.data["number"] for one in state.events.after(second.id)] == [2, 3, 4]
    assert [one.data["number"] for one in state.events.after(0, kind="kind1")] == [1, 3]
    assert state.events.after(state.events.last()) == []


def test_what_happened_once_is_told_once(state):
    assert state.events.add("a", {}, once="that")
    assert not state.events.add("a", {}, once="that")
    assert state.events.add("a", {}, once="this")
    assert state.events.add("a", {})
    assert state.events.add("a", {})

    assert len(state.events.after(0)) == 4


def test_old_events_are_cut_off_and_numbers_go_on(state, clock):
    assert state.events.last() == 0
    state.events.add("old", {})
    clock.move(10)
    state.events.add("new", {})
    last = state.events.last()

    assert state.events.prune(10) == 0
    assert state.events.prune(9) == 1
    assert kinds(state.events.after(0)) == ["new"]
    clock.move(100)
    assert state.events.prune(9) == 1
    state.events.add("newer", {})
    assert state.events.last() > last


def test_no_event_appears_behind_a_reader(url):
    """A writer that began first and ends last must not leave its number behind what is read already."""
    state = open_state(url)
    in_time = threading.Event()

    def other():
        state.events.add("second", {})
        in_time.set()

    thread = threading.Thread(target=other)
    with state.together():
        state.events.add("first", {})
        thread.start()
        assert not in_time.wait(0.3)
    thread.join()

    assert kinds(state.events.after(0)) == ["first", "second"]
    state.close()


def test_an_event_that_is_rolled_back_was_none(state):
    def fail():
        with state.together():
            state.events.add("a", {})
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert state.events.after(0) == []
