"""The lines of symstore.exe, byte for byte, and the expressions by which build servers read them."""

import os
import re

import pytest

from symsrv.commands.symstore_report import SYNTAX, Report, opened_report

# What MSBuild takes for an error in the output of a build step, and fails the step for.
MSBUILD_ERROR = re.compile(
    r"^\s*(((?P<origin>(((\d+>)?[a-zA-Z]?:[^:]*)|([^:]*))):)|())(?P<sub>(()|([^:]*? )))(?P<category>(error|warning))"
    r"( \s*(?P<code>[^: ]*))?\s*:(?P<text>.*)$",
    re.IGNORECASE,
)


@pytest.fixture
def lines():
    return []


def test_an_add(lines):
    report = Report(lines.append)

    report.identifier(4)
    report.copying("a.pdb", "s/a.pdb", force=True, compress=False)
    report.skipping("notes.txt", "why")
    report.counters({"files stored": 2, "errors": 0, "files ignored": 1})

    assert lines == [
        "Finding ID...  0000000004",
        "",
        "SYMSTORE: Number of files stored = 2",
        "SYMSTORE: Number of errors = 0",
        "SYMSTORE: Number of files ignored = 1",
    ]


def test_what_o_shows(lines):
    report = Report(lines.append, verbose=True)

    report.identifier(11)
    report.copying("C:\\b\\a.pdb", "\\\\s\\a.pdb\\1\\a.pdb", force=True, compress=False)
    report.copying("a.pdb", "s/a.pdb", force=False, compress=True)
    report.skipping("notes.txt", "not a known file type. ErrorLevel is 13")

    assert lines == [
        "SYMSTORE MESSAGE: LastId.txt reported id 11",
        "SYMSTORE MESSAGE: Final id is 0000000011",
        "SYMSTORE MESSAGE: Copying C:\\b\\a.pdb to \\\\s\\a.pdb\\1\\a.pdb [Force: T, Compress: F]",
        "SYMSTORE MESSAGE: Copying a.pdb to s/a.pdb [Force: F, Compress: T]",
        "SYMSTORE MESSAGE: Skipping file notes.txt - not a known file type. ErrorLevel is 13.",
    ]


def test_errors_have_a_class(lines):
    report = Report(lines.append)

    report.error("no room")
    report.error("no /f", SYNTAX)

    assert lines == ["SYMSTORE ERROR: Class: Runtime. Desc: no room", "SYMSTORE ERROR: Class: Syntax. Desc: no /f"]


def test_only_errors_are_errors_to_msbuild(lines):
    report = Report(lines.append, verbose=True)

    report.identifier(11)
    report.copying("C:\\b\\a.pdb", "\\\\s\\a.pdb\\1\\a.pdb", force=True, compress=False)
    report.skipping("C:\\b\\notes.txt", "not a known file type. ErrorLevel is 13")
    report.counters({"files stored": 1, "errors": 0, "files ignored": 1})
    report.error("no room")

    assert [line for line in lines if MSBUILD_ERROR.match(line)] == ["SYMSTORE ERROR: Class: Runtime. Desc: no room"]


def test_a_name_does_not_steer_the_terminal(lines):
    Report(lines.append, verbose=True).skipping("a\x1b[2J\nSYMSTORE ERROR", "why")

    assert lines == ["SYMSTORE MESSAGE: Skipping file a\\x1b[2J\\nSYMSTORE ERROR - why."]


def test_a_log_is_written_anew_with_the_systems_line_ends(tmp_path, capsys):
    log = tmp_path / "log.txt"
    log.write_text("SYMSTORE: Number of files stored = 99\n")

    with opened_report(str(log)) as report:
        report.line("käfer")

    assert log.read_bytes() == "käfer".encode() + os.linesep.encode()
    assert capsys.readouterr().out == ""


def test_without_a_log_it_is_stdout(capsys):
    with opened_report(None) as report:
        report.line("a")

    assert capsys.readouterr().out == "a\n"
