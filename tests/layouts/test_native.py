import pytest

from symsrv.layouts.native import Native
from symsrv.model.ask import Ask, Wants
from symsrv.model.ids import BUILD, WASM, SymbolId, build_id, debug_id, wasm_id

HEX = "dfb85de42daffd09640c8fe377d572de3e168920"
ELF = build_id(bytes.fromhex(HEX))
LONG = wasm_id(bytes(range(100)))


@pytest.mark.parametrize(("tail", "wants"), [("", Wants.CODE), (".debug", Wants.DEBUG), (".DEBUG", Wants.DEBUG)])
@pytest.mark.parametrize("root", ["", ".build-id/", ".Build-Id/"])
@pytest.mark.parametrize("spell", [str.lower, str.upper])
def test_reads_either_tree(root: str, tail: str, wants: Wants, spell):
    ask = Native().parse(f"{root}{spell(HEX[:2])}/{spell(HEX[2:])}{tail}")

    assert ask == Ask(wants, (ELF, SymbolId(WASM, HEX)))


def test_takes_off_the_zeros_that_dotnet_adds():
    ask = Native().parse(f"df/{HEX[2:32]}00000000.debug")

    assert ask is not None
    assert SymbolId(BUILD, HEX[:32]) in ask.ids


@pytest.mark.parametrize(
    "path",
    [
        "df",
        "df/",
        "df/.debug",
        f"d/{HEX[1:]}",
        f"dfb/{HEX[3:]}",
        f"df/{HEX[3:]}",
        f"df/{HEX[2:]}.dbg",
        f"df/{HEX[2:]}/x",
        f"df/{HEX[2:]}.debug.debug",
        f"{HEX}.debug",
        f".build-id/{HEX}",
        "dg/" + HEX[2:],
        "../" + HEX[2:],
    ],
)
def test_refuses(path: str):
    assert Native().parse(path) is None


def test_prints():
    assert Native().paths(Ask(Wants.EITHER, (ELF, SymbolId(WASM, HEX)), "a.so")) == (
        f"df/{HEX[2:]}",
        f".build-id/df/{HEX[2:]}",
        f"df/{HEX[2:]}.debug",
        f".build-id/df/{HEX[2:]}.debug",
    )
    assert Native().paths(Ask(Wants.CODE, (LONG,))) == (f"00/{LONG.value[2:]}", f".build-id/00/{LONG.value[2:]}")


def test_has_no_path_for_what_it_does_not_carry():
    for ask in (
        Ask(Wants.SYM, (ELF,)),
        Ask(Wants.DEBUG, (ELF,), packed=True),
        Ask(Wants.DEBUG, (debug_id("0" * 32, 1),)),
        Ask(Wants.DEBUG, (build_id(b"a"),)),
    ):
        assert Native().paths(ask) == ()
