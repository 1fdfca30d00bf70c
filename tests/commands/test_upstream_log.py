"""Statistics since an upstream was added, and the log of what was asked of it."""

import pytest

from symsrv.ledger.state import Attempt


@pytest.fixture
def noted(run, state):
    run("upstream", "add", "mozilla", "--no-test")
    key = "sym:debug:4c8c9680faecfdc64c4c44205044422e1:xul.pdb"
    address = "https://symbols.mozilla.org/xul.pdb/4C8C/xul.sym"
    more = {"upstream": "mozilla", "key": key, "name": "xul.pdb", "address": address}
    state.attempts.note(
        Attempt(stage="storing", outcome="ok", bytes=5 << 20, milliseconds=120, **more),
        Attempt(stage="downloading", outcome="absent", reason="absent", status=404, milliseconds=80, **more),
        Attempt(stage="receiving", outcome="failed", reason="stalled", bytes=1000, **more),
        Attempt(stage="downloading", outcome="skipped", reason="skiplist", **more),
    )
    state.spending.add("mozilla", 5 << 20)


def test_statistics_are_told_in_numbers(run, noted):
    (told,) = run("upstream", "stats", "mozilla", "--json").lines

    assert (told["ok"], told["absent"], told["failed"], told["skipped"]) == (1, 1, 1, 1)
    assert told["failures"] == {"receiving": 1}
    assert told["bytes_today"] == 5 << 20
    assert told["p50_ms"] == pytest.approx(100, rel=0.5)
    assert told["last_success"]


def test_for_people_it_is_a_table_with_the_stages_of_failures(run, noted):
    done = run("upstream", "stats")

    assert "5.0 MiB" in done.out
    assert "mozilla: failed while receiving 1" in done.out


def test_the_log_is_paged_newest_first(run, noted):
    first = run("upstream", "log", "mozilla", "--limit", "3", "--json").lines
    rest = run("upstream", "log", "mozilla", "--after", str(first[-1]["id"]), "--json").lines

    assert [one["outcome"] for one in first] == ["skipped", "failed", "absent"]
    assert [one["outcome"] for one in rest] == ["ok"]


def test_the_log_is_filtered(run, noted):
    failed = run("upstream", "log", "--outcome", "failed", "--json").lines
    found = run("upstream", "log", "--text", "XUL", "--json").lines
    none = run("upstream", "log", "other", "--json").lines

    assert [one["reason"] for one in failed] == ["stalled"]
    assert (len(found), none) == (4, [])


def test_for_people_the_log_is_a_table(run, noted):
    done = run("upstream", "log", "--limit", "2")

    assert done.out.splitlines()[0].split()[:6] == ["number", "at", "upstream", "stage", "outcome", "reason"]
    assert "stalled" in done.out
    assert "--after" in done.err


def test_before_anything_was_asked(run, stored):
    assert "nothing was asked" in run("upstream", "stats").err
    assert run("upstream", "log").out == ""
