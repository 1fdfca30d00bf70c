"""Filters: the block list first, then the skiplist, then the allow list where there is one."""

import time

import pytest

from symsrv.mirror.filters import Filter, Globs
from symsrv.mirror.settings import UpstreamOptions
from symsrv.model.ask import Ask, Wants
from symsrv.model.ids import SymbolId


def ask(name: str | None) -> Ask:
    return Ask(Wants.DEBUG, (SymbolId("debug", "1" * 33),), name)


def reason(found: tuple[str, str] | None) -> str | None:
    return found[0] if found else None


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("nt*.pdb", "NTDLL.pdb", True),
        ("NT*.PDB", "ntdll.pdb", True),
        ("ntdll.pdb", "NtDll.Pdb", True),
        ("ntdll.pdb", "ntdll.pdb2", False),
        ("nt?.pdb", "ntx.pdb", True),
        ("[ab].pdb", "b.pdb", True),
        ("*", "anything", True),
        ("*", None, True),
        ("a*", None, False),
        ("a", None, False),
        ("a+b.pdb", "a+b.pdb", True),
    ],
)
def test_a_pattern_matches_names_in_any_case(pattern, name, matches):
    assert (Globs([(pattern, "why")]).find(name) == "why") is matches


def test_each_pattern_has_its_reason_however_many_there_are():
    globs = Globs([(f"x{number}*", f"reason {number}") for number in range(1200)])

    assert globs.find("x999z") == "reason 9"  # the first that matches, as in a list
    assert globs.find("x1199") == "reason 1"
    assert Globs([(f"*.{number}", f"reason {number}") for number in range(1200)]).find("a.1199") == "reason 1199"


def test_a_hundred_thousand_names_cost_no_more_than_one():
    globs = Globs([(f"module{number}.pdb", "") for number in range(100_000)])
    began = time.perf_counter()

    for _ in range(1000):
        assert globs.find("module99999.pdb") == ""

    assert time.perf_counter() - began < 1


def test_what_is_blocked_is_not_asked_for_even_if_allowed():
    options = UpstreamOptions(
        name="a", use_allow=True, allow=[{"name": "*"}], block=[{"name": "secret*", "reason": "ours"}]
    )
    its = Filter(options)

    assert its.refuse(ask("secret.pdb")) == ("blocked", "its name is on the block list: ours")
    assert its.refuse(ask("other.pdb")) is None


def test_an_allow_list_counts_only_where_it_is_used():
    allow = [("nt*", "")]

    assert Filter(UpstreamOptions(name="a"), allow=allow).refuse(ask("kernel32.pdb")) is None
    using = Filter(UpstreamOptions(name="a", use_allow=True), allow=allow)
    assert reason(using.refuse(ask("kernel32.pdb"))) == "not-allowed"
    assert using.refuse(ask("ntdll.pdb")) is None
    assert reason(using.refuse(ask(None))) == "not-allowed"


def test_lists_and_the_upstreams_own_patterns_add_up():
    options = UpstreamOptions(name="a", use_allow=True, allow=[{"name": "own*"}], block=[{"name": "bad*"}])
    its = Filter(options, block=[("worse*", "")], allow=[("listed*", "")], skip=[("listed-once*", "later")])

    refused = {name: reason(its.refuse(ask(name))) for name in ("own", "listed", "bad", "worse", "listed-once", "no")}

    assert refused == {
        "own": None,
        "listed": None,
        "bad": "blocked",
        "worse": "blocked",
        "listed-once": "skiplist",
        "no": "not-allowed",
    }
