from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from symsrv.ledger.state import Breaker, BreakerState
from symsrv.ledger.state.breakers import FAILURES, PROBE_SECONDS
from tests.ledger.state.wishing import START

HOST = "msdl.example:443"


def fail(state, times=FAILURES, **options):
    for _ in range(times):
        state.breakers.failed(HOST, "reset", **options)


def test_a_host_that_fails_again_and_again_is_left_alone(state):
    fail(state, FAILURES - 1)
    assert state.breakers.allows(HOST) is None
    fail(state, 1)

    minute = START + timedelta(seconds=60)
    assert state.breakers.allows(HOST) == minute
    assert state.breakers.allows("other") is None
    assert state.breakers.list() == [Breaker(HOST, BreakerState.OPEN, FAILURES, minute, 1, "reset", START)]


def test_failures_count_only_in_a_row_and_within_a_minute(state, clock):
    fail(state, FAILURES - 1)
    state.breakers.ok(HOST)
    fail(state, FAILURES - 1)
    clock.move(61)
    fail(state, FAILURES - 1)

    assert state.breakers.allows(HOST) is None


def test_one_probe_is_let_through(state, clock):
    fail(state)
    clock.move(60)

    assert state.breakers.allows(HOST) is None
    assert state.breakers.allows(HOST) == clock.now + timedelta(seconds=PROBE_SECONDS)
    assert [one.state for one in state.breakers.list()] == [BreakerState.HALF_OPEN]
    state.breakers.ok(HOST)
    assert state.breakers.allows(HOST) is None
    assert state.breakers.list() == []


def test_a_probe_that_never_ends_is_followed_by_another(state, clock):
    fail(state)
    clock.move(60)
    state.breakers.allows(HOST)
    clock.move(PROBE_SECONDS)

    assert state.breakers.allows(HOST) is None
    assert state.breakers.allows(HOST) is not None


def test_the_time_doubles_up_to_an_hour(state, clock):
    fail(state)
    lengths = []
    for _ in range(8):
        until = state.breakers.allows(HOST)
        lengths.append((until - clock.now).total_seconds())
        clock.move(lengths[-1])
        assert state.breakers.allows(HOST) is None
        fail(state, 1)

    assert lengths == [60, 120, 240, 480, 960, 1920, 3600, 3600]


def test_requests_under_way_do_not_make_it_longer(state):
    fail(state)
    before = state.breakers.allows(HOST)
    fail(state, 20)

    assert state.breakers.allows(HOST) == before
    assert state.breakers.list()[0].opened == 1


@pytest.mark.parametrize(("failures", "pause", "length"), [(1, 5, 5), (1, 600, 600), (FAILURES, 5, 60), (7, 90, 90)])
def test_a_host_may_say_how_long(state, failures, pause, length):
    fail(state, failures - 1)
    fail(state, 1, pause_seconds=pause)

    assert state.breakers.allows(HOST) == START + timedelta(seconds=length)


def test_breakers_are_cleared(state):
    fail(state)
    state.breakers.failed("other", "reset")

    assert state.breakers.clear("none") == 0
    assert state.breakers.clear(HOST) == 1
    assert [one.host for one in state.breakers.list()] == ["other"]
    assert state.breakers.clear() == 1


def test_of_many_threads_one_makes_the_probe(state, clock):
    fail(state)
    clock.move(60)

    with ThreadPoolExecutor(8) as pool:
        allowed = list(pool.map(lambda _: state.breakers.allows(HOST), range(24)))

    assert allowed.count(None) == 1
