from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symsrv.ledger.state import Attempt
from symsrv.ledger.state.statistics import Statistics, counts_of, latency_class, merged
from tests.ledger.state.wishing import START


def noted(state, *lines):
    state.attempts.note(*(Attempt("msdl", "k", *line[:2], **(line[2] if line[2:] else {})) for line in lines))


def test_what_an_upstream_did_is_counted(state, clock):
    noted(
        state,
        ("storing", "ok", {"bytes": 1000, "milliseconds": 100}),
        ("downloading", "absent", {"milliseconds": 10}),
        ("downloading", "skipped", {"reason": "blocked"}),
        ("retrying", "failed", {"bytes": 7}),
    )
    clock.move(60)
    noted(
        state,
        ("receiving", "failed", {"bytes": 50, "milliseconds": 30_000}),
        ("converting", "failed"),
        ("checking", "refused"),
        ("receiving", "failed"),
    )

    (found,) = state.attempts.statistics()

    assert (found.upstream, found.since, found.bytes) == ("msdl", START, 1057)
    assert (found.ok, found.absent, found.skipped, found.refused) == (1, 1, 1, 1)
    assert (found.failed, found.retried) == (3, 1)
    assert found.failures == {"receiving": 2, "converting": 1, "checking": 1}
    assert found.last_success == START
    assert found.to_record()["last_success"] == "2026-03-01T12:00:00+00:00"
    assert found.to_record()["p99_ms"] == pytest.approx(100, rel=0.1)


def test_each_upstream_has_its_own(state):
    state.attempts.note(Attempt("b", "k", "storing", "ok"), Attempt("a", "k", "downloading", "absent"))

    assert [(one.upstream, one.ok, one.absent) for one in state.attempts.statistics()] == [("a", 0, 1), ("b", 1, 0)]
    assert [one.upstream for one in state.attempts.statistics("b")] == ["b"]
    assert state.attempts.statistics("c") == []


def test_the_last_success_is_the_last(state, clock):
    noted(state, ("storing", "ok"))
    clock.move(9)
    noted(state, ("storing", "ok"), ("downloading", "absent"))

    assert state.attempts.statistics()[0].last_success == START + timedelta(seconds=9)


def test_an_upstream_that_is_added_again_begins_anew(state, clock):
    noted(state, ("storing", "ok"))
    clock.move(9)

    state.upstreams.put({"name": "msdl"}, create=True)
    assert state.attempts.statistics() == []
    noted(state, ("downloading", "absent"))

    (found,) = state.attempts.statistics()
    assert (found.ok, found.absent, found.since) == (0, 1, clock.now)


@given(milliseconds=st.integers(1, 7_000_000))
def test_a_time_is_remembered_to_a_tenth(milliseconds):
    name = f"latency:{latency_class(milliseconds):02}"
    (counted,) = merged([("a", counts_of("ok", "storing", size=0, milliseconds=milliseconds, now=0))]).values()
    assert counted[name] == 1

    below, above = latency_class(milliseconds) - 1, latency_class(milliseconds)
    assert 2 ** (below / 4) < milliseconds <= 2 ** (above / 4) * 1.0001 or milliseconds == 1


def test_there_are_few_classes_of_time():
    classes = {latency_class(milliseconds) for milliseconds in (0, 1, 2, 1000, 10**7, 10**12)}

    assert max(classes) < 100
    assert latency_class(0) == latency_class(1) == 0


@pytest.mark.parametrize(
    ("percent", "found"), [(50, 10.0), (89, 10.0), (90, 10.0), (91, 200.0), (99, 3000.0), (100, 3000.0)]
)
def test_percentiles_are_those_of_the_times(percent, found):
    one = Statistics("a", START, latency=((10.0, 90), (200.0, 8), (3000.0, 2)))

    assert one.percentile(percent) == found
    assert Statistics("a", START).percentile(percent) is None


def test_percentiles_are_read_back_in_order(state):
    times = [*[10] * 90, *[200] * 8, *[3000] * 2]
    noted(state, *(("storing", "ok", {"milliseconds": one}) for one in times))

    (found,) = state.attempts.statistics()

    assert found.percentile(50) == pytest.approx(10, rel=0.1)
    assert found.percentile(95) == pytest.approx(200, rel=0.1)
    assert found.percentile(99) == pytest.approx(3000, rel=0.1)
