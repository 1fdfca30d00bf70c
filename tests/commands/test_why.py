"""`symsrv why`: one sentence, what would mend it, and everything that was seen."""

from datetime import UTC, datetime

import pytest

from symsrv.layouts import parse_any
from symsrv.ledger.state import Attempt, Rest, Which, open_state
from symsrv.model.wants import Wish, want_key
from tests.crash.publishing import image

KEY = "a.dll/5AB380779000/a.dll"


@pytest.fixture
def store(run, tmp_path):
    folder = tmp_path / "store"
    run("add", image(tmp_path, "a.dll"), "--store", folder, "--product", "Calculator", "--version", "1.0")
    return folder


@pytest.mark.parametrize("words", [("A.DLL", "5ab380779000"), (KEY,), (f"http://server/{KEY}",)])
def test_here(run, store, words):
    done = run("why", *words, "--store", store)

    first, sight = done.out.splitlines()
    assert (done.code, first) == (0, f"{' '.join(words)}: it is here (here)")
    size = (store / KEY).stat().st_size
    assert sight.startswith(f"  here        {KEY}  {size} bytes  transaction 0000000001  20")
    assert sight.endswith("  Calculator 1.0")


def test_deleted(run, store):
    run("delete", "1", "--store", store)

    done = run("why", KEY, "--store", store)

    first, sight, wanted, mend = done.out.splitlines()
    assert (done.code, first) == (1, f"{KEY}: it was here, and its transaction was deleted (deleted)")
    assert sight.endswith("Calculator 1.0  deleted by 0000000002")
    assert wanted == "  never-wanted  nobody asked for it before"
    assert mend == "  to mend it  publish that build again"


def test_json(run, store):
    (line,) = run("why", "a.dll", "5AB38077A000", "--store", store, "--json").lines

    assert (line["asked"], line["reason"], line["here"]) == ("a.dll 5AB38077A000", "other-id", False)
    assert line["sentence"]
    assert line["mend"]
    assert (line["sights"][0]["key"], line["sights"][0]["product"]) == (KEY, "Calculator")


def test_what_no_client_asks_for(run, store):
    done = run("why", "a.dll", "--store", store)

    assert (done.code, done.out.splitlines()[0]) == (1, "a.dll: no client's dialect has such a path (unknown-path)")
    assert "NAME ID" in done.out


def test_no_store(run, tmp_path):
    assert run("why", KEY, "--store", tmp_path / "nowhere").code == 10


OTHER = "a.dll/5AB38077A000/a.dll"


@pytest.fixture
def state(tmp_path, monkeypatch):
    url = f"sqlite:///{tmp_path / 'state.sqlite'}"
    monkeypatch.setenv("SYMSRV_DATABASE", url)
    one = open_state(url)
    yield one
    one.close()


def test_what_is_done_about_it(run, store, state):
    ask = parse_any(OTHER)
    when = datetime(2026, 3, 4, 5, 6, tzinfo=UTC)
    (number,) = state.wants.file([Wish(ask, "serve:windbg", 3, seen=when)])
    state.wants.claim("puller", 1, lease_seconds=60)
    state.wants.rest(number, "puller", reason="absent", due=datetime(2100, 1, 1, tzinfo=UTC), rounds=1)
    state.lists.add(Which.BLOCK, "a.*", upstream="small", reason="too big")
    state.rests.put([Rest("one", want_key(ask), datetime(2100, 1, 1, tzinfo=UTC), "absent", answer="404 Not Found")])
    state.attempts.note(
        Attempt("one", want_key(ask), "downloading", "absent", "absent", status=404, address="https://one/a", at=when)
    )

    done = run("why", OTHER, "--store", store)

    assert done.code == 1
    assert done.out.splitlines()[2:] == [
        "  resting     no connected server had it; they are asked again later; asked for 3 times since 2026-03-04, "
        "last 2026-03-04, by serve:windbg; again at 2100-01-01 00:00",
        "  block       a.* for small: too big",
        "  rests       one  absent, until 2100-01-01 00:00  404 Not Found",
        "  tried       one  2026-03-04 05:06  absent  absent  404  https://one/a",
        "  to mend it  publish exactly the build that ran; a new build of the same source has other ids",
        "  to mend it  'symsrv missing --retry' asks them at once; or connect another one with 'symsrv upstream add'",
    ]
    (line,) = run("why", OTHER, "--store", store, "--json").lines
    assert (line["reason"], line["wanted"]["reason"]) == ("other-id", "resting")
    assert line["wanted"]["tries"][0]["status"] == 404


def test_what_is_here_is_not_wanted(run, store, state):
    state.wants.file([Wish(parse_any(KEY), "serve:windbg")])

    (line,) = run("why", KEY, "--store", store, "--json").lines

    assert "wanted" not in line


def test_what_was_published_since_and_lost_again_was_answered(run, store, state):
    state.wants.file([Wish(parse_any(KEY), "serve:windbg")])
    run("missing", "--store", store)
    (store / KEY).unlink()

    (line,) = run("why", KEY, "--store", store, "--json").lines

    assert (line["reason"], line["wanted"]["reason"]) == ("lost", "answered")


def test_a_state_that_cannot_be_read_leaves_what_the_store_says(run, store, tmp_path, monkeypatch):
    (tmp_path / "state.sqlite").write_text("no database, however one looks at it " * 100)
    monkeypatch.setenv("SYMSRV_DATABASE", f"sqlite:///{tmp_path / 'state.sqlite'}")

    done = run("why", OTHER, "--store", store)

    assert done.out.startswith(f"{OTHER}: the name is here, but not this build of it (other-id)")
    assert "cannot be read" in done.err


def test_nobody_makes_a_state_by_asking(run, store, own_home):
    (line,) = run("why", OTHER, "--store", store, "--json").lines
    run("missing", "--store", store)

    assert line["wanted"]["reason"] == "never-wanted"
    assert not list(own_home.rglob("state-*.sqlite"))
