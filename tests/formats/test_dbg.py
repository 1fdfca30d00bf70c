import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symsrv.formats.base import BytesReader
from symsrv.formats.dbg import Dbg
from symsrv.layouts import keys
from symsrv.model.errors import NotIdentified
from symsrv.model.identity import DEBUG_INFO
from symsrv.model.ids import DEBUG, PE
from tests.made.dbg_builder import build_dbg, coff_symbols
from tests.made.pe_builder import GUID_TEXT, Entry, misc, nb10, rsds


def identified(data, name="made.dbg"):
    (found,) = Dbg().identify(BytesReader(data), name)
    return found


def refused(data):
    with pytest.raises(NotIdentified) as caught:
        Dbg().identify(BytesReader(data), "made.dbg")
    return caught.value.reason


def test_key_as_microsoft_documents_it():
    # Windows Debugger documentation, "symbol storage format": canon800.dbg\35d9fd51b000.
    found = identified(build_dbg(stamp=0x35D9FD51, image_size=0xB000), "canon800.dbg")

    assert keys(found)[0] == "canon800.dbg/35D9FD51b000/canon800.dbg"
    assert (found.format, found.kind, found.arch) == ("dbg", DEBUG_INFO, "x86")
    assert (found.debug_id, found.also, found.notes) == (None, (), ())


def test_stamp_keeps_its_leading_zero():
    assert identified(build_dbg(stamp=0x0A1B2C3D, image_size=0x400)).code_id == "0A1B2C3D400"


@pytest.mark.parametrize(("machine", "word"), [(0x184, "alpha"), (0x166, "mips"), (0x1F0, "ppc"), (0x200, "ia64")])
def test_machines_of_windows_nt(machine, word):
    data = build_dbg(machine=machine)

    assert Dbg().sniff(data[:64])
    assert identified(data).arch == word


def test_pdb_that_it_names():
    found = identified(build_dbg([Entry(misc("old.exe"), kind=4), Entry(nb10(age=112)), Entry(rsds())]))

    assert (found.debug_id, found.debug_file) == ("5555CD4F70", "old.pdb")
    assert [(one.kind, one.value) for one in found.also] == [(PE, "5555cd4f70"), (DEBUG, GUID_TEXT + "1")]


@pytest.mark.parametrize(
    ("entries", "kind"),
    [
        ([], "pub"),
        ([Entry(nb10())], "pub"),
        ([Entry(coff_symbols(), kind=1)], "pub"),
        ([Entry(coff_symbols(lines=7), kind=1)], "pri"),
        ([Entry(b"NB09" + bytes(5000))], "pri"),
    ],
)
def test_public_or_private_symbols(entries, kind):
    found = identified(build_dbg(entries))

    assert found.symbol_kind == kind
    assert found.notes == ()


def test_file_that_was_changed():
    assert identified(build_dbg(flags=0x8000)).notes == ("it was changed apart from its image",)


@pytest.mark.parametrize("size", [28, 0xFFFFFFFF])
def test_broken_debug_directory_is_only_a_note(size):
    assert identified(build_dbg(directory_size=size)).notes == ("its debug directory lies outside the file",)


def test_no_size():
    assert refused(build_dbg(image_size=0)) == "no-id"


@pytest.mark.parametrize("head", [b"", b"DI", b"DIARY OF A NOBODY", b"DI\0\0\0\0", b"MZ\0\0\x4c\1"])
def test_other_files_are_not_sniffed(head):
    assert not Dbg().sniff(head)


@pytest.mark.parametrize("data", [build_dbg([Entry(nb10()), Entry(coff_symbols(lines=1), kind=1), Entry(rsds())])])
def test_cut_anywhere(data):
    whole = identified(data)
    for size in range(len(data)):
        if size < 48:
            assert refused(data[:size]) == "truncated"
        else:
            assert identified(data[:size]).ids == whole.ids


@given(rest=st.binary(max_size=300))
def test_any_bytes_are_identified_or_not(rest):
    with contextlib.suppress(NotIdentified):
        Dbg().identify(BytesReader(b"DI\0\0\x4c\1" + rest), "made.dbg")
