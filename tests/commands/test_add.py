"""`symsrv add`: what it prints, what it leaves, and its exit codes."""

import os
import signal
import subprocess
import sys
import tempfile
import time
import zipfile

import pytest

from tests.ingest.files import build, damaged, elf, pdb, pe, written, zipped


@pytest.fixture
def store(tmp_path):
    return tmp_path / "store"


def test_a_folder_is_published_into_a_store_that_is_made_for_it(run, tmp_path, store):
    out = build(tmp_path / "out")

    done = run("add", out, "--store", store, "--product", "app", "--version", "1", "--comment", "c", "--tag", "t")

    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[0] == f"stored   {out / 'app1.exe'}  app1.exe/100000013000/app1.exe"
    assert lines[-1] == "transaction 0000000001: 3 stored, 0 present, 1 ignored"
    assert (store / "app1.exe" / "100000013000" / "app1.exe").read_bytes() == pe()


def test_json_has_a_line_per_file_and_a_summary(run, tmp_path, store):
    out = build(tmp_path / "out")

    lines = run("add", out, "--store", store, "--json").lines

    assert [line.get("status") for line in lines] == ["stored", "stored", "ignored", "stored", None]
    assert lines[0].keys() == {"path", "key", "status", "sha256"}
    assert lines[2].keys() == {"path", "key", "status", "reason", "error"}
    assert lines[-1] == {
        "type": "summary",
        "transaction": "0000000001",
        "stored": 3,
        "present": 0,
        "ignored": 1,
        "conflicts": 0,
        "errors": 0,
    }


def test_exit_codes(run, tmp_path, store):
    out = build(tmp_path / "out")
    broken = written(tmp_path / "broken.pdb", pdb()[:5000])

    assert run("add", out, broken, "--store", store).code == 3
    assert run("add", broken, "--store", store).code == 1
    assert run("add", tmp_path / "nowhere", "--store", store).code == 1
    assert run("add", out / "notes.txt", "--store", store).code == 0
    assert run("add", out, "--strict", "--store", store).code == 3
    assert run("add", out / "notes.txt", "--strict", "--store", store).code == 1
    assert run("add", f"@{tmp_path / 'nowhere'}", "--store", store).code == 2
    assert run("add", "--store", store).code == 2
    assert run("add", out).code == 2


def test_a_failure_is_told_on_stderr(run, tmp_path, store):
    done = run("add", written(tmp_path / "broken.pdb", pdb()[:5000]), "--store", store)

    assert "broken.pdb" in done.err
    assert done.out == "no transaction: 0 stored, 0 present, 0 ignored, 1 error\n"


def test_no_file_at_all_is_a_warning_and_with_strict_a_failure(run, tmp_path, store):
    (tmp_path / "empty").mkdir()

    done = run("add", tmp_path / "empty", "--store", store)

    assert done.code == 0
    assert "no file" in done.err
    assert run("add", tmp_path / "empty", "--store", store, "--strict").code == 1


def test_a_conflict_stays_until_replace(run, tmp_path, store):
    path = written(tmp_path / "app.exe", pe())
    run("add", path, "--store", store)
    written(path, pe(tail=b"signed"))

    refused = run("add", path, "--store", store)
    replaced = run("add", path, "--store", store, "--replace")

    assert refused.code == 1
    assert "--replace" in refused.err
    assert (replaced.code, replaced.out.split()[0]) == (0, "replaced")


def test_a_dry_run_makes_no_store_and_no_transaction(run, tmp_path, store):
    out = build(tmp_path / "out")

    done = run("add", out, "--store", store, "--dry-run")

    assert done.code == 0
    assert done.out.splitlines()[-1] == "dry run, no transaction: 3 stored, 0 present, 1 ignored"
    assert not store.exists()
    run("add", out, "--store", store)
    assert run("add", out, "--store", store, "--dry-run", "--json").lines[-1]["present"] == 3


def test_include_and_exclude(run, tmp_path, store):
    out = build(tmp_path / "out", numbers=range(1, 3))

    lines = run("add", out, "--include", "*.pdb", "--exclude", "app2.*", "--store", store, "--json").lines

    assert [os.path.basename(line["path"]) for line in lines[:-1]] == ["app1.pdb"]  # noqa: PTH119


