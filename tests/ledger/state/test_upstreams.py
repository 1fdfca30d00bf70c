from datetime import timedelta

import pytest

from symsrv.ledger.state import Rest, Which
from symsrv.model.errors import AlreadyThere, Missing, UsageError
from tests.ledger.state.wishing import START


def test_upstreams_are_added_edited_and_listed_in_their_order(state, clock):
    state.upstreams.put({"name": "second", "url": "https://b", "order": 7}, create=True)
    state.upstreams.put({"name": "third", "url": "https://c"}, create=True)
    state.upstreams.put({"name": "first", "order": 5}, create=True)
    clock.move(5)
    state.upstreams.put({"name": "second", "url": "https://b2", "order": 7, "enabled": False}, create=False)

    assert [one["name"] for one in state.upstreams.all()] == ["first", "second", "third"]
    second = state.upstreams.edited()[1]
    assert second.options == {"name": "second", "url": "https://b2", "order": 7, "enabled": False}
    assert (second.created, second.changed) == (START, START + timedelta(seconds=5))


def test_a_name_is_given_once_and_known_before_it_is_edited(state):
    state.upstreams.put({"name": "one", "note": "kept"}, create=True)

    with pytest.raises(AlreadyThere, match="an upstream called one is there already"):
        state.upstreams.put({"name": "one"}, create=True)
    with pytest.raises(Missing, match="an upstream called two is not there"):
        state.upstreams.put({"name": "two"}, create=False)
    assert state.upstreams.all() == [{"name": "one", "note": "kept"}]


def test_what_belongs_to_an_upstream_goes_with_it(state):
    state.upstreams.put({"name": "one"}, create=True)
    state.rests.put([Rest("one", "k", None, "not-there"), Rest("two", "k", None, "not-there")])
    state.lists.add(Which.BLOCK, "a*", upstream="one")
    state.lists.add(Which.BLOCK, "b*")
    revision = state.lists.revision()

    assert state.upstreams.remove("one")
    assert not state.upstreams.remove("one")

    assert state.upstreams.all() == []
    assert [one.upstream for one in state.rests.list()] == ["two"]
    assert [one.pattern for one in state.lists.entries()] == ["b*"]
    assert state.lists.revision() > revision


def test_the_revision_moves_with_every_change(state):
    seen = [state.upstreams.revision()]
    for create in (True, False):
        state.upstreams.put({"name": "one"}, create=create)
        seen.append(state.upstreams.revision())
    state.upstreams.remove("one")
    seen.append(state.upstreams.revision())

    assert seen == sorted(set(seen))


@pytest.mark.parametrize(
    "options",
    [
        {"url": "https://me:geheim@host/"},
        {"credentials": {"password": "geheim"}},
        {"credentials": {"headers": {"X": "a"}, "token": "geheim"}},
        {"proxy": {"url": "http://me:geheim@proxy:8080"}},
        {"credentials": {"secret_key": "geheim"}},
    ],
)
def test_a_secret_is_refused(state, options):
    with pytest.raises(UsageError, match="a secret is not kept; name where it lies") as caught:
        state.upstreams.put({"name": "one"} | options, create=True)

    assert "geheim" not in str(caught.value)
    assert state.upstreams.all() == []


def test_where_a_secret_lies_is_kept(state):
    options = {
        "name": "one",
        "url": "https://host/",
        "credentials": {"user": "me", "password": {"env": "PASSWORD", "file": None}, "token": None},
    }
    state.upstreams.put(options, create=True)

    assert state.upstreams.all() == [options]
