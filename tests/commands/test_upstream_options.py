"""Everything that can be said of an upstream in the configuration can be said on the command line."""

import pytest

from symsrv.commands.upstream_options import FLAGS, given
from symsrv.mirror.settings import Credentials, Proxy, UpstreamOptions
from symsrv.model.errors import UsageError

BY_OTHER_WAYS = {"name", "url", "preset", "credentials", "proxy", "tail", "on_arrival", "cpu_limit", "memory_limit"}
"""The arguments, the parts, and what `--set` is for."""


def test_every_option_has_a_flag():
    options = {flag.option for flag in FLAGS}

    assert {one for one in options if "." not in one} == set(UpstreamOptions.model_fields) - BY_OTHER_WAYS
    for part, model in (("credentials", Credentials), ("proxy", Proxy)):
        assert {one.partition(".")[2] for one in options if one.startswith(f"{part}.")} == set(model.model_fields)


def test_every_flag_sets_what_it_says():
    values = {"N": 3, "TIME": "2s", "SIZE": "1GiB", "TIMES": "22:00-06:00", "NAME=VALUE": "A=b", "NAME=VARIABLE": "A=B"}
    values |= {"NAME=PATH": "A=/b", "KIND": "http"}
    for flag in FLAGS:
        value = values.get(flag.metavar or "", "x")
        if flag.metavar is None:
            value = "lower" if "case" in flag.name else True
        if flag.option == "layouts":
            value = "ssqp"
        found = given({flag.parameter: (value,) if flag.many else value}, ())
        made = UpstreamOptions(**{"name": "a", "url": "https://a.example/"} | found)

        part, _, name = flag.option.rpartition(".")
        holder = getattr(made, part) if part else made
        assert name in holder.model_fields_set, flag.name


def test_flags_of_one_part_are_put_together():
    found = given({"user": "me", "header": ("A=1", "B=2"), "header_env": ("C=D",), "no_proxy": ("a", "b")}, ())

    assert found == {
        "credentials": {"user": "me", "headers": {"A": "1", "B": "2", "C": {"env": "D"}}},
        "proxy": {"except_for": ["a", "b"]},
    }


def test_what_has_no_flag_is_set_by_its_name():
    found = given({}, ("tail.products=[Engine, Game]", "cpu_limit=10m", "memory_limit=1GiB", "on_arrival=true"))

    assert found["tail"] == {"products": ["Engine", "Game"]}
    assert UpstreamOptions(name="a", **found).cpu_limit == 600


@pytest.mark.parametrize(
    ("flags", "settings", "why"),
    [
        ({"header": ("A",)}, (), "NAME=VALUE"),
        ({"header": ("cookie=secret",)}, (), "--header-env cookie=VARIABLE"),
        ({}, ("order",), "NAME=VALUE"),
        ({}, ("tail=[",), "not YAML"),
        ({}, ("order=1", "order.x=2"), "no part"),
    ],
)
def test_what_cannot_be_meant_is_refused(flags, settings, why):
    with pytest.raises(UsageError, match=why):
        given(flags, settings)


def test_an_empty_text_is_a_text_and_nothing_is_nothing():
    assert given({"user": "", "proxy": "", "packed": False, "layout": (), "rate": None}, ()) == {
        "credentials": {"user": ""},
        "proxy": {"url": ""},
        "packed": False,
    }
