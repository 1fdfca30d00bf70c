"""`symsrv identify`."""

import json
import os
from pathlib import Path

import pytest

SAMPLE = Path(__file__).resolve().parent.parent.parent / "sample" / "build"
FIELDS = ["path", "format", "kind", "arch", "name", "size", "code_id", "debug_id", "debug_file", "build_id"]
FIELDS += ["keys", "notes"]


def test_json_has_the_promised_fields_in_order(run):
    done = run("identify", "--json", SAMPLE / "windows" / "crash.exe")

    (line,) = done.lines
    assert done.code == 0
    assert list(line) == FIELDS
    assert line == {
        "path": str(SAMPLE / "windows" / "crash.exe"),
        "format": "pe",
        "kind": "code",
        "arch": "x86_64",
        "name": "crash.exe",
        "size": 2560,
        "code_id": "953032F04000",
        "debug_id": "17FDFAAABE2037ED4C4C44205044422E1",
        "debug_file": "crash.pdb",
        "build_id": None,
        "keys": ["crash.exe/953032F04000/crash.exe"],
        "notes": [],
    }


def test_a_folder_stands_for_its_files_in_a_fixed_order(run):
    done = run("identify", "--json", SAMPLE)

    assert [Path(line["path"]).name for line in done.lines] == ["crash", "crash.exe", "crash.pdb"]
    assert [line["format"] for line in done.lines] == ["elf", "pe", "pdb"]


def test_text_shows_ids_and_keys(run):
    done = run("identify", SAMPLE / "windows" / "crash.pdb")

    assert "crash.pdb: pdb debug" in done.out
    assert "crash.pdb/17FDFAAABE2037ED4C4C44205044422E1/crash.pdb" in done.out


def test_one_bad_file_does_not_stop_the_others(run, tmp_path):
    (tmp_path / "notes.txt").write_text("hello")

    done = run("identify", "--json", tmp_path / "notes.txt", SAMPLE / "windows" / "crash.pdb")

    assert done.code == 3
    bad, good = done.lines
    assert bad["reason"] == "unknown-format"
    assert set(bad) == {"path", "error", "reason"}
    assert good["format"] == "pdb"


def test_nothing_identified_is_a_failure(run, tmp_path):
    (tmp_path / "notes.txt").write_text("hello")

    done = run("identify", tmp_path)

    assert done.code == 1
    assert done.out == ""
    assert "notes.txt" in done.err
    assert "unknown-format" in done.err


def test_a_file_that_is_not_there_says_so(run, tmp_path):
    done = run("identify", "--json", tmp_path / "none.pdb")

    assert done.code == 1
    assert done.lines[0]["reason"] == "missing"


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs an ordinary user's rights")
def test_a_file_that_may_not_be_read_says_so(run, tmp_path):
    (tmp_path / "a.pdb").write_bytes(b"x")
    (tmp_path / "a.pdb").chmod(0)

    assert run("identify", "--json", tmp_path / "a.pdb").lines[0]["reason"] == "unreadable"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_not_waited_for(run, tmp_path):
    os.mkfifo(tmp_path / "pipe")

    assert run("identify", "--json", tmp_path / "pipe").lines[0]["reason"] == "unknown-format"


def test_no_file_at_all_is_wrong_usage(run):
    assert run("identify").code == 2


@pytest.mark.skipif(os.name == "nt", reason="Windows refuses such names")
def test_a_strange_name_steers_no_terminal(run, tmp_path):
    (tmp_path / "a\x1b[2J.txt").write_text("x")

    done = run("identify", tmp_path)

    assert "\x1b" not in done.err + done.out
    assert json.loads(run("identify", "--json", tmp_path).out)["reason"] in ("bad-name", "unknown-format")
