"""Versions that a build says itself."""

import os
import re
import shutil
import subprocess

import pytest

from symsrv.ingest.watch_version import LONGEST, Facts, check, fill, programs_of
from tests.ingest.files import pe, written
from tests.made.version_builder import versioned

NOON = 1_770_000_000.0  # 2026-02-02


def test_a_plain_version_is_itself():
    assert fill("1.2", Facts("/nowhere")) == "1.2"
    assert fill("", Facts("/nowhere")) == ""


@pytest.mark.parametrize(
    ("template", "sentence"),
    [
        ("{git", "a brace that means itself is written twice"),
        ("1}", "a brace that means itself is written twice"),
        ("{gti}", "did you mean '{git}'?"),
        ("{PE}", "did you mean '{pe}'?"),
        ("{}", "known are {pe}, {file:NAME}, {git} and {date}"),
        ("{zzz}", "known are {pe}, {file:NAME}, {git} and {date}"),
        ("{pe!r}", "unknown part"),
        ("{file}", "write {file:VERSION}"),
        ("{git:long}", "write {git}"),
    ],
)
def test_a_mistake_says_what_would_mend_it(template, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        check(template)


def test_the_day_is_told_in_utc():
    assert fill("{{nightly}}-{date}", Facts("/nowhere", now=NOON)) == "{nightly}-2026-02-02"
    assert fill("{date:%y%m%d}", Facts("/nowhere", now=NOON)) == "260202"


def test_the_first_line_of_a_file(tmp_path):
    written(tmp_path / "VERSION", b"\xef\xbb\xbf 1.2.3\x07 \r\nmore\n")
    written(tmp_path / "out" / "long", b"9" * 5000)

    assert fill("v{file:VERSION}", Facts(str(tmp_path))) == "v1.2.3"
    assert fill("{file:../VERSION}", Facts(str(tmp_path / "out"))) == "1.2.3"
    assert len(fill("{file:long}", Facts(str(tmp_path / "out")))) == LONGEST


def test_what_cannot_be_had_is_left_out_and_told(tmp_path, caplog):
    assert fill("1-{file:VERSION}", Facts(str(tmp_path))) == "1-"
    assert [(record.message, record.part) for record in caplog.records] == [("no version", "{file:VERSION}")]


def test_the_newest_program_with_a_version_and_an_exe_before_a_library(tmp_path):
    times = {"old.exe": (1, 0, 0, 0), "app.exe": (1, 2, 3, 4), "newer.dll": (9, 9, 9, 9)}
    for age, (name, numbers) in enumerate(times.items()):
        os.utime(written(tmp_path / name, versioned(numbers)), (NOON + age, NOON + age))
    os.utime(written(tmp_path / "newest.exe", pe()), (NOON + 9, NOON + 9))
    names = [*times, "newest.exe", "gone.exe"]

    def filled(*names):
        return fill("{pe}", Facts(str(tmp_path), programs_of(str(tmp_path / name) for name in names)))

    assert filled(*names) == "1.2.3.4"
    assert filled("newer.dll", "newest.exe") == "9.9.9.9"
    assert filled("newest.exe", "notes.txt") == ""


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not here")
def test_what_git_calls_the_commit(tmp_path, monkeypatch):
    for variable in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))

    def git(*arguments):
        identity = ("-c", "user.name=me", "-c", "user.email=me@here", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *identity, *arguments], cwd=tmp_path, check=True, capture_output=True)

    assert fill("{git}", Facts(str(tmp_path))) == ""
    git("init", "-q")
    source = written(tmp_path / "a.c", b"1")
    git("add", "a.c")
    git("commit", "-q", "-m", "one")
    git("tag", "-a", "v1.0", "-m", "one")
    assert fill("{git}", Facts(str(tmp_path))) == "v1.0"
    source.write_bytes(b"22")
    assert fill("{git}", Facts(str(tmp_path))) == "v1.0-dirty"


def test_a_git_that_is_not_there_or_hangs(tmp_path, monkeypatch):
    def hang(*_, **__):
        raise subprocess.TimeoutExpired("git", 1)

    monkeypatch.setattr("symsrv.ingest.watch_version.subprocess.run", hang)
    assert fill("{git}", Facts(str(tmp_path))) == ""
    monkeypatch.setattr("symsrv.ingest.watch_version.shutil.which", lambda _: None)
    assert fill("{git}", Facts(str(tmp_path))) == ""
