"""The grammar of keys: which last segments agree with which names, and what is never a name."""

import pytest

from symsrv.layouts.grammar import asked_name, file_name, plain_ask
from symsrv.model.ask import Ask, Wants
from symsrv.model.ids import debug_id, pe_id

GUID = "3249D99D0C4049318610F4E4FB0B6936"


@pytest.mark.parametrize(
    ("name", "file", "expected"),
    [
        ("a.pdb", "a.pdb", ("a.pdb", False)),
        ("A.PDB", "a.pdb", ("A.PDB", False)),
        ("a.pdb", "a.pd_", ("a.pdb", True)),
        ("a.pd_", "a.pd_", ("a.pd_", False)),
        ("a.pdb", "b.pdb", None),
        ("..", "..", None),
        ("a\0b", "a\0b", None),
        ("nul.pdb", "nul.pdb", None),
    ],
)
def test_first_and_last_segment_agree_on_a_name(name, file, expected):
    assert asked_name(name, file) == expected


def test_a_name_that_is_packed_already_has_no_packed_twin():
    assert file_name("a.pdb", packed=False) == "a.pdb"
    assert file_name("a.pdb", packed=True) == "a.pd_"
    assert file_name("a.pd_", packed=True) is None


def test_plain_ids_are_read_in_every_sense():
    assert plain_ask("a.pdb", f"{GUID}1", "a.pdb") == Ask(Wants.EITHER, (debug_id(GUID, 1),), "a.pdb")
    ask = plain_ask("a.dll", "5AB380779000", "a.dl_")
    assert ask is not None
    assert ask.packed
    assert pe_id(0x5AB38077, 0x9000) in ask.ids
    assert plain_ask("a.dll", "nothex", "a.dll") is None
