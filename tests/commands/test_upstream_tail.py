"""`symsrv upstream tail`: which upstreams are followed, and what is said of a pass."""

import pytest
import yaml

from symsrv.store import open_store
from tests.mirror.test_tail import key, listed, pdb
from tests.serve.site import publish


@pytest.fixture
def config(tmp_path):
    """Two upstreams that are followed, one that is not; the second publishes nothing."""
    store = open_store(str(tmp_path / "farm"), create=True, state=tmp_path / "farm-state")
    publish(store, tmp_path / "build", pdb("a.pdb", 1), pdb("b.dll.pdb", 2))
    store.close()
    open_store(str(tmp_path / "ours"), create=True, state=tmp_path / "state").close()
    (tmp_path / "bare").mkdir()
    upstreams = [
        {"name": "farm", "url": str(tmp_path / "farm"), "tail": {"names": ["a*"]}},
        {"name": "bare", "url": str(tmp_path / "bare"), "tail": {}},
        {"name": "plain", "url": str(tmp_path / "bare")},
    ]
    path = tmp_path / "symsrv.yaml"
    values = {"store": str(tmp_path / "ours"), "state": str(tmp_path / "state"), "upstreams": upstreams}
    path.write_text(yaml.safe_dump(values))
    return path


def test_a_pass_says_how_far_it_came(run, config):
    first = run("upstream", "tail", "farm", "-c", config)
    again = run("upstream", "tail", "farm", "-c", config, "--json")
    anew = run("upstream", "tail", "farm", "-c", config, "--json", "--restart")

    assert (first.code, again.code, anew.code) == (0, 0, 0)
    assert first.out == "farm: read up to 0000000001 of 0000000001, 1 wished, 1 other-name\n"
    (line,) = again.lines
    assert (line["upstream"], line["transactions"], line["wished"], line["complete"]) == ("farm", 0, 0, True)
    assert anew.lines[0]["wished"] == 1
    assert [want["name"] for want in run("missing", "-c", config, "--json").lines] == ["a.pdb"]


def test_all_that_are_followed_are_without_a_name(run, config):
    result = run("upstream", "tail", "-c", config)

    assert result.code == 3
    assert "bare: cannot be followed (no-transactions); read up to 0000000000" in result.out
    assert "farm: read up to" in result.out


def test_one_that_is_not_followed_says_how_to(run, config):
    result = run("upstream", "tail", "plain", "-c", config)

    assert result.code == 2
    assert "symsrv upstream edit plain --set tail={}" in result.err


def test_with_none_that_is_followed_there_is_nothing_to_do(run, tmp_path):
    open_store(str(tmp_path / "ours"), create=True, state=tmp_path / "state").close()

    result = run("upstream", "tail", "--store", tmp_path / "ours")

    assert result.code == 2
    assert "no upstream is followed" in result.err


def test_what_is_left_for_the_next_pass_is_said(run, config, tmp_path):
    (tmp_path / "bare" / "000Admin").mkdir()
    listed(tmp_path / "bare" / "000Admin", 1, key("a.pdb", 1), last=999_999)

    result = run("upstream", "tail", "bare", "-c", config)

    assert result.out.endswith("1 wished; there is more for the next pass\n")
