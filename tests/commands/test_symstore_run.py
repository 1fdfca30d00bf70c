"""What add, del and query of symstore's command line do to a store, and what they say of each file."""

import re

import pytest

from symsrv.commands.symstore_run import _place
from tests.commands.test_symstore_files import STRIPPED
from tests.ingest.files import build, pdb, pe, written, zipped
from tests.made.pdb_builder import build_pdb

EXE = "app.exe/100000013000/app.exe"
PDB = "app.pdb/000000011514171618191A1B1C1D1E1F1/app.pdb"


@pytest.fixture
def store(tmp_path):
    return tmp_path / "store"


@pytest.fixture
def symstore(run, store):
    return lambda action, *words: run("symstore", action, "/s", store, *words)


@pytest.fixture
def add(symstore):
    return lambda *words: symstore("add", "/t", "App", *words)


def counts(done):
    return {what: int(number) for what, number in re.findall(r"^SYMSTORE: Number of (.*) = (.*)$", done.out, re.M)}


def test_a_folder_is_published_and_what_is_no_symbol_is_counted(run, add, store, tmp_path):
    done = add("/r", "/f", build(tmp_path / "out"), "/v", "1.2", "/c", "nightly")

    assert (done.code, done.err) == (0, "")
    assert done.out == (
        "Finding ID...  0000000001\n\n"
        "SYMSTORE: Number of files stored = 3\n"
        "SYMSTORE: Number of errors = 0\n"
        "SYMSTORE: Number of files ignored = 1\n"
    )
    (line,) = run("history", "--store", store, "--json").lines
    assert [line[what] for what in ("product", "version", "comment")] == ["App", "1.2", "nightly"]


def test_o_says_what_becomes_of_each_file(add, store, tmp_path):
    exe, notes = written(tmp_path / "app.exe", pe()), written(tmp_path / "notes.txt", b"text")

    for _twice in range(2):
        done = add("/f", exe, "/f", notes, "/o")

    assert done.out.splitlines()[:5] == [
        "SYMSTORE MESSAGE: LastId.txt reported id 2",
        "SYMSTORE MESSAGE: Final id is 0000000002",
        f"SYMSTORE MESSAGE: Copying {exe} to {store}/{EXE} [Force: T, Compress: F]",
        f"SYMSTORE MESSAGE: Skipping file {notes} - not a known file type. ErrorLevel is 13.",
        "",
    ]
    assert counts(done)["files stored"] == 1


def test_decided_by_content_and_not_by_the_name(add, store, tmp_path):
    add("/f", written(tmp_path / "plugin.xop", pe()), "/f", written(tmp_path / "fake.pdb", b"text"))

    assert (store / "plugin.xop" / "100000013000" / "plugin.xop").is_file()
    assert not (store / "fake.pdb").exists()


def test_other_bytes_take_the_place_unless_noforcecopy(add, store, tmp_path):
    path = written(tmp_path / "app.exe", pe())
    add("/f", path)
    written(path, pe(tail=b"signed"))

    kept = add("/f", path, "-:NOFORCECOPY", "/o", "--strict")
    before = (store / EXE).read_bytes()
    forced = add("/f", path, "/o")

    assert (kept.code, counts(kept)["files ignored"]) == (0, 1)
    assert "-:NOFORCECOPY keeps" in kept.out
    assert before == pe()
    assert "[Force: T" in forced.out
    assert (store / EXE).read_bytes() == pe(tail=b"signed")


def test_an_archive_is_no_known_file_type(add, store, tmp_path):
    path = written(tmp_path / "a.zip", zipped({"app.exe": pe()}))

    done = add("/f", path, "/o")

    assert f"Skipping file {path} - not a known file type. ErrorLevel is 13." in done.out
    assert counts(done) == {"files stored": 0, "errors": 0, "files ignored": 1}
    assert "Final id" not in done.out
    assert not (store / "000Admin").exists()


def test_a_file_that_fails_is_told_and_the_exit_code_is_0_unless_strict(add, tmp_path):
    good, broken = written(tmp_path / "app.exe", pe()), written(tmp_path / "broken.pdb", pdb()[:5000])

    lenient = add("/f", good, "/f", broken)

    assert lenient.code == 0
    assert re.search(rf"^SYMSTORE ERROR: Class: Runtime\. Desc: {re.escape(str(broken))}.+", lenient.out, re.M)
    assert counts(lenient) == {"files stored": 1, "errors": 1, "files ignored": 0}
    assert add("/f", good, "/f", broken, "--strict").code == 3
    assert add("/f", broken, "--strict").code == 1
    assert add("/f", tmp_path / "nowhere.pdb", "--strict").code == 1
    assert add("/f", written(tmp_path / "notes.txt", b"text"), "--strict").code == 0


def test_a_pattern_without_files_breaks_no_build(add, tmp_path):
    done = add("/f", tmp_path / "*.sys")

    assert done.code == 0
    assert done.out.startswith(f"SYMSTORE: nothing matches {tmp_path}")
    assert counts(done) == {"files stored": 0, "errors": 0, "files ignored": 0}
    assert add("/f", tmp_path / "*.sys", "--strict").code == 1


