import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symsrv.model.ask import Ask, Wants
from symsrv.model.identity import Identity
from symsrv.model.ids import (
    CORECLR_BUILD,
    CORECLR_UUID,
    PORTABLE_AGE,
    SymbolId,
    build_id,
    debug_id,
    pe_id,
    uuid_id,
    wasm_id,
)

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
    also=st.lists(st.sampled_from([BUILD, DEBUG_ID, PE_ID])).map(tuple),
    code_file=st.none() | st.text(min_size=1),
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


UUID_ID = uuid_id(b"\xcd" * 16)
RUNTIME = SymbolId(CORECLR_BUILD, "ef" * 20)
MAC_RUNTIME = SymbolId(CORECLR_UUID, "ef" * 16)


def test_a_mach_o_file_is_asked_for_as_an_elf_file_is():
    assert of("both", UUID_ID).asks() == (Ask(Wants.CODE, (UUID_ID,), "a.so"), Ask(Wants.DEBUG, (UUID_ID,)))
    assert of("debug", UUID_ID).asks() == (Ask(Wants.DEBUG, (UUID_ID,)),)


def test_a_web_assembly_module_is_asked_for_by_its_name():
    one = wasm_id(b"\xab" * 20)

    assert of("both", one).asks() == (Ask(Wants.EITHER, (one,), "a.so"),)


def test_further_ids_are_asked_for_if_they_say_the_same_in_another_way():
    portable, stamped, by_age = debug_id("0" * 32, PORTABLE_AGE), debug_id("0" * 32, 7), DEBUG_ID
    pdb = Identity("portable-pdb", "debug", "a.pdb", (portable,), also=(stamped, by_age))
    exe = Identity("pe", "code", "a.exe", (PE_ID,), also=(DEBUG_ID,))

    assert pdb.asks() == (Ask(Wants.DEBUG, (portable, stamped, by_age), "a.pdb"),)
    assert exe.asks() == (Ask(Wants.CODE, (PE_ID,), "a.exe"),)


@pytest.mark.parametrize("runtime", [RUNTIME, MAC_RUNTIME])
@pytest.mark.parametrize("own", [BUILD, UUID_ID, PE_ID])
def test_what_goes_with_a_runtime_is_asked_for_by_the_runtimes_id_last(runtime, own):
    identity = Identity("any", "code", "libmscordaccore.so", (own,), also=(DEBUG_ID, runtime))

    assert identity.asks() == (
        Ask(Wants.CODE, (own,), "libmscordaccore.so"),
        Ask(Wants.EITHER, (runtime,), "libmscordaccore.so"),
    )


def sym(**fields) -> Identity:
    return Identity("breakpad", "debug", "crash.sym", (DEBUG_ID,), **fields)


def test_text_symbols_are_asked_for_by_the_name_of_what_they_were_made_from():
    assert sym().asks() == (Ask(Wants.SYM, (DEBUG_ID,), "crash.sym"),)
    assert sym(debug_file="crash.pdb").asks() == (Ask(Wants.SYM, (DEBUG_ID,), "crash.pdb"),)
    assert sym(debug_file="crash.pdb", also=(PE_ID,)).asks() == (Ask(Wants.SYM, (DEBUG_ID,), "crash.pdb"),)
    assert sym(debug_file="crash.pdb", also=(PE_ID,), code_file="crash.exe").asks() == (
        Ask(Wants.SYM, (DEBUG_ID,), "crash.pdb"),
        Ask(Wants.SYM, (PE_ID,), "crash.exe"),
    )


@pytest.mark.parametrize("wants", list(Wants))
def test_text_symbols_answer_nobody_else(wants: Wants):
    assert sym().answers(wants) is (wants is Wants.SYM)
    assert not of("both").answers(Wants.SYM)
