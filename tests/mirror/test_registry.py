"""Upstreams of the configuration and added ones are one list; the former are read-only and go first."""

import pytest

from symsrv.mirror.registry import Registry, Source, made, merged
from symsrv.mirror.settings import UpstreamOptions
from symsrv.model.errors import UsageError


class Kept:
    """As the state keeps them."""

    def __init__(self, *rows):
        self.rows = {row["name"]: row for row in rows}

    def all(self):
        return list(self.rows.values())

    def put(self, options, *, create):
        assert create == (options["name"] not in self.rows)
        self.rows[options["name"]] = options

    def remove(self, name):
        return self.rows.pop(name, None) is not None


OURS = {"name": "ours", "url": "https://symbols.example/"}


def registry(*rows, configured=()):
    kept = Kept(*rows)
    return Registry([UpstreamOptions(**one) for one in configured], kept), kept


def test_both_kinds_are_listed_in_the_order_in_which_they_are_asked():
    found, _ = registry(OURS | {"order": 50}, configured=[{"name": "mozilla", "preset": "mozilla"}])

    assert [(one.options.name, one.source) for one in found.all()] == [
        ("ours", Source.ADDED),
        ("mozilla", Source.CONFIGURATION),
    ]
    assert found.get("mozilla").options.url == "https://symbols.mozilla.org/"


def test_what_is_added_is_kept_as_it_was_given():
    found, kept = registry()

    options = found.add({"name": "ms", "preset": "microsoft", "concurrency": 1, "pause": "2s", "size_limit": "1GiB"})

    kept_options = {"concurrency": 1, "pause": 2.0, "size_limit": 1 << 30}
    assert kept.all() == [{"name": "ms", "preset": "microsoft"} | kept_options]
    assert (options.concurrency, options.packed) == (1, False)
    assert found.get("ms").options == options


@pytest.mark.parametrize("rows", [[OURS], []])
def test_a_name_is_taken_once(rows):
    found, _ = registry(*rows, configured=[] if rows else [OURS])

    with pytest.raises(UsageError, match="there is an upstream ours"):
        found.add(OURS)


def test_what_the_configuration_names_is_changed_there():
    found, kept = registry(configured=[OURS])

    for change in (lambda: found.change(OURS), lambda: found.remove("ours")):
        with pytest.raises(UsageError, match="named in the configuration file: change it there"):
            change()
    assert not kept.all()


def test_the_configuration_hides_an_added_one_of_the_same_name():
    found, _ = registry(OURS, configured=[OURS | {"order": 7}])

    assert [(one.source, one.hidden) for one in found.all()] == [(Source.CONFIGURATION, False), (Source.ADDED, True)]
    assert [one.order for one in found.usable()] == [7]
    assert found.get("ours").options.order == 7
    found.remove("ours")  # the added one can still be forgotten
    assert len(found.all()) == 1


def test_an_edit_changes_what_it_names_and_parts_by_part():
    secret = {"env": "TOKEN"}
    found, kept = registry(OURS | {"credentials": {"user": "me", "password": secret}, "order": 5})

    given = found.edited("ours", {"credentials": {"user": "you"}, "rate": 2}, unset=["order"])
    options = found.change(given)

    assert (options.credentials.user, options.credentials.password.env, options.rate) == ("you", "TOKEN", 2)
    assert options.order == 100
    assert kept.all() == [OURS | {"credentials": {"user": "you", "password": secret}, "rate": 2}]


def test_an_edit_that_cannot_be_changes_nothing():
    found, kept = registry(OURS)

    for changes, unset in (({"tries": 0}, []), ({"colour": "red"}, []), ({}, ["url"]), ({}, ["colour"])):
        with pytest.raises(UsageError, match=r"tries|colour|url"):
            found.change(found.edited("ours", changes, unset=unset))
    assert kept.all() == [OURS]


def test_what_a_later_version_kept_stops_nothing(caplog):
    found, _ = registry(
        OURS, {"name": "later", "url": "https://a.example/", "colour": "red"}, {"name": "z", "preset": "x"}
    )

    faults = {one.options.name: one.fault for one in found.all()}

    assert faults["ours"] is None
    assert "colour" in faults["later"]
    assert "no preset x" in faults["z"]
    assert [one.name for one in found.usable()] == ["ours"]
    assert caplog.records


def test_who_is_not_there_is_told_who_is():
    found, _ = registry(OURS)

    for call in (lambda: found.get("our"), lambda: found.edited("our", {}), lambda: found.remove("our")):
        with pytest.raises(UsageError, match="there is no upstream our; there are: ours"):
            call()


def test_a_wrong_preset_in_the_configuration_is_a_wrong_configuration():
    with pytest.raises(UsageError, match="no preset mozila"):
        registry(configured=[{"name": "a", "preset": "mozila"}])


def test_parts_are_merged_and_lists_replaced():
    assert merged({"a": {"b": 1, "c": 2}, "d": [1]}, {"a": {"b": 3}, "d": [2]}) == {"a": {"b": 3, "c": 2}, "d": [2]}
    with pytest.raises(UsageError, match="name"):
        made({"url": "https://a.example/"})
