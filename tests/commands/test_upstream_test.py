"""The connection test by hand: findings for people and tools, an exit code for scripts."""

import pytest

from symsrv.model.errors import Exit
from tests.mirror.answering import Answering, ok


@pytest.fixture
def servers(run, stored):
    answers = {"good": ok(status="404 Not Found"), "bad": ok(b"<html><body>Sign in</body></html>")}
    with Answering(lambda request: answers["good"]) as good, Answering(lambda request: answers["bad"]) as bad:
        run("upstream", "add", "good", good.url, "--no-test")
        run("upstream", "add", "bad", bad.url, "--no-test")
        yield good, bad


def test_each_is_told_with_its_findings(run, servers):
    done = run("upstream", "test", "good", "bad", "--json")

    good, bad = done.lines
    assert done.code == Exit.PARTLY
    assert (good["usable"], bad["usable"]) == (True, False)
    assert bad["findings"][0]["found"] == "answers-anything"
    assert good["milliseconds"] > 0


def test_all_are_those_that_are_switched_on(run, servers):
    run("upstream", "disable", "bad")

    done = run("upstream", "test", "--all")

    assert done.code == 0
    assert "good can be used" in done.out
    assert "absent-404" in done.err
    assert "bad" not in done.out


def test_one_that_cannot_be_used_fails(run, servers):
    done = run("upstream", "test", "bad")

    assert done.code == Exit.FAILED
    assert "bad cannot be used so" in done.out
    assert run("upstream", "test").code == Exit.USAGE


def test_nothing_is_changed(run, servers, state):
    before = state.upstreams.all()

    run("upstream", "test", "good")

    assert state.upstreams.all() == before
    assert state.attempts.list() == []