@pytest.mark.skipif(os.name == "nt", reason="signals as POSIX has them")
def test_an_interrupt_leaves_no_transaction_and_nothing_staged(tmp_path, store):
    out = build(tmp_path / "out", numbers=range(1, 400))
    command = [sys.executable, "-m", "symsrv", "add", str(out), "--store", str(store)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as adding:
        ends = time.monotonic() + 20
        while not any((store / ".symsrv" / "incoming").glob("*")) and time.monotonic() < ends:
            time.sleep(0.001)
        adding.send_signal(signal.SIGINT)
        adding.communicate(timeout=30)

    assert adding.returncode == 128 + signal.SIGINT
    documents = list((store / ".symsrv" / "transactions").glob("*"))
    assert documents == []
    assert [path for path in (store / ".symsrv" / "incoming").rglob("*") if path.is_file()] == []


def test_an_archive_is_told_member_by_member(run, tmp_path, store):
    path = written(tmp_path / "a.zip", zipped({"app.exe": pe(), "app.pdb": pdb(), "readme.txt": b"text"}))

    done = run("add", path, "--store", store, "--dry-run")
    lines = run("add", path, "--store", store, "--json").lines

    assert done.out.splitlines()[0] == f"stored   {path}!app.exe  app.exe/100000013000/app.exe"
    assert [line.get("path") for line in lines] == [
        f"{path}!{name}" for name in ("app.exe", "app.pdb", "readme.txt")
    ] + [None]
    assert [line.get("status") for line in lines] == ["stored", "stored", "ignored", None]


def test_strict_takes_an_archive_whole_or_not_at_all(run, tmp_path, store):
    data = damaged(zipped({"bad.exe": pe(1), "good.so": elf(1)}, method=zipfile.ZIP_STORED), pe(1))
    path = written(tmp_path / "a.zip", data)
    other = written(tmp_path / "other.so", elf(2))

    for more in (("--dry-run",), ()):
        strict = run("add", path, other, "--strict", "--store", store, "--json", *more)
        assert strict.code == 3
        assert [line.get("reason") for line in strict.lines[:3]] == ["archive-damaged", "archive-incomplete", None]
    lenient = run("add", path, other, "--store", store, "--json")

    assert lenient.code == 3
    assert [line.get("status") for line in lenient.lines] == ["error", "stored", "present", None]


def test_a_program_without_its_pdb_has_a_note(run, tmp_path, store):
    path = written(tmp_path / "app.exe", pe())

    told = run("add", path, "--store", store)
    (line, _summary) = run("add", path, "--store", store, "--json").lines

    assert told.code == 0
    assert told.err == f"note     {path}: its PDB made.pdb is neither among these files nor in the store\n"
    assert line["note"].startswith("its PDB made.pdb")


def test_many_notes_are_counted(run, tmp_path, store):
    for number in range(1, 20):
        written(tmp_path / "out" / f"{number}.exe", pe(number))

    told = run("add", tmp_path / "out", "--store", store)

    assert told.err == "note: 19 files are here without their other half, PDB or program; --json says which\n"


def test_no_room_to_unpack_is_told(run, tmp_path, store, monkeypatch):
    path = written(tmp_path / "a.zip", zipped({"app.exe": pe()}))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))

    done = run("add", path, "--store", store)

    assert done.code == 1
    assert "TMPDIR" in done.err


@pytest.mark.skipif(os.name == "nt", reason="signals as POSIX has them")
def test_an_interrupt_while_unpacking_leaves_nothing(tmp_path, store):
    (tmp_path / "temporary").mkdir()
    path = written(tmp_path / "a.zip", zipped({f"{number}.exe": pe(number) for number in range(1, 600)}))
    command = [sys.executable, "-m", "symsrv", "add", str(path), "--store", str(store)]
    environment = os.environ | {"TMPDIR": str(tmp_path / "temporary")}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as adding:
        ends = time.monotonic() + 20
        while not list((tmp_path / "temporary").iterdir()) and time.monotonic() < ends:
            time.sleep(0.001)
        adding.send_signal(signal.SIGINT)
        adding.communicate(timeout=30)

    assert adding.returncode == 128 + signal.SIGINT
    assert list((tmp_path / "temporary").iterdir()) == []
    assert list((store / ".symsrv" / "transactions").glob("*")) == []
    assert [one for one in (store / ".symsrv" / "incoming").rglob("*") if one.is_file()] == []


def test_compress_keeps_new_files_as_cabinets(run, tmp_path, store):
    out = build(tmp_path / "out")

    done = run("add", out, "--store", store, "--compress")

    assert done.code == 0
    assert done.out.splitlines()[0] == f"stored   {out / 'app1.exe'}  app1.exe/100000013000/app1.ex_"
    assert (store / "app1.exe" / "100000013000" / "app1.ex_").read_bytes()[:4] == b"MSCF"
    assert run("add", out, "--store", store).out.splitlines()[-1].endswith("0 stored, 3 present, 1 ignored")
