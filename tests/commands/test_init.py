"""The table of verbs."""

import subprocess
import sys

import pytest

from symsrv.commands import COMMANDS

HEAVY = ("sqlalchemy", "uvicorn", "boto3", "watchdog", "starlette", "pydantic", "rich", "yaml")


def test_names_are_unique():
    names = [verb.name for verb in COMMANDS]

    assert len(names) == len(set(names))


@pytest.mark.parametrize("verb", COMMANDS, ids=lambda verb: verb.name)
def test_every_verb_has_help_with_an_example(verb, run):
    done = run(verb.name, "--help")

    assert done.code == 0
    assert f"symsrv {verb.name}" in done.out.split("Example:")[1]
    assert verb.help[0].isupper()


def test_starting_loads_nothing_heavy():
    code = f"import sys, symsrv.commands; print(*set({HEAVY!r}) & set(sys.modules))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)

    assert (done.stdout, done.stderr) == ("\n", "")
