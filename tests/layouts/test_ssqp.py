import pytest

from symsrv.layouts.ssqp import Ssqp
from symsrv.model.ask import Ask, Wants
from symsrv.model.ids import build_id, debug_id, pe_id

SHORT = build_id(bytes.fromhex("001ba81f23966cf77e40bcbb0701cd34"))
PADDED = SHORT.value + "00000000"
GUID = "497b72f6390a44fc878e5a2d63b6cc4b"


@pytest.mark.parametrize("text", [SHORT.value, PADDED, PADDED.upper()])
def test_padded_and_unpadded(text: str):
    ask = Ssqp().parse(f"_.debug/elf-buildid-sym-{text}/_.debug")

    assert ask is not None
    assert SHORT in ask.ids
    assert (ask.wants, ask.name) == (Wants.DEBUG, None)


def test_the_exact_build_id_comes_first():
    ask = Ssqp().parse(f"a/elf-buildid-{PADDED}/a")

    assert ask is not None
    assert [one.value for one in ask.ids] == [PADDED, PADDED[:-2], PADDED[:-4], PADDED[:-6], SHORT.value]


def test_code_keeps_its_name():
    assert Ssqp().parse(f"libA.so/elf-buildid-{SHORT.value}/liba.so") == Ask(Wants.CODE, (SHORT,), "libA.so")


def test_an_underscore_is_any_name():
    assert Ssqp().parse(f"_/elf-buildid-{SHORT.value}/_") == Ask(Wants.CODE, (SHORT,))


def test_packed_form():
    assert Ssqp().parse(f"_.debug/elf-buildid-sym-{SHORT.value}/_.debu_") == Ask(Wants.DEBUG, (SHORT,), packed=True)


@pytest.mark.parametrize(
    "path",
    [
        f"a/elf-buildid-{SHORT.value}/b",
        f"a/elf-buildid-{SHORT.value}0/a",
        "a/elf-buildid-sym-/a",
        f"a/elf-buildid-coreclr-{SHORT.value}/a",
        f"a/mach-uuid-{GUID}/a",
        f"../elf-buildid-{SHORT.value}/..",
    ],
)
def test_refuses(path: str):
    assert Ssqp().parse(path) is None


@pytest.mark.parametrize(
    ("ask", "path"),
    [
        (Ask(Wants.CODE, (pe_id(0x542D574E, 0xC2000),), "Foo.exe"), "foo.exe/542D574Ec2000/foo.exe"),
        (Ask(Wants.DEBUG, (debug_id(GUID, 26),), "Foo.pdb"), f"foo.pdb/{GUID}1a/foo.pdb"),
        (Ask(Wants.DEBUG, (debug_id(GUID, 0xFFFFFFFF),), "Foo.pdb"), f"foo.pdb/{GUID}FFFFFFFF/foo.pdb"),
        (Ask(Wants.DEBUG, (debug_id(GUID, 1),), "Foo.pdb", packed=True), f"foo.pdb/{GUID}1/foo.pd_"),
    ],
)
def test_prints_as_dotnet_symbol_asks(ask: Ask, path: str):
    assert Ssqp().paths(ask) == (path,)


def test_prints_both_lengths_of_a_build_id():
    assert Ssqp().paths(Ask(Wants.DEBUG, (SHORT,))) == (
        f"_.debug/elf-buildid-sym-{SHORT.value}/_.debug",
        f"_.debug/elf-buildid-sym-{PADDED}/_.debug",
    )
    assert Ssqp().paths(Ask(Wants.CODE, (SHORT,), "MD5")) == (
        f"md5/elf-buildid-{SHORT.value}/md5",
        f"md5/elf-buildid-{PADDED}/md5",
        f"md5/{SHORT.value}/md5",
    )


def test_prints_an_underscore_for_any_name():
    twenty = build_id(b"\x01" * 20)

    assert Ssqp().paths(Ask(Wants.CODE, (twenty,))) == (f"_/elf-buildid-{twenty.value}/_",)


def test_has_no_path_for_what_it_does_not_carry():
    assert Ssqp().paths(Ask(Wants.SYM, (SHORT,), "a")) == ()
    assert Ssqp().paths(Ask(Wants.DEBUG, (debug_id(GUID, 1),))) == ()
