"""Which upstreams are never asked for a name, as lists and patterns say now."""

import pytest

from symsrv.layouts import parse_any
from symsrv.ledger.state import Which, open_state
from symsrv.mirror.refusals import Refusals
from symsrv.mirror.settings import Pattern, UpstreamOptions

PDB = parse_any("crash.pdb/3249D99D0C4049318610F4E4FB0B69361/crash.pdb")
SYM = parse_any("crash.pdb/3249D99D0C4049318610F4E4FB0B69361/crash.sym")


@pytest.fixture
def state(tmp_path):
    one = open_state(f"sqlite:///{tmp_path / 'state.sqlite'}")
    yield one
    one.close()


def upstream(name, **options):
    return UpstreamOptions(name=name, url="https://one.example", **options)


def words(found):
    return {name: None if why is None else why[0] for name, why in found.items()}


def test_each_upstream_says_by_its_own_patterns(state):
    listed = [
        upstream("any"),
        upstream("picky", use_allow=True, allow=(Pattern(name="nt*"),)),
        upstream("blind", block=(Pattern(name="CRASH*", reason="too big"),)),
        upstream("off", enabled=False),
    ]

    found = Refusals(state, lambda: listed)(PDB)

    assert words(found) == {"any": None, "picky": "not-allowed", "blind": "blocked"}
    assert "too big" in found["blind"][1]


def test_lists_are_seen_when_they_change(state):
    refusals = Refusals(state, lambda: [upstream("one"), upstream("two")])
    assert words(refusals(PDB)) == {"one": None, "two": None}

    number = state.lists.add(Which.BLOCK, "crash.*", upstream="two")
    assert words(refusals(PDB)) == {"one": None, "two": "blocked"}
    state.lists.remove(number)

    assert words(refusals(PDB)) == {"one": None, "two": None}


def test_upstreams_are_seen_when_they_come(state):
    listed = []
    refusals = Refusals(state, lambda: listed)
    assert refusals(PDB) == {}

    listed.append(upstream("one"))
    state.upstreams.put({"name": "one", "url": "https://one.example"}, create=True)

    assert refusals(PDB) == {"one": None}


def test_a_converter_is_no_hope_for_anything_but_text_symbols(state):
    refusals = Refusals(state, lambda: [UpstreamOptions(name="dump_syms", kind="convert")])

    assert (refusals(PDB), refusals(SYM)) == ({}, {"dump_syms": None})
