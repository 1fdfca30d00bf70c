"""The roster: who is connected follows what is listed; what cannot be opened is left out."""

import pytest

from symsrv.ledger.state import Which, open_state
from symsrv.mirror.roster import Roster
from symsrv.mirror.settings import UpstreamOptions
from symsrv.model.ask import Ask, Wants
from symsrv.model.errors import UsageError
from symsrv.model.ids import SymbolId


class Opened:
    """An upstream that only knows whether it was closed."""

    def __init__(self, options):
        if options.url == "https://broken":
            raise UsageError("its certificates cannot be read")
        self.options = options
        self.closed = False

    def close(self):
        self.closed = True


def named(name, **more):
    return UpstreamOptions(name=name, url=f"https://{name}", **more)


def ask(name):
    return Ask(Wants.DEBUG, (SymbolId("debug", "1" * 33),), name)


@pytest.fixture
def state(tmp_path):
    one = open_state(f"sqlite:///{tmp_path}/state.sqlite")
    yield one
    one.close()


@pytest.fixture
def listed():
    return [named("b", order=2), named("a", order=1), named("off", enabled=False)]


@pytest.fixture
def roster(state, listed):
    one = Roster(state, lambda: listed, Opened)
    one.refresh()
    yield one
    one.close()


def names(roster):
    return [one.options.name for one in roster.connected]


def test_those_that_are_switched_on_are_connected_in_their_order(roster):
    assert names(roster) == ["a", "b"]


def test_a_refresh_without_a_change_does_nothing(roster, listed):
    before = list(roster.connected)
    listed.append(named("c"))  # nobody said so

    assert not roster.refresh()

    assert list(roster.connected) == before


def test_what_is_gone_is_closed_and_what_is_the_same_stays_open(roster, listed, state):
    a, b = (one.upstream for one in roster.connected)
    listed[:] = [named("a", order=1), named("c")]
    state.upstreams.put({"name": "c", "url": "https://c"}, create=True)

    assert roster.refresh()

    assert names(roster) == ["a", "c"]
    assert roster.connected[0].upstream is a
    assert (a.closed, b.closed) == (False, True)


def test_other_options_open_it_anew(roster, listed):
    before = roster.connected[0].upstream
    listed[1] = named("a", order=1, concurrency=9)
    roster.changed()

    assert roster.refresh()

    assert before.closed
    assert roster.connected[0].options.concurrency == 9


def test_one_that_cannot_be_opened_is_logged_once_and_left_out(roster, listed, caplog):
    listed.append(UpstreamOptions(name="broken", url="https://broken"))
    for _ in range(3):
        roster.changed()
        roster.refresh()

    assert names(roster) == ["a", "b"]
    assert [one.message for one in caplog.records] == ["an upstream cannot be used"]


def test_only_some_can_be_connected(state, listed):
    one = Roster(state, lambda: listed, Opened, only=["b", "off"])
    one.refresh()

    assert names(one) == ["b"]


def test_lists_hold_from_the_next_refresh_on(roster, state):
    its = {one.options.name: one for one in roster.connected}
    assert its["a"].filter.refuse(ask("x.pdb")) is None

    state.lists.add(Which.BLOCK, "x*", reason="ours")
    state.lists.add(Which.SKIP, "y*", upstream="a")
    assert roster.refresh()

    its = {one.options.name: one for one in roster.connected}
    assert its["a"].filter.refuse(ask("x.pdb")) == ("blocked", "its name is on the block list: ours")
    assert its["b"].filter.refuse(ask("x.pdb"))[0] == "blocked"
    assert its["a"].filter.refuse(ask("y.pdb"))[0] == "skiplist"
    assert its["b"].filter.refuse(ask("y.pdb")) is None


def test_without_a_state_there_are_no_lists(listed):
    one = Roster(None, lambda: listed, Opened)

    assert one.refresh()
    assert not one.refresh()
    assert names(one) == ["a", "b"]


def test_close_closes_all(roster):
    opened = [one.upstream for one in roster.connected]

    roster.close()

    assert all(one.closed for one in opened)
    assert names(roster) == []
