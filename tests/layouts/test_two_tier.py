import pytest

from symsrv.layouts.breakpad import Breakpad
from symsrv.layouts.ssqp import Ssqp
from symsrv.layouts.symstore import Symstore
from symsrv.layouts.two_tier import TwoTier
from symsrv.model.ask import Ask, Wants
from symsrv.model.ids import build_id, pe_id

LAYOUT = TwoTier(Symstore(), Ssqp(), Breakpad())


@pytest.mark.parametrize(
    ("prefix", "name"),
    [
        ("cr", "crash.exe"),
        ("CR", "crash.exe"),
        ("cr", "CRASH.EXE"),
        ("a", "a.dll"),  # symbolicator
        ("a.", "a.dll"),  # PerfView
        ("ab", "ab"),
        ("x", "x"),
        ("grö"[1:], "röße.dll"),
    ],
)
def test_prefix_variants(prefix: str, name: str):
    one_tier = f"{name}/5AB380779000/{name}"

    assert LAYOUT.parse(f"{prefix}/{one_tier}") == Symstore().parse(one_tier)


@pytest.mark.parametrize("prefix", ["", "c", "ra", "cra", "crash.exe", "..", ".", "c/r", "\0"])
def test_refuses_another_prefix(prefix: str):
    assert LAYOUT.parse(f"{prefix}/crash.exe/5AB380779000/crash.exe") is None


def test_refuses_what_no_inner_layout_reads():
    assert LAYOUT.parse("cr/crash.exe/5AB380779000/file.ptr") is None
    assert LAYOUT.parse("crash.exe/5AB380779000/crash.exe") is None


@pytest.mark.parametrize("prefix", ["_", "_."])
def test_debug_files_of_elf(prefix: str):
    one_tier = f"_.debug/elf-buildid-sym-{'ab' * 20}/_.debug"

    assert LAYOUT.parse(f"{prefix}/{one_tier}") == Ask(Wants.DEBUG, (build_id(b"\xab" * 20),))


def test_breakpad_files():
    ask = LAYOUT.parse("xu/xul.dll/652DE0ED706D000/xul.sym")

    assert ask is not None
    assert ask.wants is Wants.SYM


def test_prints_every_prefix():
    assert LAYOUT.paths(Ask(Wants.CODE, (pe_id(1, 0x1000),), "a.dll")) == (
        "a/a.dll/000000011000/a.dll",
        "a./a.dll/000000011000/a.dll",
    )
    assert LAYOUT.paths(Ask(Wants.CODE, (pe_id(1, 0x1000),), "Foo.dll")) == (
        "Fo/Foo.dll/000000011000/Foo.dll",
        "fo/foo.dll/000000011000/foo.dll",
    )


@pytest.mark.parametrize("prefix", ["fo", "FO"])
def test_keys_of_four_segments(prefix: str):
    one_tier = f"foo.pdb/{'ab' * 16}1/msfz0/foo.pdb"

    assert LAYOUT.parse(f"{prefix}/{one_tier}") == Ssqp().parse(one_tier)
    assert LAYOUT.parse(f"{prefix}/{prefix}/{one_tier}") is None
