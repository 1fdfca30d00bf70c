"""The way out: every end of the program has its exit code and its sentence."""

import json
import os
import signal
import subprocess
import sys

import click
import pytest

from symsrv import __version__
from symsrv.commands.base import Context, verb
from symsrv.commands.frame import run
from symsrv.model.errors import (
    BackendError,
    Exit,
    NoStore,
    NoSuchTransaction,
    StoreLocked,
    SymsrvError,
    UsageError,
)


def raising(error):
    @verb("toy", example="symsrv toy", answers=True, configured=False)
    @click.option("--number", type=int)
    def function(context: Context, number: int | None) -> None:
        """Raise."""
        raise error

    return [function]


def in_process(code, *arguments, **more):
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=60, check=False, **more
    )


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("wrong"), Exit.USAGE),
        (NoStore("none"), Exit.NO_STORE),
        (StoreLocked("locked"), Exit.LOCKED),
        (NoSuchTransaction("none"), Exit.NO_TRANSACTION),
        (BackendError("disk-full", "full"), Exit.FAILED),
        (OSError(28, "No space left on device", "x.pdb"), Exit.FAILED),
        (ZeroDivisionError("division by zero"), Exit.FAILED),
        (KeyboardInterrupt(), 130),
        (BrokenPipeError(), 141),
    ],
)
def test_each_error_has_its_exit_code(error, code, capsys):
    assert run(raising(error), ["toy"]) == code


def test_the_sentence_goes_to_stderr_and_to_machines_as_an_object(capsys):
    run(raising(BackendError("disk-full", "the disk is full")), ["toy", "--json"])

    captured = capsys.readouterr()
    assert captured.err == "symsrv: the disk is full\n"
    assert json.loads(captured.out) == {"error": "the disk is full", "reason": "disk-full"}


def test_an_unexpected_error_is_called_a_defect(capsys):
    run(raising(ZeroDivisionError("division by zero")), ["toy", "--json"])

    captured = capsys.readouterr()
    assert "defect in symsrv" in captured.err
    assert json.loads(captured.out)["reason"] == "defect"
    assert "Traceback" not in captured.err


def test_an_unexpected_error_shows_its_place_when_asked(run):
    from symsrv.commands import frame

    code = frame.run(raising(ZeroDivisionError("division by zero")), ["toy", "-vv"])

    assert code == Exit.FAILED


def test_a_system_error_names_the_file(capsys):
    run(raising(PermissionError(13, "Permission denied", "x.pdb")), ["toy"])

    assert capsys.readouterr().err == "symsrv: x.pdb: Permission denied\n"


@pytest.mark.parametrize("arguments", [["toy", "--nope"], ["nope"], ["toy", "--number", "x"], ["toy", "extra"]])
def test_wrong_usage_is_2_with_a_hint(arguments, capsys):
    assert run(raising(UsageError("")), [*arguments, "--json"]) == Exit.USAGE

    captured = capsys.readouterr()
    assert json.loads(captured.out)["reason"] == "usage"
    assert "--help" in captured.err


def test_nothing_at_all_shows_the_help_on_stderr(capsys):
    assert run(raising(UsageError("")), []) == Exit.USAGE

    captured = capsys.readouterr()
    assert captured.out == ""
    assert "toy" in captured.err


def test_the_version_is_said(run):
    done = run("--version")

    assert (done.code, done.out) == (0, f"symsrv {__version__}\n")


def test_every_error_of_the_tree_maps_to_a_code_of_the_table():
    def tree(kind):
        return [kind, *(deeper for child in kind.__subclasses__() for deeper in tree(child))]

    assert all(isinstance(kind.exit_code, Exit) for kind in tree(SymsrvError))


SLEEPER = """
import sys, time
from symsrv.commands.base import verb
from symsrv.commands.frame import run
@verb("toy", example="symsrv toy", configured=False)
def toy(context):
    "Sleep."
    try:
        print("ready", flush=True)
        time.sleep(60)
    finally:
        print("tidied", flush=True)
sys.exit(run([toy], ["toy"]))
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows ends a process without asking it")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_a_signal_ends_the_work_in_order(name):
    number = getattr(signal, name)
    with subprocess.Popen([sys.executable, "-c", SLEEPER], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        rest = process.stdout.read()

    assert rest == "tidied\n"
    assert process.returncode == 128 + number


@pytest.mark.skipif(os.name == "nt", reason="Windows has no HUP")
def test_nohup_is_respected():
    code = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n" + SLEEPER.replace(
        "time.sleep(60)", "import os; os.kill(os.getpid(), signal.SIGHUP)"
    )

    done = in_process(code)

    assert (done.returncode, done.stdout) == (0, "ready\ntidied\n")


@pytest.mark.skipif(os.name == "nt", reason="needs a shell with pipes and signals")
def test_a_closed_pipe_is_quiet():
    code = """
import sys
from symsrv.commands.base import verb
from symsrv.commands.frame import run
@verb("toy", example="symsrv toy", configured=False)
def toy(context):
    "Talk."
    for _ in range(100000):
        context.answer({}, text="x" * 100)
sys.exit(run([toy], ["toy"]))
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        process.stdout.readline()
        process.stdout.close()
        said = process.stderr.read()

    assert (process.returncode, said) == (141, "")


def test_a_name_in_another_encoding_is_valid_json_in_a_pipe():
    code = """
import sys
from symsrv.commands.base import verb
from symsrv.commands.frame import run
@verb("toy", example="symsrv toy", answers=True, configured=False)
def toy(context):
    "Talk."
    context.answer({"path": "caf\\udce9 \\u20ac"})
sys.exit(run([toy], ["toy", "--json"]))
"""
    done = in_process(code, encoding="utf-8", env={**os.environ, "PYTHONIOENCODING": "latin-1"})

    assert json.loads(done.stdout) == {"path": "caf\udce9 €"}


def test_a_verb_of_two_words_belongs_to_a_family(capsys):
    def made(name):
        @verb(name, example=f"symsrv {name}", configured=False)
        def function(context: Context) -> None:
            """Do it."""
            context.answer({}, text=name)

        return function

    verbs = [made("toy make"), made("toy break"), made("play")]

    assert run(verbs, ["toy", "break"], families={"toy": "Make and break toys."}) == 0
    assert run(verbs, ["play"]) == 0
    assert capsys.readouterr().out == "toy break\nplay\n"
    assert run(verbs, ["toy"], families={"toy": "Make and break toys."}) == Exit.USAGE
    assert run(verbs, ["toy", "fly"]) == Exit.USAGE
    err = capsys.readouterr().err
    assert "Make and break toys." in err
    assert err.index("make") < err.index("break  ")
    assert "see 'symsrv toy --help'" in err
