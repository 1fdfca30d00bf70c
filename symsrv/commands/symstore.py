"""`symsrv symstore`, and `symsrv-symstore`: symstore.exe's own command line."""

import sys
from contextlib import ExitStack
from dataclasses import replace
from typing import NoReturn

import click

from symsrv.commands.base import Context, Verb, verb
from symsrv.commands.frame import run
from symsrv.commands.symstore_line import ADD, DELETE, HELP, QUERY, USAGE, Call, own_words, parse
from symsrv.commands.symstore_report import RUNTIME, SYNTAX, Report, opened_report
from symsrv.model.errors import Exit, SymsrvError, UsageError


class _Words(Verb):
    """A verb whose options are symstore.exe's: click is only shown symsrv's own, which begin with two dashes."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        own, words = own_words(args)
        return super().parse_args(ctx, [*own, "--", *words])


def _worded(verb: Verb) -> Verb:
    """The same verb, with symstore.exe's options."""
    for parameter in verb.params:
        if isinstance(parameter, click.Option):
            parameter.opts = [one for one in parameter.opts if one.startswith("--")]
    return _Words(
        verb.name,
        callback=verb.callback,
        params=verb.params,
        help=verb.help,
        example=verb.example,
        exits=verb.exits,
        context_settings={"help_option_names": ["--help"]},
    )


@_worded
@verb(
    "symstore",
    example='symsrv symstore add /r /f "out\\*.*" /s \\\\server\\symbols /t App /v 1.2\n'
    "symsrv symstore del /i 0000000004 /s \\\\server\\symbols",
    exits=(Exit.PARTLY, Exit.NO_STORE, Exit.LOCKED, Exit.NO_TRANSACTION),
)
@click.argument("words", metavar="add|del|query [/OPTION...]", nargs=-1)
@click.option("--strict", is_flag=True, help="Say by the exit code that files failed; symstore.exe ends with 0.")
def symstore(context: Context, words: tuple[str, ...], strict: bool) -> Exit:
    """Take symstore.exe's command line and answer in its lines, for build steps that are older than symsrv.

    'symsrv symstore /?' lists its options. In Git Bash write -f or //f, or set MSYS_NO_PATHCONV=1: it makes paths of
    /f and its like. Files that fail are counted and the exit code is 0, as with symstore.exe; --strict is honest.
    """
    try:
        call = parse(words)
    except UsageError as error:
        Report(click.echo).error(str(error), SYNTAX)
        return Exit.USAGE
    if call.action == HELP:
        click.echo(USAGE)
        return Exit.DONE
    return _run(context, call, strict=strict)


def program() -> NoReturn:
    """`symsrv-symstore`: stands where symstore.exe stood."""
    sys.exit(run((symstore,), ["symstore", *sys.argv[1:]]))


def _run(context: Context, call: Call, *, strict: bool) -> Exit:
    from symsrv.commands import symstore_run
    from symsrv.commands.symstore_files import local_path

    work = {ADD: symstore_run.add, DELETE: symstore_run.delete, QUERY: symstore_run.query}[call.action]
    report = Report(click.echo)
    with ExitStack() as stack:
        try:
            log = local_path(call.log) if call.log else None
            report = stack.enter_context(opened_report(log, verbose=call.verbose))
            call = replace(call, store=local_path(call.store))
            context.override(store=call.store)
            done = work(context, call, report)
        except SymsrvError as error:
            report.error(str(error), SYNTAX if isinstance(error, UsageError) else RUNTIME)
            return error.exit_code
        except BrokenPipeError:
            raise
        except OSError as error:
            report.error(f"{error.filename}: {error.strerror}" if error.filename else str(error))
            return Exit.FAILED
    return done if strict else Exit.DONE
