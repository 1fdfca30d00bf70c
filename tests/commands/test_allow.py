"""The allow list: what options say and what was listed by hand, added to and taken from."""

import pytest

from symsrv.ledger.state import Which
from symsrv.model.errors import Exit

WHICH = Which("allow")


@pytest.fixture
def connected(run, stored, tmp_path):
    (tmp_path / "symsrv.yaml").write_text(
        "upstreams:\n- {name: fixed, url: https://fixed.example/, allow: [{name: 'opt*.pdb', reason: because}]}\n"
    )
    run("upstream", "add", "a", "https://a.example/", "--no-test", "--allow", "own.pdb")


def test_all_sources_are_listed(run, connected):
    run("allow", "add", "X*.pdb", "y.dll", "--reason", "why", "--upstream", "a")
    run("allow", "add", "z.pdb", "--for", "30d")

    found = run("allow", "list", "--json").lines

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
    run("allow", "add", *[f"n{number}.pdb" for number in range(5)])

    first = run("allow", "list", "--limit", "3", "--text", "n", "--json").lines
    listed = [one for one in first if one["origin"] == "listed"]
    rest = run("allow", "list", "--after", str(listed[-1]["id"]), "--json").lines

    assert [one["pattern"] for one in listed] == ["n0.pdb", "n1.pdb", "n2.pdb"]
    assert [one["pattern"] for one in rest] == ["n3.pdb", "n4.pdb"]
    assert run("allow", "list", "--upstream", "fixed", "--json").lines[0]["upstream"] == "fixed"
    assert "own.pdb" in run("allow", "list").out
    assert run("allow", "list", "--upstream", "nobody").code == Exit.USAGE


def test_entries_are_taken_off_by_number_or_glob(run, connected, state):
    (added,) = run("allow", "add", "x.pdb", "--json").lines
    run("allow", "add", "y*.pdb")

    done = run("allow", "remove", str(added["id"]), "Y*.pdb", "--json")

    assert [one["pattern"] for one in done.lines] == ["x.pdb", "y*.pdb"]
    assert state.lists.entries() == []


def test_what_options_say_is_not_taken_off_here(run, connected):
    done = run("allow", "remove", "own.pdb")

    assert done.code == Exit.USAGE
    assert "upstream edit" in done.err


def test_the_list_is_cleared_of_an_upstream_or_whole(run, connected, state):
    run("allow", "add", "x.pdb", "--upstream", "a")
    run("allow", "add", "y.pdb")

    assert "1 taken off" in run("allow", "clear", "--upstream", "a").out
    assert [one.pattern for one in state.lists.entries(WHICH)] == ["y.pdb"]
    assert run("allow", "clear", "--json").lines == [{"list": "allow", "removed": 1}]


def test_a_dry_run_lists_nothing(run, connected, state):
    assert "would be put" in run("allow", "add", "x.pdb", "--dry-run").out
    assert state.lists.entries() == []


@pytest.mark.parametrize("arguments", [["x.pdb", "--for", "soon"], ["x.pdb", "--upstream", "nobody"], []])
def test_what_cannot_be_meant_is_refused(run, connected, arguments):
    assert run("allow", "add", *arguments).code == Exit.USAGE


def test_an_allow_list_that_is_not_used_is_said_to_be_so(run, connected):
    run("upstream", "edit", "a", "--use-allow")

    assert "does not use its allow list" in run("allow", "add", "x.pdb", "--upstream", "fixed").err
    assert run("allow", "add", "x.pdb", "--upstream", "a").err == ""
