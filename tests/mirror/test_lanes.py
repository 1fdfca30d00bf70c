"""Lanes: bounded in all and each, in turn, and a stuck one leaves threads to the others."""

import threading
from collections import Counter

import pytest

from symsrv.mirror.lanes import Lanes

PATIENCE = 20


class Work:
    """Pieces of work that stay until they are let go, and tell how many were there at once."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.go = threading.Event()
        self.lock = threading.Lock()
        self.now: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.order: list[str] = []

    def piece(self, lane: str, mark: str = ""):
        def work() -> None:
            with self.lock:
                self.order.append(mark or lane)
                self.now[lane] += 1
                self.most[lane] = max(self.most[lane], self.now[lane])
                self.most["all"] = max(self.most["all"], self.now.total())
            self.begun.release()
            assert self.go.wait(PATIENCE)
            with self.lock:
                self.now[lane] -= 1

        return work

    def wait(self, count: int) -> None:
        for _ in range(count):
            assert self.begun.acquire(timeout=PATIENCE)


@pytest.fixture
def work():
    made = Work()
    yield made
    made.go.set()


def test_no_more_run_than_all_and_each_may(work):
    lanes = Lanes(5, {"a": 2, "b": 4})

    for _ in range(10):
        lanes.put("a", work.piece("a"))
        lanes.put("b", work.piece("b"))

    work.wait(5)
    assert lanes.running == {"a": 2, "b": 3}
    work.go.set()
    work.wait(15)
    assert lanes.close(wait_seconds=PATIENCE) or lanes.close()
    assert work.most == {"a": 2, "b": 3, "all": 5}


def test_one_upstream_that_is_stuck_leaves_a_quarter_to_the_others(work):
    lanes = Lanes(8, {"dead": 64, "good": 64})
    for _ in range(50):
        lanes.put("dead", work.piece("dead"))
    work.wait(6)
    done = threading.Event()

    lanes.put("good", done.set)

    assert done.wait(PATIENCE)
    assert lanes.running == {"dead": 6}
    assert lanes.free == 2
    work.go.set()
    lanes.close()


def test_a_single_upstream_may_have_everything(work):
    lanes = Lanes(4, {"only": 64})

    for _ in range(6):
        lanes.put("only", work.piece("only"))

    work.wait(4)
    assert lanes.free == 0
    work.go.set()
    lanes.close()


def test_what_is_urgent_comes_first(work):
    lanes = Lanes(1, {"a": 1})
    lanes.put("a", work.piece("a", "first"))
    work.wait(1)

    lanes.put("a", work.piece("a", "second"))
    lanes.put("a", work.piece("a", "urgent"), first=True)

    work.go.set()
    work.wait(2)
    lanes.close()
    assert work.order == ["first", "urgent", "second"]


def test_lanes_take_turns(work):
    lanes = Lanes(1, {"a": 1, "b": 1})
    lanes.put("a", work.piece("a"))
    work.wait(1)
    for lane in "aaabbb":
        lanes.put(lane, work.piece(lane))

    work.go.set()
    work.wait(6)

    lanes.close()
    assert work.order == list("ababab" + "a")


def test_free_does_not_count_what_waits_for_its_own_lane(work):
    lanes = Lanes(8, {"slow": 1, "other": 8})
    for _ in range(5):
        lanes.put("slow", work.piece("slow"))

    work.wait(1)

    assert lanes.free == 7
    work.go.set()
    lanes.close()


def test_close_begins_nothing_more_and_says_whether_all_ended(work):
    lanes = Lanes(1, {"a": 1})
    lanes.put("a", work.piece("a", "first"))
    lanes.put("a", work.piece("a", "never"))
    work.wait(1)

    assert not lanes.close(wait_seconds=0)
    work.go.set()
    assert lanes.close(wait_seconds=PATIENCE)

    assert work.order == ["first"]


def test_a_defect_in_one_piece_of_work_is_logged_and_costs_no_thread(caplog):
    lanes = Lanes(1, {"a": 1})
    done = threading.Event()

    lanes.put("a", lambda: 1 / 0)
    lanes.put("a", done.set)

    assert done.wait(PATIENCE)
    lanes.close()
    assert "ZeroDivisionError" in caplog.text


def test_reload_changes_the_limits(work):
    lanes = Lanes(2, {"a": 1})
    for _ in range(4):
        lanes.put("a", work.piece("a"))
    work.wait(1)

    lanes.reload(4, {"a": 3})

    lanes.put("a", work.piece("a"))
    lanes.put("a", work.piece("a"))
    work.wait(2)
    assert lanes.running == {"a": 3}
    work.go.set()
    lanes.close()
