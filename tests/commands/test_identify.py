"""`symsrv identify`."""

import json
import os
import zipfile
from pathlib import Path

import pytest

from tests.made.minidump_builder import Loaded, build_minidump, rsds

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


class TestModules:
    def test_json_has_one_line_for_each_module(self, run, tmp_path):
        dump = tmp_path / "crash.dmp"
        dump.write_bytes(build_minidump([Loaded("C:\\a.exe", rsds(), version=(1, 2, 3, 4)), Loaded("b.dll")]))

        done = run("identify", "--modules", "--json", dump)

        first, second = done.lines
        assert done.code == 0
        assert first == {
            "dump": str(dump),
            "name": "a.exe",
            "path": "C:\\a.exe",
            "code_id": "000000009000",
            "debug_id": "3249D99D0C4049318610F4E4FB0B69361",
            "debug_file": "C:\\out\\crash.pdb",
            "build_id": None,
            "version": "1.2.3.4",
            "base": 0x10000,
            "size": 0x9000,
        }
        assert second["name"] == "b.dll"

    def test_text_is_a_table(self, run, tmp_path):
        dump = tmp_path / "crash.dmp"
        dump.write_bytes(build_minidump([Loaded("C:\\long-name.exe", rsds(), stamp=1), Loaded("b.dll", size=0)]))

        done = run("identify", "--modules", dump)

        title, head, first, second = done.out.splitlines()
        assert title == f"{dump}: 2 modules"
        assert head.split() == ["name", "version", "code", "id", "debug", "id"]
        assert first.split() == ["long-name.exe", "-", "000000019000", "3249D99D0C4049318610F4E4FB0B69361"]
        assert second.split() == ["b.dll", "-", "-", "-"]
        assert head.index("version") == first.index(" - ") + 1

    def test_a_cut_dump_shows_what_it_has_and_fails(self, run, tmp_path):
        dump = tmp_path / "crash.dmp"
        dump.write_bytes(build_minidump([Loaded("a.exe", rsds()), Loaded("b.dll", rsds(), record_at=0xFFFFFF)]))

        done = run("identify", "--modules", "--json", dump)
        text = run("identify", "--modules", dump)

        assert done.code == text.code == 1
        assert [line.get("name") for line in done.lines] == ["a.exe", "b.dll", None]
        assert done.lines[-1]["reason"] == "truncated"
        assert "2 modules" in text.out
        assert "truncated" in text.err

    def test_programs_and_dumps_side_by_side(self, run, tmp_path):
        (tmp_path / "crash.dmp").write_bytes(build_minidump())
        (tmp_path / "notes.txt").write_text("hello")

        done = run("identify", "--modules", "--json", tmp_path, SAMPLE / "windows" / "crash.exe")

        assert done.code == 3
        assert [line.get("name") for line in done.lines] == ["crash.exe", None, "crash.exe"]

    def test_a_dump_without_the_option_says_how(self, run, tmp_path):
        (tmp_path / "crash.dmp").write_bytes(build_minidump())

        done = run("identify", "--json", tmp_path)

        assert done.lines[0]["reason"] == "not-symbols"
        assert "--modules" in done.lines[0]["error"]

    @pytest.mark.parametrize("name", ["a\x1b[2J.exe", "a\nb.exe: fake", "a\ud800.exe"])
    def test_a_strange_module_steers_no_terminal(self, run, tmp_path, name):
        raw = build_minidump([Loaded("X" * len(name))])
        raw = raw.replace(("X" * len(name)).encode("utf-16-le"), name.encode("utf-16-le", "surrogatepass"))
        (tmp_path / "a.dmp").write_bytes(raw)

        done = run("identify", "--modules", tmp_path)

        assert "\x1b" not in done.out
        assert len(done.out.splitlines()) == 3
        assert len(run("identify", "--modules", "--json", tmp_path).lines) == 1

    def test_two_lists_at_once_are_wrong_usage(self, run):
        assert run("identify", "--modules", "--contents", SAMPLE).code == 2


class TestContents:
    def test_json_has_them_beside_the_fields_of_before(self, run):
        (line,) = run("identify", "--contents", "--json", SAMPLE / "linux" / "crash").lines

        assert list(line) == [*FIELDS, "contents"]
        assert ".text" in [one["name"] for one in line["contents"]["sections"]]

    def test_what_has_none_says_null(self, run, tmp_path):
        (tmp_path / "a.exe").write_bytes((SAMPLE / "windows" / "crash.exe").read_bytes())

        (line,) = run("identify", "--contents", "--json", tmp_path / "a.exe").lines

        assert "contents" in line

    def test_text_is_cut_on_a_terminal_only(self, run, monkeypatch):
        whole = run("identify", "--contents", SAMPLE / "linux" / "crash").out
        monkeypatch.setattr("symsrv.commands.identifying.LIST_LIMIT", 1)
        monkeypatch.setattr("symsrv.commands.identifying.on_terminal", lambda: True)

        cut = run("identify", "--contents", SAMPLE / "linux" / "crash").out

        assert ".text" in whole
        assert "more, which --json has" not in whole
        assert "more, which --json has" in cut
        assert len(cut.splitlines()) < len(whole.splitlines())


class TestArchives:
    @pytest.fixture
    def archive(self, tmp_path):
        inner = tmp_path / "inner.zip"
        with zipfile.ZipFile(inner, "w") as file:
            file.write(SAMPLE / "windows" / "crash.exe", "crash.exe")
        path = tmp_path / "build" / "a.zip"
        path.parent.mkdir()
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
            file.write(SAMPLE / "windows" / "crash.pdb", "bin/crash.pdb")
            file.write(inner, "inner.zip")
            file.writestr("readme.txt", "hello")
            file.writestr("crash.dmp", build_minidump())
        return path

    def test_members_are_identified_by_their_own_names(self, run, archive):
        done = run("identify", "--json", archive)

        assert done.code == 3
        assert [
            (line["path"].removeprefix(str(archive)), line.get("name"), line.get("reason")) for line in done.lines
        ] == [
            ("!bin/crash.pdb", "crash.pdb", None),
            ("!inner.zip!crash.exe", "crash.exe", None),
            ("!readme.txt", None, "unknown-format"),
            ("!crash.dmp", None, "not-symbols"),
        ]

    def test_dumps_in_archives_have_modules_too(self, run, archive):
        lines = run("identify", "--modules", "--json", archive.parent).lines

        assert [line["name"] for line in lines if line.get("dump") == f"{archive}!crash.dmp"] == ["crash.exe"]

    def test_a_broken_archive_says_so_after_its_members(self, run, archive, tmp_path):
        cut = tmp_path / "cut.zip"
        cut.write_bytes(archive.read_bytes()[:-30])

        done = run("identify", "--json", cut)

        assert done.code in (1, 3)
        assert done.lines[-1]["reason"].startswith("archive-")

    def test_nothing_is_left_behind(self, run, archive, monkeypatch, tmp_path):
        place = tmp_path / "temporary"
        place.mkdir()
        monkeypatch.setattr("tempfile.tempdir", str(place))

        run("identify", "--contents", archive)

        assert list(place.iterdir()) == []
