import time

from symsrv.metrics import BUCKETS_SECONDS, ServeMetrics


def test_a_request_falls_into_every_bucket_from_its_own_on():
    metrics = ServeMetrics()

    metrics.observe("symstore", "hit", seconds=0.003, sent=10)
    metrics.observe("symstore", "hit", seconds=1000.0, sent=5)
    text = metrics.render().decode()

    assert 'symsrv_requests_total{layout="symstore",outcome="hit"} 2.0' in text
    assert "symsrv_sent_bytes_total 15.0" in text
    assert 'symsrv_request_seconds_bucket{le="0.0025"} 0.0' in text
    assert 'symsrv_request_seconds_bucket{le="0.005"} 1.0' in text
    assert f'symsrv_request_seconds_bucket{{le="{BUCKETS_SECONDS[-1]}"}} 1.0' in text
    assert 'symsrv_request_seconds_bucket{le="+Inf"} 2.0' in text
    assert "symsrv_request_seconds_count 2.0" in text


def test_what_others_know_is_shown_when_they_say_it():
    metrics = ServeMetrics()
    assert "symsrv_open_connections" not in metrics.render().decode()

    metrics.connections = lambda: 7
    metrics.store_files = lambda: 1_000_000

    assert "symsrv_open_connections 7.0" in metrics.render().decode()
    assert "symsrv_store_files 1e+06" in metrics.render().decode()


def test_observing_costs_next_to_nothing():
    metrics = ServeMetrics()

    def best_of(rounds, count=10_000):
        times = []
        for _ in range(rounds):
            begun = time.perf_counter()
            for _ in range(count):
                metrics.observe("symstore", "hit", seconds=0.001, sent=1)
            times.append(time.perf_counter() - begun)
        return min(times) / count

    assert best_of(5) < 10e-6  # 0.3 µs here; the bound leaves room for a slow, busy machine


def test_what_becomes_of_misses_is_shown():
    metrics = ServeMetrics()
    assert "symsrv_clients_waiting" not in metrics.render().decode()

    metrics.count_misses("recorded", 3)
    metrics.count_misses("recorded", 4)
    metrics.count_misses("dropped", 1)
    metrics.count_waits("arrived")
    metrics.waiting = lambda: 2

    shown = metrics.render().decode()
    assert 'symsrv_misses_total{outcome="recorded"} 7.0' in shown
    assert 'symsrv_misses_total{outcome="dropped"} 1.0' in shown
    assert 'symsrv_waits_total{outcome="arrived"} 1.0' in shown
    assert "symsrv_clients_waiting 2.0" in shown
