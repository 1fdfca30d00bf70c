import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symsrv.model.ask import Ask, Wants
from symsrv.model.identity import Identity
from symsrv.model.ids import build_id, debug_id, pe_id

BUILD = build_id(b"\xab" * 20)
DEBUG_ID = debug_id("0" * 32, 1)
PE_ID = pe_id(1, 0x1000)


def of(kind: str, symbol_id=BUILD) -> Identity:
    return Identity("any", kind, "a.so", (symbol_id,))


@pytest.mark.parametrize(
    ("identity", "asks"),
    [
        (of("code", PE_ID), (Ask(Wants.CODE, (PE_ID,), "a.so"),)),
        (of("debug", DEBUG_ID), (Ask(Wants.DEBUG, (DEBUG_ID,), "a.so"),)),
        (of("code"), (Ask(Wants.CODE, (BUILD,), "a.so"),)),
        (of("debug"), (Ask(Wants.DEBUG, (BUILD,)),)),
        (of("both"), (Ask(Wants.CODE, (BUILD,), "a.so"), Ask(Wants.DEBUG, (BUILD,)))),
    ],
)
def test_asks(identity: Identity, asks: tuple[Ask, ...]):
    assert identity.asks() == asks


@pytest.mark.parametrize(
    ("kind", "wants"),
    [
        ("code", {"code", "either", "section"}),
        ("debug", {"debug", "either", "section"}),
        ("both", {"code", "debug", "either", "section"}),
    ],
)
def test_answers(kind: str, wants: set[str]):
    assert {str(one) for one in Wants if of(kind).answers(one)} == wants


@pytest.mark.parametrize("kind", ["code", "debug", "both"])
@pytest.mark.parametrize("symbol_id", [BUILD, DEBUG_ID, PE_ID])
def test_a_file_answers_what_it_asks_for(kind: str, symbol_id):
    identity = of(kind, symbol_id)

    if kind != "both" or symbol_id is BUILD:
        assert all(identity.answers(ask.wants) for ask in identity.asks())


identities = st.builds(
    Identity,
    st.text(),
    st.sampled_from(["code", "debug", "both"]),
    st.text(),
    st.lists(st.sampled_from([BUILD, DEBUG_ID, PE_ID]), min_size=1).map(tuple),
    arch=st.none() | st.text(min_size=1),
    code_id=st.none() | st.text(min_size=1),
    debug_id=st.none() | st.text(min_size=1),
    debug_file=st.none() | st.text(min_size=1),
    build_id=st.none() | st.text(min_size=1),
    symbol_kind=st.sampled_from(["bin", "pri", "pub", "typ"]),
    notes=st.lists(st.text()).map(tuple),
)


@given(identity=identities)
def test_a_record_reads_back(identity: Identity):
    record = json.loads(json.dumps(identity.to_record()))

    assert Identity.from_record(record) == identity


def test_a_record_leaves_out_what_is_empty_and_ignores_what_it_does_not_know():
    record = of("code").to_record()

    assert record == {
        "format": "any",
        "kind": "code",
        "name": "a.so",
        "ids": [["build", BUILD.value]],
        "symbol_kind": "bin",
    }
    assert Identity.from_record(record | {"of_a_later_version": 1}) == of("code")
