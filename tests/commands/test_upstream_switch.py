"""Upstreams are switched off and on, and forgotten; what they gave stays."""

import pytest

from symsrv.ledger.state import BreakerState
from symsrv.model.errors import Exit


@pytest.fixture
def connected(run, stored, tmp_path):
    (tmp_path / "symsrv.yaml").write_text("upstreams:\n- {name: fixed, url: https://fixed.example/}\n")
    for name in ("a", "b"):
        run("upstream", "add", name, f"https://{name}.example/", "--no-test")


def test_off_and_on_again(run, connected, state):
    off = run("upstream", "disable", "a", "b", "--json")
    assert [(one["name"], one["enabled"]) for one in off.lines] == [("a", False), ("b", False)]
    assert [one["enabled"] for one in state.upstreams.all()] == [False, False]

    run("upstream", "enable", "a")

    assert [one["enabled"] for one in state.upstreams.all()] == [True, False]


def test_enabling_one_lets_its_host_be_asked_again(run, connected, state):
    for host in ("a.example", "fixed.example"):
        for _ in range(5):
            state.breakers.failed(host, "unreachable")
    assert [one.state for one in state.breakers.list()] == [BreakerState.OPEN] * 2

    done = run("upstream", "enable", "a", "fixed")

    assert done.code == 0
    assert state.breakers.list() == []


def test_what_the_configuration_names_is_switched_there(run, connected):
    for verb in ("disable", "remove"):
        done = run("upstream", verb, "fixed")
        assert done.code == Exit.USAGE
        assert "change it there" in done.err


def test_one_is_forgotten_with_its_lists(run, connected, state):
    run("block", "add", "x.pdb", "--upstream", "a")

    done = run("upstream", "remove", "a")

    assert "a removed; its symbols stay" in done.out
    assert [one["name"] for one in state.upstreams.all()] == ["b"]
    assert state.lists.entries() == []


def test_all_are_removed_or_none(run, connected, state):
    done = run("upstream", "remove", "a", "c")

    assert done.code == Exit.USAGE
    assert len(state.upstreams.all()) == 2


def test_a_dry_run_changes_nothing(run, connected, state):
    before = state.upstreams.all()

    assert "a would be removed" in run("upstream", "remove", "a", "--dry-run").out
    assert "a would be disabled" in run("upstream", "disable", "a", "--dry-run").out
    assert state.upstreams.all() == before
