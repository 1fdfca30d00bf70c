"""Requests keep their distance, and an upstream that asks for quiet gets it from everybody."""

import threading
import time

import pytest

from symsrv.mirror.base import Unavailable
from symsrv.mirror.pace import Pace, backoff


def test_a_rate_is_kept_by_all_threads_together():
    pace, times, lock = Pace(50), [], threading.Lock()

    def ask():
        for _ in range(5):
            pace.turn()
            with lock:
                times.append(time.monotonic())

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert len(times) == 20
    assert max(times) - min(times) >= 19 * 0.02 - 0.02


def test_without_a_rate_nobody_waits():
    pace, before = Pace(None), time.monotonic()
    for _ in range(1000):
        pace.turn()

    assert time.monotonic() - before < 1


def test_who_was_asked_for_quiet_waits():
    pace, before = Pace(None), time.monotonic()
    pace.leave_alone(0.1)
    pace.leave_alone(0.05)

    pace.turn()

    assert time.monotonic() - before >= 0.1


def test_nobody_waits_for_longer_than_two_minutes():
    pace = Pace(None)
    pace.leave_alone(3600)

    with pytest.raises(Unavailable) as caught:
        pace.turn()

    assert caught.value.reason == "busy"
    assert 3500 < caught.value.retry_after <= 3600


def test_closing_wakes_who_waits():
    pace, found = Pace(None), []
    pace.leave_alone(60)
    begun = threading.Event()

    def ask():
        begun.set()
        with pytest.raises(Unavailable) as caught:
            pace.turn()
        found.append(caught.value.reason)

    thread = threading.Thread(target=ask)
    thread.start()
    begun.wait()
    pace.close()
    thread.join(10)

    assert found == ["closed"]
    assert pace.closed
    with pytest.raises(Unavailable):
        pace.turn()


def test_pauses_double_up_to_a_limit_with_jitter():
    assert [backoff(1, number, chance=1) for number in (1, 2, 3, 6, 7, 1000)] == [1, 2, 4, 30, 30, 30]
    assert backoff(1, 1, chance=0) == 0.5
    assert all(0.5 <= backoff(1, 1) <= 1 for _ in range(100))
