"""The table of verbs."""

import subprocess
import sys

import pytest

from symsrv.commands import COMMANDS, FAMILIES

HEAVY = ("sqlalchemy", "uvicorn", "boto3", "watchdog", "starlette", "pydantic", "rich", "yaml")


def test_names_are_unique():
    names = [verb.name for verb in COMMANDS]

    assert len(names) == len(set(names))


@pytest.mark.parametrize("verb", COMMANDS, ids=lambda verb: verb.name)
def test_every_verb_has_help_with_an_example(verb, run):
    done = run(*verb.name.split(), "--help")

    assert done.code == 0
    assert f"symsrv {verb.name}" in done.out.split("Example:")[1]
    assert verb.help[0].isupper()


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_lists_its_verbs(family, run):
    verbs = [verb.name.partition(" ")[2] for verb in COMMANDS if verb.name.startswith(f"{family} ")]

    done = run(family, "--help")

    listed = [line.split()[0] for line in done.out.split("Commands:")[1].splitlines() if line.startswith("  ")]
    assert listed[: len(verbs)] == verbs
    assert FAMILIES[family] in " ".join(done.out.split())


def test_every_verb_of_two_words_has_its_family():
    assert {verb.name.split()[0] for verb in COMMANDS if " " in verb.name} == set(FAMILIES)


def test_starting_loads_nothing_heavy():
    code = f"import sys, symsrv.commands; print(*set({HEAVY!r}) & set(sys.modules))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)

    assert (done.stdout, done.stderr) == ("\n", "")
