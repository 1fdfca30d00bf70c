"""Only what answers the ask by its own content is kept."""

import gzip

import pytest

from symsrv.mirror.base import Fetched, WrongContent
from symsrv.mirror.checking import check
from symsrv.model.ask import Ask, Wants
from symsrv.model.ids import build_id, debug_id
from tests.made.elf_builder import BUILD_ID, DEBUG, build_elf
from tests.made.pdb_builder import GUID_TEXT, MINI, build_pdb, info_stream

PDB = build_pdb()
ID = debug_id(GUID_TEXT, 1)
ASK = Ask(Wants.DEBUG, (ID,), "Crash.pdb")


def came(tmp_path, body, **more):
    path = tmp_path / "body.part"
    path.write_bytes(body)
    return Fetched(path, len(body), **more)


def test_the_right_file_is_kept_under_the_askers_name(tmp_path):
    checked = check(came(tmp_path, PDB, name="../../other.pdb"), ASK)

    assert checked.path.read_bytes() == PDB
    assert (checked.name, checked.size) == ("Crash.pdb", len(PDB))
    assert [one.ids for one in checked.identities] == [(ID,)]


def test_what_came_wrapped_is_unwrapped(tmp_path):
    body = gzip.compress(PDB)
    checked = check(came(tmp_path, body, encoding="gzip", notes=["a note"]), ASK)

    assert checked.path.read_bytes() == PDB
    assert checked.notes == ("a note",)


@pytest.mark.parametrize(
    ("body", "ask", "reason"),
    [
        (PDB, Ask(Wants.DEBUG, (debug_id(GUID_TEXT, 2),), "crash.pdb"), "wrong-file"),
        (PDB, Ask(Wants.CODE, (ID,), "crash.pdb"), "wrong-file"),
        (PDB, Ask(Wants.SYM, (ID,), "crash.pdb", "crash.sym"), "wrong-file"),
        (PDB[:-4096], ASK, "damaged"),
        (gzip.compress(PDB, mtime=0)[:-9], ASK, "damaged"),
        (b"", ASK, "empty"),
        (b"what is this", ASK, "wrong-file"),
        (b"\n<!DOCTYPE html><html>no such file", ASK, "login-page"),
        (gzip.compress(b"<html>no such file", mtime=0), ASK, "login-page"),
    ],
)
def test_what_is_wrong_is_told_and_deleted(tmp_path, body, ask, reason):
    with pytest.raises(WrongContent) as caught:
        check(came(tmp_path, body), ask)

    assert caught.value.reason == reason
    assert not list(tmp_path.iterdir())


def test_a_file_of_no_use_says_why(tmp_path):
    fastlink = build_pdb(info=info_stream(features=(20140508, MINI)))
    with pytest.raises(WrongContent) as caught:
        check(came(tmp_path, fastlink), ASK)

    assert caught.value.reason == "fastlink"


@pytest.mark.parametrize(
    ("called", "name"),
    [
        ("/usr/lib/debug/libc.so.6.debug", "libc.so.6.debug"),
        ("..", f"{BUILD_ID.hex()}.debug"),
        ("C:\\con", f"{BUILD_ID.hex()}.debug"),
        (None, f"{BUILD_ID.hex()}.debug"),
    ],
)
def test_a_file_that_was_asked_for_by_its_id_alone_gets_a_name_that_may_be_one(tmp_path, called, name):
    ask = Ask(Wants.DEBUG, (build_id(BUILD_ID),))

    assert check(came(tmp_path, build_elf(parts=(DEBUG,)), name=called), ask).name == name


def test_breakpad_symbols_are_called_as_they_are_asked_for(tmp_path):
    text = f"MODULE windows x86_64 {GUID_TEXT.upper()}1 crash.pdb\nFILE 0 a.c\n".encode()

    assert check(came(tmp_path, text), Ask(Wants.SYM, (ID,), "crash.pdb", "crash.pdb.sym")).name == "crash.pdb.sym"
    assert check(came(tmp_path, text), Ask(Wants.SYM, (ID,), "crash.pdb")).name == "crash.sym"
