"""Upstreams that are followed beside the puller: when each is due, and what happens when one fails."""

import threading
from datetime import datetime

import pytest

from symsrv.ledger.state import StateError, Which, open_state
from symsrv.mirror import open_upstream
from symsrv.mirror.following import Following
from symsrv.mirror.settings import MirrorOptions, TailOptions, UpstreamOptions
from symsrv.store import open_store
from tests.mirror.test_tail import key, listed, names

NOON = datetime(2026, 11, 20, 12).astimezone()


@pytest.fixture
def state(tmp_path):
    one = open_state(f"sqlite:///{tmp_path}/state.sqlite")
    yield one
    one.close()


@pytest.fixture
def store(tmp_path):
    one = open_store(str(tmp_path / "ours"), create=True, state=tmp_path / "our-state")
    yield one
    one.close()


@pytest.fixture
def upstream(tmp_path):
    """A folder with a transaction of one PDB, followed, and what else may be said of it."""

    def make(name, number, **options):
        admin = tmp_path / name / "000Admin"
        admin.mkdir(parents=True)
        listed(admin, 1, key(f"{name}.pdb", number))
        return UpstreamOptions(**{"name": name, "url": str(admin.parent), "tail": TailOptions()} | options)

    return make


@pytest.fixture
def following(store, state):
    def make(*upstreams, mirror=None, now=NOON, **other):
        return Following(
            store, state, lambda: upstreams, opener=open_upstream, options=lambda: mirror or MirrorOptions(),
            now=lambda: now, **other
        )  # fmt: skip

    return make


def test_each_upstream_has_its_pass_when_it_is_due(upstream, following, state):
    told = []
    one = following(upstream("a", 1), upstream("b", 2), upstream("c", 3, tail=None), filed=told.append)

    first, again = one.make_due(threading.Event()), one.make_due(threading.Event())

    assert [(done.upstream, done.wished) for done in first] == [("a", 1), ("b", 1)]
    assert (again, told) == ([], first)
    assert names(state) == ["a.pdb", "b.pdb"]


def test_outside_of_its_hours_nothing_is_read(upstream, following):
    night = "22:00-06:00"

    assert following(upstream("a", 1), mirror=MirrorOptions(window=night)).make_due(threading.Event()) == []
    (done,) = following(upstream("b", 2, window=night), upstream("c", 3)).make_due(threading.Event())
    assert done.upstream == "c"


def test_lists_hold_for_what_is_followed(upstream, following, state):
    state.lists.add(Which.BLOCK, "a.*", reason="too big")

    (done,) = following(upstream("a", 1)).make_due(threading.Event())

    assert (done.skipped, names(state)) == ({"blocked": 1}, [])


def test_an_upstream_that_cannot_be_opened_stops_no_other(upstream, following, caplog):
    (done,) = following(upstream("a", 1, url="ftp://nowhere"), upstream("b", 2)).make_due(threading.Event())

    assert done.upstream == "b"
    assert "an upstream cannot be used" in caplog.text


def test_it_runs_until_it_is_stopped(upstream, following):
    stop = threading.Event()
    told = []

    def filed(done):
        told.append(done.upstream)
        stop.set()

    one = following(upstream("a", 1), filed=filed)
    thread = threading.Thread(target=one.run, args=(stop,))
    thread.start()
    thread.join(30)

    assert not thread.is_alive()
    assert told == ["a"]


def test_a_state_that_refuses_is_logged(upstream, following, state, monkeypatch, caplog):
    stop = threading.Event()

    def refuses(_name):
        stop.set()
        raise StateError("sqlite://", "gone")

    monkeypatch.setattr(state.marks, "get", refuses)
    following(upstream("a", 1)).run(stop)

    assert "could not follow upstreams" in caplog.text


def test_a_stop_ends_it_at_once(upstream, following):
    stop = threading.Event()
    stop.set()

    assert following(upstream("a", 1)).make_due(stop) == []
