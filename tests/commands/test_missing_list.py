"""The missing list as a person sees and changes it."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest

from symsrv.commands import missing_list
from symsrv.layouts import parse_any
from symsrv.ledger.state import Rest, open_state
from symsrv.model.wants import Wish, want_key
from tests.crash.publishing import image

GUID = "3249D99D0C4049318610F4E4FB0B69361"
FIRST = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
PATHS = {
    f"app.pdb/{GUID}/app.pdb": ("serve:windbg", 40),
    "kernel.exe/5AB380779000/kernel.exe": ("dump:a.dmp", 3),
}


@pytest.fixture
def state(tmp_path, monkeypatch):
    url = f"sqlite:///{tmp_path / 'state.sqlite'}"
    monkeypatch.setenv("SYMSRV_DATABASE", url)
    one = open_state(url)
    yield one
    one.close()


@pytest.fixture
def store(run, tmp_path, state):
    run("add", image(tmp_path / "built", "a.dll"), "--store", tmp_path / "store")
    for path, (who, count) in PATHS.items():
        ask = parse_any(path)
        days = timedelta(days=count)
        state.wants.file([Wish(ask, who, 1, seen=FIRST), Wish(ask, who, count - 1, seen=FIRST + days)])
    odd = 'C:\\out, "b"\\b\x07.dll'
    state.wants.file([Wish(parse_any("b.dll/5AB380779000/b.dll"), "log:x", path=odd, version="1.2")])
    return tmp_path / "store"


def names(done):
    return [one["name"] for one in done.lines]


def test_the_table_has_the_most_wanted_first(run, store):
    done = run("missing", "--store", store)

    title, first, second, third = done.out.splitlines()
    assert title.split() == [
        "name",
        "id",
        "kind",
        "path",
        "version",
        "first",
        "last",
        "count",
        "who",
        "state",
        "reason",
    ]
    assert first.split() == [
        "app.pdb", GUID.lower(), "debug", "-", "-", "2026-03-04", "05:06", "2026-04-13", "05:06", "40", "serve:windbg",
        "open", "-",
    ]  # fmt: skip
    assert second.startswith("kernel.exe  5ab380779000")
    assert "\x07" not in third
    assert done.err == ""


def test_json_has_a_line_for_each(run, store):
    done = run("missing", "--store", store, "--json")

    assert names(done) == ["app.pdb", "kernel.exe", "b.dll"]
    assert (done.lines[2]["path"], done.lines[2]["version"]) == ('C:\\out, "b"\\b\x07.dll', "1.2")
    assert done.lines[0]["count"] == 40


def test_csv_can_be_read_again(run, store):
    done = run("missing", "--store", store, "--csv")

    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert [(one["name"], one["count"], one["who"]) for one in rows] == [
        ("app.pdb", "40", "serve:windbg"),
        ("kernel.exe", "3", "dump:a.dmp"),
        ("b.dll", "1", "log:x"),
    ]
    assert rows[2]["path"] == 'C:\\out, "b"\\b\\x07.dll'
    assert rows[0]["first"] == FIRST.isoformat()


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["--name", "*.PDB"], ["app.pdb"]),
        (["--kind", "code"], ["kernel.exe", "b.dll"]),
        (["--who", "dump:"], ["kernel.exe"]),
        (["--state", "resting"], []),
        (["--since", "2026-03-08"], ["app.pdb", "b.dll"]),
        (["--limit", "2"], ["app.pdb", "kernel.exe"]),
    ],
)
def test_only_some_are_listed(run, store, words, found):
    assert names(run("missing", "--store", store, "--json", *words)) == found


def test_pages_follow_each_other(run, store, monkeypatch):
    monkeypatch.setattr(missing_list, "LISTED", 2)

    first = run("missing", "--store", store)
    number = first.err.split("--after ")[1].split()[0]
    second = run("missing", "--store", store, "--after", number)

    assert len(first.out.splitlines()) == 3
    assert second.out.splitlines()[1].startswith("b.dll")
    assert second.err == ""


def test_an_empty_list_says_so(run, store):
    assert run("missing", "--store", store, "--name", "x").out == "nothing is missing that anybody asked for\n"


def test_what_was_published_since_is_not_missing(run, store, tmp_path):
    run("add", image(tmp_path / "later", "b.dll"), "--store", store)

    assert names(run("missing", "--store", store, "--json")) == ["app.pdb", "kernel.exe"]
    assert names(run("missing", "--store", store, "--json", "--state", "answered")) == ["b.dll"]


def test_the_chosen_ones_are_forgotten(run, store):
    done = run("missing", "--store", store, "--forget", "--name", "*.dll", "--dry-run")
    assert (done.out, len(run("missing", "--store", store, "--json").lines)) == ("1 would be forgotten\n", 3)

    done = run("missing", "--store", store, "--forget", "--name", "*.dll", "--json")

    assert done.lines == [{"forgotten": 1, "dry_run": False}]
    assert names(run("missing", "--store", store, "--json")) == ["app.pdb", "kernel.exe"]


def test_what_rests_is_asked_for_again(run, store, state):
    for want in state.wants.claim("puller", 9, lease_seconds=60):
        due = None if want.ask.name == "b.dll" else datetime(2100, 1, 1, tzinfo=UTC)
        state.wants.rest(want.id, "puller", reason="absent", due=due, rounds=3)
        state.rests.put([Rest("one", want_key(want.ask), None, "absent", skip=True)])
    assert run("missing", "--store", store, "--retry", "--name", "*.dll", "--dry-run").out == "1 would be woken\n"

    assert run("missing", "--store", store, "--retry", "--name", "*.dll").out == "1 woken\n"

    (woken,) = run("missing", "--store", store, "--state", "open", "--json").lines
    assert (woken["name"], woken["rounds"]) == ("b.dll", 0)
    assert len(state.rests.list()) == 2
    assert run("missing", "--store", store, "--retry").out == "2 woken\n"
