"""Planning: for wishes and for the queue, without a socket, a new want or a new claim."""

import socket

import pytest

from symsrv.ingest import Source, publish
from symsrv.mirror.gates import Gates
from symsrv.mirror.planning import planned
from symsrv.mirror.settings import MirrorOptions
from symsrv.model.wants import WantState, Wish
from tests.ingest.files import written
from tests.mirror.pulling import Pulling, asked
from tests.mirror.test_chances import connected


@pytest.fixture
def pulling(tmp_path):
    one = Pulling.at(tmp_path)
    yield one
    one.close()


@pytest.fixture(autouse=True)
def no_socket(monkeypatch):
    def refuse(*_arguments, **_options):
        raise AssertionError("a plan opens no socket")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def lines(pulling, *its, wishes=(), missing=False):
    gates = Gates(pulling.state, MirrorOptions(), pulling.folder)
    found = planned(pulling.store, pulling.state, its, wishes=wishes, missing=missing, gates=gates, race=False)
    return [(one.want.ask.name, one.upstream, one.reason) for one in found]


def test_a_wish_is_planned_and_not_filed(pulling):
    key, _ = pulling.pdb(1)

    found = lines(pulling, connected(packed=False, layouts=["symstore"]), wishes=[Wish(asked(key)), Wish(asked(key))])

    assert found == [("app1.pdb", "a", None)]
    assert pulling.state.wants.counts()[WantState.OPEN] == 0


def test_the_queue_is_planned_in_its_order_and_nothing_is_claimed(pulling):
    keys = [pulling.pdb(number)[0] for number in (1, 2)]
    numbers = [pulling.wish(keys[0])[0], pulling.wish(keys[1], count=9)[0]]

    found = lines(pulling, connected(packed=False, layouts=["symstore"]), missing=True)

    assert found == [("app2.pdb", "a", None), ("app1.pdb", "a", None)]
    assert [pulling.want(number).state for number in numbers] == [WantState.OPEN] * 2


def test_what_is_here_is_not_asked_for(pulling):
    key, data = pulling.pdb(1)
    publish(pulling.store, [Source(written(pulling.folder / "out" / "app1.pdb", data), "app1.pdb")])

    assert lines(pulling, connected(), wishes=[Wish(asked(key))]) == [("app1.pdb", None, "here")]


def test_a_host_that_is_left_alone_is_planned_so(pulling):
    key, _ = pulling.pdb(1)
    for _ in range(5):
        pulling.state.breakers.failed("there", "server-error")

    assert lines(pulling, connected(), wishes=[Wish(asked(key))]) == [("app1.pdb", "a", "breaker")]
    assert [one.state for one in pulling.state.breakers.list()] == ["open"]
