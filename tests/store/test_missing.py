"""The missing list, chosen by what a person asks for."""

from datetime import UTC, datetime, timedelta

import pytest

from symsrv.layouts import parse_any
from symsrv.ledger.state import open_state
from symsrv.model.ask import Wants
from symsrv.model.errors import UsageError
from symsrv.model.wants import WantState, Wish
from symsrv.store import missing
from symsrv.store.missing import Chosen, listed, since

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
GUID = "3249D99D0C4049318610F4E4FB0B69361"


@pytest.fixture
def state(tmp_path):
    one = open_state(f"sqlite:///{tmp_path / 'state.sqlite'}")
    paths = {
        f"app.pdb/{GUID}/app.pdb": ("serve:windbg", 4, 0),
        "app.exe/5AB380779000/app.exe": ("dump:a.dmp", 3, 1),
        "other.dll/5AB380779000/other.dll": ("serve:curl", 2, 2),
        f"app.pdb/{GUID}/app.sym": ("log:access.log", 1, 3),
    }
    for path, (who, count, days) in paths.items():
        one.wants.file([Wish(parse_any(path), who, count, seen=NOW - timedelta(days=days))])
    yield one
    one.close()


def names(state, *, limit=None, after=None, **chosen):
    found = listed(state, Chosen(**chosen), limit=limit, after=after)
    return [f"{want.ask.wants}:{want.ask.name}" for want in found]


ALL = ["debug:app.pdb", "code:app.exe", "code:other.dll", "sym:app.pdb"]


@pytest.mark.parametrize(
    ("chosen", "found"),
    [
        ({}, ALL),
        ({"name": "APP.*"}, [ALL[0], ALL[1], ALL[3]]),
        ({"name": "app.pdb"}, [ALL[0], ALL[3]]),
        ({"name": "*[e-l]"}, [ALL[1], ALL[2]]),
        ({"name": "?pp.exe"}, [ALL[1]]),
        ({"name": "pp"}, []),
        ({"kinds": [Wants.CODE]}, [ALL[1], ALL[2]]),
        ({"kinds": [Wants.SYM, Wants.DEBUG]}, [ALL[0], ALL[3]]),
        ({"who": "serve:"}, [ALL[0], ALL[2]]),
        ({"who": "dump:a.dmp"}, [ALL[1]]),
        ({"since": NOW - timedelta(days=1)}, [ALL[0], ALL[1]]),
        ({"states": [WantState.RESTING]}, []),
    ],
)
def test_what_is_chosen(state, chosen, found):
    assert names(state, **chosen) == found


def test_what_was_answered_is_not_missing(state):
    (want, *_) = state.wants.list()
    state.wants.claim("puller", 1, lease_seconds=60)
    state.wants.rest(want.id, "puller", reason="absent", due=None, rounds=1)

    assert names(state) == ALL
    assert names(state, states=[WantState.GIVEN_UP]) == [ALL[0]]


def test_pages_follow_each_other(state, monkeypatch):
    monkeypatch.setattr(missing, "PAGE", 1)

    first = list(listed(state, Chosen(kinds=[Wants.CODE, Wants.SYM]), limit=2))
    rest = names(state, kinds=[Wants.CODE, Wants.SYM], after=first[-1].id)

    assert [one.ask.name for one in first] == ["app.exe", "other.dll"]
    assert rest == [ALL[3]]
    assert names(state) == ALL


@pytest.mark.parametrize(
    ("glob", "text"), [("", ""), ("a.pdb", "a.pdb"), ("*.pdb", ".pdb"), ("nt[a-z]dll?pdb", "dll"), ("[ab", "")]
)
def test_the_database_is_asked_for_what_every_match_has(glob, text):
    assert Chosen(name=glob).text == text


def test_times_as_people_write_them():
    assert since("2026-03-04") == datetime(2026, 3, 4, tzinfo=UTC)
    assert since("2026-03-04T05:06:07") == since("2026-03-04T06:06:07+01:00") == NOW
    assert since("7d", now=NOW) == NOW - timedelta(days=7)
    assert since("1h30m", now=NOW) == NOW - timedelta(minutes=90)
    for text in ("", "yesterday", "7", "9999999999d"):
        with pytest.raises(UsageError, match="is no time"):
            since(text, now=NOW)
