"""The block list: what options say and what was listed by hand, added to and taken from."""

import pytest

from symsrv.ledger.state import Which
from symsrv.model.errors import Exit

WHICH = Which("block")


@pytest.fixture
def connected(run, stored, tmp_path):
    (tmp_path / "symsrv.yaml").write_text(
        "upstreams:\n- {name: fixed, url: https://fixed.example/, block: [{name: 'opt*.pdb', reason: because}]}\n"
    )
    run("upstream", "add", "a", "https://a.example/", "--no-test", "--block", "own.pdb")


def test_all_sources_are_listed(run, connected):
    run("block", "add", "X*.pdb", "y.dll", "--reason", "why", "--upstream", "a")
    run("block", "add", "z.pdb", "--for", "30d")

    found = run("block", "list", "--json").lines

    assert [(one["pattern"], one["upstream"], one["origin"]) for one in found] == [
        ("own.pdb", "a", "options"),
        ("opt*.pdb", "fixed", "options"),
        ("x*.pdb", "a", "listed"),
        ("y.dll", "a", "listed"),
        ("z.pdb", None, "listed"),
    ]
    assert found[2]["reason"] == "why"
    assert found[2]["until"] is None
    assert found[4]["until"]


def test_a_list_is_filtered_and_paged(run, connected):
    run("block", "add", *[f"n{number}.pdb" for number in range(5)])

    first = run("block", "list", "--limit", "3", "--text", "n", "--json").lines
    listed = [one for one in first if one["origin"] == "listed"]
    rest = run("block", "list", "--after", str(listed[-1]["id"]), "--json").lines

    assert [one["pattern"] for one in listed] == ["n0.pdb", "n1.pdb", "n2.pdb"]
    assert [one["pattern"] for one in rest] == ["n3.pdb", "n4.pdb"]
    assert run("block", "list", "--upstream", "fixed", "--json").lines[0]["upstream"] == "fixed"
    assert "own.pdb" in run("block", "list").out
    assert run("block", "list", "--upstream", "nobody").code == Exit.USAGE


def test_entries_are_taken_off_by_number_or_glob(run, connected, state):
    (added,) = run("block", "add", "x.pdb", "--json").lines
    run("block", "add", "y*.pdb")

    done = run("block", "remove", str(added["id"]), "Y*.pdb", "--json")

    assert [one["pattern"] for one in done.lines] == ["x.pdb", "y*.pdb"]
    assert state.lists.entries() == []


def test_what_options_say_is_not_taken_off_here(run, connected):
    done = run("block", "remove", "own.pdb")

    assert done.code == Exit.USAGE
    assert "upstream edit" in done.err


def test_the_list_is_cleared_of_an_upstream_or_whole(run, connected, state):
    run("block", "add", "x.pdb", "--upstream", "a")
    run("block", "add", "y.pdb")

    assert "1 taken off" in run("block", "clear", "--upstream", "a").out
    assert [one.pattern for one in state.lists.entries(WHICH)] == ["y.pdb"]
    assert run("block", "clear", "--json").lines == [{"list": "block", "removed": 1}]


def test_a_dry_run_lists_nothing(run, connected, state):
    assert "would be put" in run("block", "add", "x.pdb", "--dry-run").out
    assert state.lists.entries() == []


@pytest.mark.parametrize("arguments", [["x.pdb", "--for", "soon"], ["x.pdb", "--upstream", "nobody"], []])
def test_what_cannot_be_meant_is_refused(run, connected, arguments):
    assert run("block", "add", *arguments).code == Exit.USAGE
