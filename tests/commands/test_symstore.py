"""`symsrv symstore` and `symsrv-symstore`: the way in, the streams, the log and the exit codes."""

import os
import re
import shutil
import subprocess
import sys
import tomllib

import pytest

from symsrv.backends.disk import Disk
from symsrv.commands.symstore import program
from symsrv.model.errors import BackendError
from tests.conftest import REPOSITORY
from tests.ingest.files import build, pe, written

posix = pytest.mark.skipif(os.name == "nt", reason="POSIX's shells and rights")


@pytest.fixture
def store(tmp_path):
    return tmp_path / "store"


@pytest.mark.parametrize("word", ["/?", "-?", "//?"])
def test_it_tells_its_options(run, word):
    done = run("symstore", word)

    assert done.code == 0
    assert "-:NOFORCECOPY" in done.out


def test_wrong_usage_is_2_and_a_line_of_symstore(run, store):
    done = run("symstore", "add", "/f", "a.pdb", "/s", store)

    assert (done.code, done.err) == (2, "")
    assert done.out.startswith("SYMSTORE ERROR: Class: Syntax. Desc: this add names no product")
    assert run("symstore").code == 2
    assert run("symstore", "add", "/t", "x", "/s", "ftp://x", "/f", "a.pdb").code == 2


def test_letters_of_symstore_are_not_those_of_symsrv(run, store, tmp_path):
    """-c, -v and -h mean something else to every other verb."""
    path = written(tmp_path / "app.exe", pe())

    done = run("symstore", "add", "-f", path, "-s", store, "-t", "App", "-v", "1", "-c", "why", "-h", "pri")

    assert done.code == 0
    (line,) = run("history", "--store", store, "--json").lines
    assert [line["version"], line["comment"]] == ["1", "why"]


def test_own_options_have_two_dashes(run, store, tmp_path):
    config = written(tmp_path / "symsrv.yaml", b"lock_timeout: nonsense\n")

    assert run("symstore", "--config", config, "query", "/f", "a", "/s", store).code == 2
    assert "symsrv symstore" in run("symstore", "add", "--help").out


def test_the_lines_are_what_build_servers_look_for(run, store, tmp_path):
    done = run("symstore", "add", "/r", "/f", build(tmp_path / "out"), "/s", store, "/t", "App")

    assert re.findall(r"^SYMSTORE: Number of files stored = (.*)$", done.out, re.M) == ["3"]
    assert re.findall(r"^SYMSTORE: Number of errors = (.*)$", done.out, re.M) == ["0"]
    assert re.findall(r"^Finding ID\.\.\.  (\d{10})$", done.out, re.M) == ["0000000001"]


def test_d_writes_everything_into_a_log(run, store, tmp_path):
    log = tmp_path / "log.txt"
    path = written(tmp_path / "app.exe", pe())

    done = run("symstore", "add", "/f", path, "/s", store, "/t", "App", "/d", log)

    assert (done.code, done.out, done.err) == (0, "", "")
    assert log.read_text().startswith("Finding ID...  0000000001\n\nSYMSTORE: Number of files stored = 1\n")
    failed = run("symstore", "del", "/i", "9", "/s", store, "/d", log)
    assert (failed.code, failed.out) == (12, "")
    assert log.read_text().startswith("SYMSTORE ERROR: Class: Runtime. Desc: ")


def test_a_log_that_cannot_be_written_is_told_on_stdout(run, store, tmp_path):
    log = tmp_path / "nowhere" / "log.txt"

    done = run("symstore", "query", "/f", "a", "/s", store, "/d", log)

    assert done.code == 1
    assert done.out == f"SYMSTORE ERROR: Class: Runtime. Desc: {log}: No such file or directory\n"


def test_a_store_that_refuses_is_no_success(run, store, tmp_path, monkeypatch):
    def refuse(*_arguments, **_options):
        raise BackendError("disk-full", "the disk is full")

    monkeypatch.setattr(Disk, "stage", refuse)

    done = run("symstore", "add", "/f", written(tmp_path / "app.exe", pe()), "/s", store, "/t", "App")

    assert (done.code, done.out) == (1, "SYMSTORE ERROR: Class: Runtime. Desc: the disk is full\n")


def test_an_error_of_the_system_without_a_file(run, store, tmp_path, monkeypatch):
    def refuse(*_arguments, **_options):
        raise OSError("odd")

    monkeypatch.setattr("symsrv.commands.symstore_run.publish", refuse)

    done = run("symstore", "add", "/f", tmp_path, "/s", store, "/t", "App")

    assert (done.code, done.out) == (1, "SYMSTORE ERROR: Class: Runtime. Desc: odd\n")


def test_a_reader_that_went_away_is_no_error_of_ours(run, store, tmp_path, monkeypatch):
    def refuse(*_arguments, **_options):
        raise BrokenPipeError

    monkeypatch.setattr("symsrv.commands.symstore_run.publish", refuse)

    assert run("symstore", "add", "/f", tmp_path, "/s", store, "/t", "App").code == 141


@posix
def test_paths_of_windows_are_refused_elsewhere(run):
    done = run("symstore", "add", "/f", "a.pdb", "/s", "\\\\server\\symbols", "/t", "App")

    assert done.code == 2
    assert "mounted" in done.out


@posix
def test_a_line_of_windows_works_elsewhere(run, tmp_path, monkeypatch):
    build(tmp_path / "out")
    monkeypatch.chdir(tmp_path)

    done = run("symstore", *["add", "/r", "/f", "out\\*.*", "/s", ".\\symbols", "/t", "App", "/d", ".\\log.txt"])

    assert done.code == 0
    assert "files stored = 3" in (tmp_path / "log.txt").read_text()
    assert (tmp_path / "symbols" / "app1.exe").is_dir()


@posix
@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
@pytest.mark.parametrize("words", ["/f out/app1.exe /s store /t App", "-f out/app1.exe -s store -t App"])
@pytest.mark.parametrize("doubled", [False, True])
def test_what_bash_passes(tmp_path, words, doubled):
    build(tmp_path / "out")
    line = f'"$PYTHON" -m symsrv symstore add {words.replace("/f", "//f").replace("/s ", "//s ") if doubled else words}'
    environment = os.environ | {"PYTHON": sys.executable}

    done = subprocess.run(
        ["bash", "-c", line], cwd=tmp_path, capture_output=True, text=True, timeout=60, env=environment, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert "SYMSTORE: Number of files stored = 1\n" in done.stdout


def test_the_program_of_its_own(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["symsrv-symstore", "add", "/?"])

    with pytest.raises(SystemExit) as caught:
        program()

    assert caught.value.code == 0
    assert "symstore add" in capsys.readouterr().out


def test_the_program_of_its_own_is_installed():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert project["scripts"]["symsrv-symstore"] == f"{program.__module__}:{program.__name__}"
