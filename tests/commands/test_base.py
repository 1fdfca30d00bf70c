"""What the frame does for a verb."""

import json

import pytest

from symsrv.commands.base import Context, Ended, outcome, shown, verb
from symsrv.commands.frame import run
from symsrv.model.errors import EXIT_MEANING, Exit


def toy(**options):
    @verb("toy", example="symsrv toy\nsymsrv toy --again", **options)
    def function(context: Context) -> Exit:
        """Do nothing much."""
        context.answer({"store": context.config.store, "dry_run": context.dry_run}, text=f"{context.config.store}")
        return Exit.DONE

    return function


def options_of(made):
    return {name for param in made.params for name in param.opts}


def test_a_verb_has_the_options_it_asks_for_and_no_others():
    assert options_of(toy(configured=False)) == {"-v", "--verbose"}
    everything = toy(store=True, answers=True, dry_run=True)
    assert options_of(everything) == {"-v", "--verbose", "-c", "--config", "--store", "--json", "--dry-run"}


def test_the_help_shows_the_example_and_the_exit_codes_of_the_table(capsys):
    assert run([toy(store=True, exits=(Exit.PARTLY,))], ["toy", "--help"]) == 0

    text = capsys.readouterr().out
    assert "symsrv toy --again" in text
    for code in (Exit.DONE, Exit.FAILED, Exit.USAGE, Exit.PARTLY, Exit.NO_STORE, Exit.LOCKED):
        assert EXIT_MEANING[code] in text
    assert EXIT_MEANING[Exit.NO_TRANSACTION] not in text
    assert "128+n" in text


def test_the_command_lines_store_goes_before_the_environments(monkeypatch, capsys):
    monkeypatch.setenv("SYMSRV_STORE", "from-environment")
    made = toy(store=True, answers=True, dry_run=True, default_store="fallback")

    run([made], ["toy"])
    run([made], ["toy", "--store", "named", "--json", "--dry-run"])
    monkeypatch.delenv("SYMSRV_STORE")
    run([made], ["toy"])

    first, second, third = capsys.readouterr().out.splitlines()
    assert (first, json.loads(second), third) == ("from-environment", {"store": "named", "dry_run": True}, "fallback")


def test_override_lays_options_over_the_configuration():
    context = Context()

    context.override(listen="127.0.0.1:1", store=None)

    assert context.config.listen == "127.0.0.1:1"


def test_the_assembly_is_built_once_and_closed_at_the_end(monkeypatch):
    import symsrv.assembly

    events = []

    class Assembly:
        def __init__(self, config):
            events.append("built")

        def close(self):
            events.append("closed")

    monkeypatch.setattr(symsrv.assembly, "Assembly", Assembly)

    @verb("toy", example="symsrv toy", store=True)
    def function(context: Context) -> None:
        """Build."""
        assert context.assembly() is context.assembly()
        raise OSError(28, "No space left on device", "a.pdb")

    assert run([function], ["toy"]) == Exit.FAILED
    assert events == ["built", "closed"]


def test_an_answer_without_text_is_only_for_machines(capsys):
    Context(json=False).answer({"a": 1})
    Context(json=True).answer({"a": "ä"}, text="no")

    assert capsys.readouterr().out.splitlines()[0].startswith('{"a": "ä')


def test_what_is_said_and_warned_of_goes_to_stderr(capsys):
    Context().say("done")
    Context().warn("odd\x1b[31m")

    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "done\nwarning: odd\\x1b[31m\n"


def test_names_cannot_steer_a_terminal():
    assert shown("a\x1b[2Jb\x07\x85ü\udcff") == "a\\x1b[2Jb\\x07\\x85ü\\udcff"


def test_text_keeps_its_lines(capsys):
    Context().answer({}, text="a\nb\tc")

    assert capsys.readouterr().out == "a\nb\\tc\n"


@pytest.mark.parametrize(("good", "bad", "code"), [(0, 0, 0), (3, 0, 0), (2, 1, 3), (0, 1, 1)])
def test_outcome(good, bad, code):
    assert outcome(good=good, bad=bad) == code


def test_progress_is_silent_where_nobody_looks(capsys):
    with Context().progress("working", total=3) as line:
        line.step()

    assert capsys.readouterr() == ("", "")


def test_a_reader_that_went_away_is_a_signal_not_a_failure():
    @verb("toy", example="symsrv toy", configured=False)
    def function(context: Context) -> None:
        """Write."""
        raise BrokenPipeError(32, "Broken pipe")

    assert run([function], ["toy"]) == 128 + 13


def test_ended_is_not_an_error_that_a_verb_catches():
    assert not issubclass(Ended, Exception)
