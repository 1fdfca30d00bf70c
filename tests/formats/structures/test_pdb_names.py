"""The map of named streams."""

import pytest

from symsrv.formats.structures.pdb_names import map_offset, names_in, source_notes
from tests.made.pdb_builder import info_stream

NAMES = {"/names": 6, "srcsrv": 7, "sourcelink": 8, "sourcelink$1": 9, "/src/files/a.c": 10, "/src/files/b.c": 11}


def test_names_and_their_streams():
    assert names_in(info_stream(names=NAMES)) == NAMES


def test_the_map_begins_earlier_before_there_were_guids():
    assert map_offset(info_stream()) == 28
    assert map_offset(info_stream(version=19970604)) == 12


def test_notes_say_what_lies_beside():
    assert source_notes(info_stream(names=NAMES)) == (
        "source indexed (srcsrv)",
        "has Source Link",
        "embeds 2 source files",
    )
    assert source_notes(info_stream()) == ()


@pytest.mark.parametrize("cut", range(28, 120, 7))
def test_a_cut_map_says_nothing(cut):
    assert names_in(info_stream(names=NAMES)[:cut]) in (None, {})
    assert source_notes(info_stream(names=NAMES)[:cut]) == ()
