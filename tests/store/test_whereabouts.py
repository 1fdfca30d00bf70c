"""Whereabouts: each reason from a real store, and what a reason leads to."""

from dataclasses import replace
from functools import partial

import pytest

from symsrv.layouts import home, parse_any
from symsrv.model.ask import Ask, Wants
from symsrv.model.ids import SymbolId, debug_id
from symsrv.store.whereabouts import SENTENCES, Why, whereabouts
from tests.crash.publishing import draft, image
from tests.store.offered import BUILD, ELF, ELF_DEBUG, EXE, GUID, PDB, SYM, put_into
from tests.store.stores import add_as_symstore_does


@pytest.fixture
def store(opened):
    return opened()


@pytest.fixture
def put(store, tmp_path):
    return partial(put_into, store, tmp_path)


def why(store, asked):
    store.catch_up()
    found = whereabouts(store, asked if isinstance(asked, Ask) else parse_any(asked))
    assert found.sentence
    return found


def reasons(found):
    return [one.reason for one in found.sights]


def test_here(store, put):
    put(PDB)
    put(PDB, version="2.0")

    found = why(store, home(PDB).lower())

    assert (found.reason, found.here, found.mend) == ("here", True, "")
    assert [(one.key, one.size, one.transaction, one.product, one.version) for one in found.sights] == [
        (home(PDB), 5, 2, "app", "2.0"),
        (home(PDB), 5, 1, "app", "1.0"),
    ]


def test_here_by_hand(store, tmp_path):
    path = tmp_path / "store" / home(PDB)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"by hand")

    (sight,) = why(store, home(PDB)).sights

    assert (sight.reason, sight.key, sight.size, sight.transaction) == ("here", home(PDB), 7, None)


def test_nothing_is_known(store, put):
    put(PDB)

    found = why(store, "other.pdb/11111111222233334444555566667777A/other.pdb")

    assert (found.reason, found.here, found.sights) == ("never-seen", False, ())
    assert "publish" in found.mend


def test_other_bytes_were_refused(store, put):
    put(PDB)
    put(PDB, data=b"other", version="2.0")

    found = why(store, home(PDB))

    assert (found.reason, found.here) == ("conflict", True)
    assert [(one.reason, one.transaction, one.version) for one in found.sights] == [
        ("conflict", 2, "2.0"),
        ("here", 1, "1.0"),
    ]
    assert "--replace" in found.mend


def test_a_refused_file_that_was_put_in_place_later_is_no_conflict(store, put):
    put(PDB)
    put(PDB, data=b"other")
    put(PDB, data=b"other", replacing=True)

    assert why(store, home(PDB)).reason == "here"


def test_what_was_refused_can_be_published_once_the_other_is_gone(store, put):
    put(PDB)
    put(PDB, data=b"other")
    store.delete([1])

    found = why(store, home(PDB))

    assert (found.reason, found.here, reasons(found)) == ("conflict", False, ["conflict", "deleted"])
    assert "nothing is in its way" in found.mend


def test_deleted(store, put):
    put(PDB)
    put(PDB, version="2.0")
    store.delete([1])
    assert why(store, home(PDB)).reason == "here"
    store.delete([2])

    found = why(store, home(PDB).upper())

    assert found.reason == "deleted"
    assert [(one.transaction, one.version, one.deleted_by) for one in found.sights] == [(2, "2.0", 4), (1, "1.0", 3)]


def test_deleted_from_a_bucket_before_anything_is_removed(opened, bucket, tmp_path):
    store = opened(bucket)
    store.commit(draft(store, image(tmp_path, "a.dll")))
    store.delete([1])

    assert why(store, "a.dll/5AB380779000/a.dll").reason == "deleted"


def test_gone_behind_our_back(store, put, tmp_path):
    put(PDB)
    (tmp_path / "store" / home(PDB)).unlink()

    found = why(store, home(PDB))

    assert (found.reason, found.here, reasons(found)) == ("lost", False, ["lost"])
    assert found.sights[0].transaction == 1

    store.index.drop_files([home(PDB)])  # as verify may
    assert why(store, home(PDB)).reason == "lost"


def test_the_program_of_a_pdb_is_here(store, put):
    put(EXE)

    found = why(store, home(PDB))

    assert (found.reason, [one.key for one in found.sights]) == ("half", [home(EXE)])


@pytest.mark.parametrize(
    ("here", "asked"),
    [
        (ELF, Ask(Wants.DEBUG, (BUILD,))),
        (ELF, f"libfoo.so.debug/{BUILD.value}/libfoo.so.debug"),
        (ELF_DEBUG, Ask(Wants.CODE, (BUILD,))),
        (ELF_DEBUG, f"libfoo.so/elf-buildid-{BUILD.value}/libfoo.so"),
    ],
)
def test_one_half_of_what_has_a_build_id(store, put, here, asked):
    put(here)

    found = why(store, asked)

    assert (found.reason, [one.key for one in found.sights]) == ("half", [home(here)])


@pytest.mark.parametrize(
    ("here", "asked"),
    [
        (SYM, home(PDB)),
        (PDB, home(SYM)),
        (replace(PDB, format="msfz", ids=(SymbolId("msfz", f"{GUID}1"),)), home(PDB)),
        (PDB, f"{home(PDB)[:-1]}_"),
    ],
)
def test_another_form(store, put, here, asked):
    put(here)

    found = why(store, asked)

    assert (found.reason, [one.key for one in found.sights]) == ("other-form", [home(here)])


def test_another_name(store, put):
    put(EXE)

    found = why(store, "renamed.dll/5AB380779000/renamed.dll")

    assert (found.reason, [one.key for one in found.sights]) == ("other-name", [home(EXE)])


def test_other_builds_the_same_guid_first_then_the_newest(store, put):
    put(replace(PDB, ids=(debug_id(GUID, 7),)), version="0.9")
    for number in range(1, 8):
        put(replace(PDB, name="Crash.pdb", ids=(debug_id(f"{number:032x}", 1),)), version=f"{number}.0")

    found = why(store, home(PDB))

    assert found.reason == "other-id"
    assert [one.version for one in found.sights] == ["0.9", "7.0", "6.0", "5.0", "4.0"]


def test_other_builds_of_the_program_do_not_count_its_pdb(store, put):
    put(replace(PDB, name="crash.exe"))

    assert why(store, Ask(Wants.CODE, EXE.ids, "crash.exe")).reason == "never-seen"


def test_the_record(store, put):
    put(PDB)

    record = why(store, home(PDB)).to_record()

    assert (record["reason"], record["here"], record["mend"]) == ("here", True, "")
    (sight,) = record["sights"]
    assert (sight["transaction"], sight["deleted_by"], sight["size"]) == ("0000000001", None, 5)
    assert sight["time"].endswith("+00:00")


def test_every_reason_has_its_sentence():
    assert set(SENTENCES) == set(Why)


@pytest.mark.parametrize("followed", [False, True])
def test_only_a_pointer_is_here(opened, tmp_path, followed):
    target = image(tmp_path / "out", "a.dll")
    data = f"PATH:{target}".encode()
    add_as_symstore_does(tmp_path / "store", target, kind="ptr", stored="file.ptr", data=data)
    store = opened(pointer_roots=[tmp_path / "out"] if followed else [])

    found = why(store, "a.dll/5AB380779000/a.dll")

    assert (found.reason, found.here, found.mend == "") == ("pointer", followed, followed)
    (sight,) = found.sights
    assert (sight.key, sight.transaction) == ("a.dll/5AB380779000/file.ptr", 1)
    assert sight.size == (target.stat().st_size if followed else None)
