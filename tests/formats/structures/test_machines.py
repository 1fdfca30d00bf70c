import pytest

from symsrv.formats.structures.machines import coff_machine, elf_machine, ready_to_run_target


@pytest.mark.parametrize(
    ("number", "word"),
    [
        (0x14C, "x86"),
        (0x8664, "x86_64"),
        (0x1C4, "arm"),
        (0xAA64, "arm64"),
        (0xA641, "arm64ec"),
        (0xA64E, "arm64x"),
        (0x184, "alpha"),
        (0xFD1D, "0xfd1d"),
        (0, None),
    ],
)
def test_coff_machines(number, word):
    assert coff_machine(number) == word


@pytest.mark.parametrize(
    ("number", "wide", "word"),
    [(3, False, "x86"), (62, True, "x86_64"), (183, True, "arm64"), (8, True, "mips64"), (8, False, "mips")],
)
def test_elf_machines(number, wide, word):
    assert elf_machine(number, wide=wide) == word


def test_machines_without_a_word_print_as_numbers():
    assert elf_machine(0xFEBA, wide=True) == "0xfeba"
    assert elf_machine(0, wide=True) is None


@pytest.mark.parametrize(
    ("number", "target"),
    [
        (0xFD1D, ("Linux", "x86_64")),
        (0xD11D, ("Linux", "arm64")),
        (0xEC20, ("Apple", "arm64")),
        (0x8664, None),
        (0x1234, None),
        (0, None),
    ],
)
def test_ready_to_run_for_other_systems(number, target):
    # dotnet/runtime, pedecoder.h: the machine is XORed with a word for the system.
    assert ready_to_run_target(number) == target
