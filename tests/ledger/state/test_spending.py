from concurrent.futures import ThreadPoolExecutor

from symsrv.ledger.state.spending import KEPT_DAYS


def test_bytes_are_counted_by_upstream_and_day(state, clock):
    state.spending.add("a", 5)
    state.spending.add("a", 1 << 40)
    state.spending.add("b", 7)
    state.spending.add("c", 0)

    assert state.spending.today() == {"a": (1 << 40) + 5, "b": 7}
    clock.move(12 * 3600)
    assert state.spending.today() == {}
    state.spending.add("a", 2)

    assert state.spending.days() == {"2026-03-02": 2, "2026-03-01": (1 << 40) + 12}
    assert state.spending.days("b") == {"2026-03-01": 7}
    assert state.spending.days(limit=1) == {"2026-03-02": 2}


def test_old_days_are_forgotten(state, clock):
    state.spending.add("a", 5)
    clock.move((KEPT_DAYS + 1) * 86400)
    state.spending.add("a", 6)

    assert list(state.spending.days().values()) == [6]


def test_threads_lose_nothing(state):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: state.spending.add("a", 3), range(40)))

    assert state.spending.today() == {"a": 120}
