"""Wants: asks of all dialects for one file are one want."""

from datetime import UTC, datetime

import pytest

from symsrv.layouts import parse_any
from symsrv.model.ask import Ask, Wants
from symsrv.model.ids import SymbolId, readings
from symsrv.model.wants import Want, WantState, ask_of, asked_only_of, ids_from_record, ids_to_record, want_key, wanted

GUID = "3249D99D0C4049318610F4E4FB0B6936"
BUILD_ID = "dfb85de42daffd09640c8fe377d572de3e168920"


@pytest.mark.parametrize(
    "paths",
    [
        (f"a.pdb/{GUID}1/a.pdb", f"A.PDB/{GUID.lower()}1/a.pd_", f"a.pdb/{GUID}1/A.pdb"),
        ("b.exe/5AB380779000/b.exe", "B.exe/5ab380779000/b.ex_"),
        (f"a.pdb/{GUID}1/a.sym", f"a.pdb/{GUID.lower()}1/a.sym"),
        (
            f"buildid/{BUILD_ID}/debuginfo",
            f"_.debug/elf-buildid-sym-{BUILD_ID}/_.debug",
            f"buildid/{BUILD_ID}/section/.text",
        ),
        (f"buildid/{BUILD_ID}/executable", f"libc.so/elf-buildid-{BUILD_ID}/libc.so", f"libc.so/{BUILD_ID}/libc.so"),
    ],
)
def test_asks_for_one_file_are_one_want(paths):
    assert len({want_key(parse_any(path)) for path in paths}) == 1


def test_what_is_not_the_same_file_is_another_want():
    paths = [
        f"a.pdb/{GUID}1/a.pdb",
        f"a.pdb/{GUID}2/a.pdb",
        f"b.pdb/{GUID}1/b.pdb",
        f"a.pdb/{GUID}1/a.sym",
        f"buildid/{BUILD_ID}/debuginfo",
        f"buildid/{BUILD_ID}/executable",
        "b.exe/5AB380779000/b.exe",
        "b.pdb/5AB380779000/b.pdb",
    ]
    assert len({want_key(parse_any(path)) for path in paths}) == len(paths)


def test_an_old_debug_file_has_an_id_like_a_program():
    assert wanted(Ask(Wants.EITHER, readings("5AB380779000"), "b.PDB")).wants is Wants.DEBUG
    assert wanted(Ask(Wants.EITHER, readings("5AB380779000"), "b.exe")).wants is Wants.CODE


def test_a_want_tells_what_json_promises():
    ids = (SymbolId("debug", f"{GUID.lower()}1"),)
    now = datetime(2026, 1, 2, tzinfo=UTC)

    record = Want(1, Ask(Wants.DEBUG, ids, "a.pdb"), WantState.OPEN, 3, now, now).to_record()

    assert record["name"] == "a.pdb"
    assert record["id"] == f"{GUID.lower()}1"
    assert record["state"] == "open"
    assert record["last"] == "2026-01-02T00:00:00+00:00"
    assert record["due"] is None
    assert ids_from_record(ids_to_record(ids)) == ids


def test_what_only_tails_wished_is_asked_of_their_upstreams():
    assert asked_only_of(["tail:vendor", "tail:mirror"]) == {"vendor", "mirror"}
    assert asked_only_of(["tail:vendor", "dump:crash.dmp"]) is None
    assert asked_only_of([]) is None


@pytest.mark.parametrize(
    "path",
    [
        f"a.pdb/{GUID}1/a.pdb",
        "b.exe/5AB380779000/B.exe",
        f"a.pdb/{GUID}1/a.sym",
        f"buildid/{BUILD_ID}/debuginfo",
        f"libc.so/elf-buildid-{BUILD_ID}/libc.so",
    ],
)
def test_an_ask_made_of_a_key_has_that_key(path):
    asked = parse_any(path)

    assert want_key(ask_of(want_key(asked))) == want_key(asked)