def test_norefs_is_taken_and_refs_are_written(add, store, tmp_path):
    done = add("/f", written(tmp_path / "app.exe", pe()), "-:NOREFS", "/l", "/o")

    assert "refs.ptr is written" in done.out
    assert (store / EXE).with_name("refs.ptr").is_file()


def test_z_and_h(add, store, tmp_path):
    public, private = (
        written(tmp_path / "pub" / "app.pdb", STRIPPED),
        written(tmp_path / "pri" / "app.pdb", build_pdb()),
    )

    passed_over = add("/f", public, "/z", "pri", "/o")
    add("/f", private)
    kept = add("/f", public, "/h", "pri", "/o")
    replaced = add("/f", public, "/h", "pub")

    assert "- /z takes only private symbols." in passed_over.out
    assert "- /h prefers the private symbols" in kept.out
    assert counts(kept) == {"files stored": 0, "errors": 0, "files ignored": 1}
    assert counts(replaced)["files stored"] == 1


def test_a_delete(run, symstore, add, store, tmp_path):
    exe, other = written(tmp_path / "app.exe", pe()), written(tmp_path / "app.pdb", pdb())
    add("/f", exe, "/f", other)
    add("/f", other)

    done = symstore("del", "/i", "0000000001", "/o", "/c", "mistake")

    assert done.code == 0
    assert done.out == (
        "SYMSTORE MESSAGE: LastId.txt reported id 3\n"
        "SYMSTORE MESSAGE: Final id is 0000000003\n"
        f"SYMSTORE MESSAGE: Deleting {store}/{EXE}\n"
        f"SYMSTORE MESSAGE: Keeping {store}/{PDB}, still held\n"
        "\n"
        "SYMSTORE: Number of files deleted = 1\n"
        "SYMSTORE: Number of files kept = 1\n"
        "SYMSTORE: Number of errors = 0\n"
    )
    assert run("history", "--store", store, "--json").lines[-1]["comment"] == "mistake"


def test_a_delete_of_what_is_not_there(symstore, add, store, tmp_path):
    assert symstore("del", "/i", "1").code == 10
    add("/f", written(tmp_path / "app.exe", pe()))

    done = symstore("del", "/i", "7")

    assert done.code == 12
    assert done.out.startswith("SYMSTORE ERROR: Class: Runtime. Desc: no live transaction 0000000007 in ")


def test_a_query_says_of_each_file_whether_it_is_there(symstore, add, store, tmp_path):
    exe = written(tmp_path / "app.exe", pe())
    add("/f", exe)
    written(tmp_path / "other" / "app.exe", pe(tail=b"signed"))
    written(tmp_path / "other" / "app.pdb", pdb())
    written(tmp_path / "other" / "broken.pdb", pdb()[:5000])
    written(tmp_path / "other" / "notes.txt", b"text")
    written(tmp_path / "other" / "z.zip", zipped({"app.exe": pe()}))
    before = sorted(store.rglob("*"))

    done = symstore("query", "/r", "/f", exe, "/f", tmp_path / "other" / "*.*")

    assert (done.code, counts(done)) == (
        0,
        {"files found": 1, "files found with other bytes": 1, "files not found": 1, "errors": 1, "files ignored": 2},
    )
    lines = done.out.splitlines()
    assert lines[0] == f"SYMSTORE: {exe} is stored as {store}/{EXE}"
    assert lines[1].endswith(f"is stored with other bytes, as {store}/{EXE}")
    assert lines[2].endswith(f"is not stored; it would be {store}/{PDB}")
    assert lines[3].startswith("SYMSTORE ERROR: Class: Runtime. Desc: ")
    assert sorted(store.rglob("*")) == before


def test_a_strict_query_has_an_honest_exit_code(symstore, add, tmp_path):
    exe, other = written(tmp_path / "app.exe", pe()), written(tmp_path / "app.pdb", pdb())
    assert symstore("query", "/f", exe).code == 10
    add("/f", exe)

    assert [symstore("query", "--strict", "/f", exe, *more).code for more in ([], ["/f", other])] == [0, 3]
    assert symstore("query", "--strict", "/f", other).code == 1


def test_places_are_spelled_as_the_store_is():
    assert _place("\\\\server\\symbols\\", "a/b/c") == "\\\\server\\symbols\\a\\b\\c"
    assert _place("D:", "a/b/c") == "D:\\a\\b\\c"
    assert _place("s3://bucket/x", "a/b/c") == "s3://bucket/x/a/b/c"


def test_compress_keeps_each_file_as_a_cabinet(add, store, tmp_path):
    path = written(tmp_path / "app.pdb", pdb())

    done = add("/f", path, "/compress", "/o")

    packed = (store / PDB).with_name("app.pd_")
    assert " [Force: T, Compress: T]\n" in done.out
    assert packed.read_bytes()[:4] == b"MSCF"
    assert not (store / PDB).exists()
    assert packed.with_name("refs.ptr").read_bytes().endswith(b",pri,,Y,,")


def test_3_makes_a_new_store_of_two_tiers(add, store, tmp_path):
    add("/f", written(tmp_path / "app.exe", pe()), "/3")

    assert (store / "index2.txt").is_file()
    assert (store / "ap" / EXE).is_file()
