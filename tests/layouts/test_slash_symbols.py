import pytest

from symsrv.layouts import parse_any
from symsrv.layouts.slash_symbols import SlashSymbols
from symsrv.model.ask import Ask, Wants
from symsrv.model.ids import build_id, debug_id

ELF = build_id(bytes.fromhex("dfb85de42daffd09640c8fe377d572de3e168920"))


@pytest.mark.parametrize("text", [ELF.value, ELF.value.upper()])
@pytest.mark.parametrize("leaf", ["symbols", "SYMBOLS"])
def test_reads(text: str, leaf: str):
    assert SlashSymbols().parse(f"eboot.bin/{text}/{leaf}") == Ask(Wants.DEBUG, (ELF,), "eboot.bin")


@pytest.mark.parametrize(
    "path",
    [
        f"eboot.bin/{ELF.value}/symbol",
        f"eboot.bin/{ELF.value}/symbols/x",
        f"eboot.bin/{ELF.value}",
        "eboot.bin//symbols",
        "eboot.bin/abc/symbols",
        f"con/{ELF.value}/symbols",
        f"../{ELF.value}/symbols",
        f"/{ELF.value}/symbols",
    ],
)
def test_refuses(path: str):
    assert SlashSymbols().parse(path) is None


@pytest.mark.parametrize("name", ["symbols", "Symbols"])
def test_a_program_of_that_name_is_asked_for_by_its_key(name: str):
    path = f"{name}/{ELF.value}/symbols"

    assert SlashSymbols().parse(path) is None
    assert SlashSymbols().paths(Ask(Wants.DEBUG, (ELF,), name)) == ()
    ask = parse_any(path)
    assert ask is not None
    assert (ask.wants, ask.name) == (Wants.EITHER, name)


def test_prints_both_cases():
    assert SlashSymbols().paths(Ask(Wants.DEBUG, (ELF,), "eboot.bin")) == (
        f"eboot.bin/{ELF.value}/symbols",
        f"eboot.bin/{ELF.value.upper()}/symbols",
    )


def test_has_no_path_for_what_it_does_not_carry():
    for ask in (
        Ask(Wants.CODE, (ELF,), "a"),
        Ask(Wants.SYM, (ELF,), "a"),
        Ask(Wants.DEBUG, (ELF,)),
        Ask(Wants.DEBUG, (ELF,), "a", packed=True),
        Ask(Wants.DEBUG, (debug_id("0" * 32, 1),), "a"),
    ):
        assert SlashSymbols().paths(ask) == ()
