"""What is connected, and what could be, is listed and shown without any secret."""

import json

import pytest

from symsrv.mirror.presets import presets
from symsrv.model.errors import Exit


@pytest.fixture
def connected(run, stored, tmp_path):
    (tmp_path / "symsrv.yaml").write_text("upstreams:\n- {name: mozilla, preset: mozilla, order: 5}\n")
    run("upstream", "add", "ours", "https://ours.example/x?sig=hunter2", "--no-test", "--disabled", "--order", "7")
    run("upstream", "add", "conv", "--kind", "convert", "--no-test")


def test_both_kinds_are_listed_in_their_order(run, connected):
    done = run("upstream", "list", "--json")

    assert [(one["name"], one["source"], one["enabled"], one["kind"]) for one in done.lines] == [
        ("mozilla", "configuration", True, "http"),
        ("ours", "added", False, "http"),
        ("conv", "added", True, "convert"),
    ]
    assert done.lines[1]["url"] == "https://ours.example/x"


def test_for_people_it_is_a_table(run, connected):
    done = run("upstream", "list")

    title, *rows = done.out.splitlines()
    assert title.split() == ["name", "kind", "state", "order", "from", "url"]
    assert [row.split()[:3] for row in rows] == [
        ["mozilla", "http", "on"],
        ["ours", "http", "off"],
        ["conv", "convert", "on"],
    ]
    assert "hunter2" not in done.out


def test_an_empty_list_says_how_to_fill_it(run, stored):
    done = run("upstream", "list")

    assert (done.out, done.code) == ("", 0)
    assert "symsrv upstream presets" in done.err


def test_one_is_shown_with_all_its_options(run, connected):
    told = run("upstream", "show", "mozilla", "--json").lines[0]
    text = run("upstream", "show", "ours").out

    assert told["options"]["layouts"] == ["breakpad", "symstore"]
    assert told["options"]["order"] == 5
    assert text.startswith("# added\nname: ours\n")
    assert "first_byte_timeout: 30s" in text
    assert "hunter2" not in text


def test_one_that_is_not_there(run, connected):
    done = run("upstream", "show", "mozila")

    assert done.code == Exit.USAGE
    assert "there are: mozilla, ours, conv" in done.err


def test_presets_are_listed_without_a_store(run):
    done = run("upstream", "presets", "--json")

    assert [one["name"] for one in done.lines] == list(presets())
    assert all(one["contacted"] is False for one in done.lines)
    vendors = run("upstream", "presets", "--group", "vendor").out
    assert "msdl.microsoft.com" in vendors
    assert "debuginfod" not in vendors


def test_a_preset_is_shown_whole(run):
    text = run("upstream", "presets", "nuget").out

    assert "SymbolChecksum" in text
    assert json.loads(run("upstream", "presets", "nuget", "--json").out)["options"]["forbidden_is_absent"] is True
    assert run("upstream", "presets", "nuge").code == Exit.USAGE
