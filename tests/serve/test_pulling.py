"""How fetching goes, on the page that Prometheus scrapes; a state that fails takes nothing else from it."""

import asyncio

import pytest

from symsrv.layouts import parse_any
from symsrv.ledger.state import Attempt, open_state
from symsrv.metrics import ServeMetrics
from symsrv.model.wants import Wish
from symsrv.serve import create_app
from symsrv.serve import pulling as module
from symsrv.serve.demand import Wanted
from symsrv.serve.pulling import PullingNumbers
from tests.serve.site import call


@pytest.fixture
def state(tmp_path):
    one = open_state(f"sqlite:///{tmp_path / 'state.sqlite'}")
    yield one
    one.close()


def wish(state, name="a.pdb"):
    state.wants.file([Wish(parse_any(f"{name}/3249D99D0C4049318610F4E4FB0B69361/{name}"))])


def shown(state):
    metrics = ServeMetrics()
    metrics.pulling = PullingNumbers(state)
    return metrics.render().decode()


def test_what_upstreams_did_and_what_waits_is_shown(state):
    state.attempts.note(
        Attempt("there", "key", "receiving", "ok", bytes=7),
        Attempt("there", "key", "downloading", "absent", "absent"),
        Attempt("there", "key", "retrying", "failed"),
        Attempt("other", "key", "downloading", "skipped", "blocked"),
    )
    wish(state)

    text = shown(state)

    assert 'symsrv_pull_received_bytes_total{upstream="there"} 7.0' in text
    assert 'symsrv_pull_downloads_total{outcome="ok",upstream="there"} 1.0' in text
    assert 'symsrv_pull_downloads_total{outcome="absent",upstream="there"} 1.0' in text
    assert 'symsrv_pull_downloads_total{outcome="retried",upstream="there"} 1.0' in text
    assert 'symsrv_pull_downloads_total{outcome="skipped",upstream="other"} 1.0' in text
    assert 'symsrv_wants{state="open"} 1.0' in text
    assert 'symsrv_wants{state="given-up"} 0.0' in text


def test_the_queue_is_not_counted_each_time(state, monkeypatch):
    numbers = PullingNumbers(state)
    wish(state)
    assert numbers().wants["open"] == 1
    wish(state, "b.pdb")
    assert numbers().wants["open"] == 1

    monkeypatch.setattr(module, "_COUNTED_SECONDS", -1)

    assert numbers().wants["open"] == 2


def test_a_state_that_fails_takes_nothing_else_from_the_page(tmp_path):
    state = open_state(f"sqlite:///{tmp_path / 'state.sqlite'}")
    state.close()
    (tmp_path / "state.sqlite").write_bytes(b"no database" * 1000)

    text = shown(state)

    assert "symsrv_pull" not in text
    assert "symsrv_requests_in_flight" in text


def test_the_page_of_a_server_with_a_state_has_them(site, state):
    app = create_app(site.store, wanted=Wanted(state=state))

    answer = asyncio.run(call(app, b"/-/metrics", []))

    assert b'symsrv_wants{state="open"} 0.0' in answer.body
    app.close()
