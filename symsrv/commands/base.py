"""What a verb is made of: its options, its context, how it answers and what its exit code says.

A verb is one file in this room and one line in `COMMANDS`. The whole of one:

    @verb("history", example="symsrv history --store ./symbols --last 5", store=True, answers=True)
    @click.option("--last", type=click.IntRange(min=1), help="Only the newest N transactions.")
    def history(context: Context, last: int | None) -> Exit:
        \"\"\"List the transactions of a store.\"\"\"
        for transaction in context.assembly().store.history():
            context.answer({"transaction": digits(transaction.number)}, text=digits(transaction.number))
        return Exit.DONE

A name may have two words (`upstream add`): verbs of one family, whose help text stands in `FAMILIES`. Those of a
family may share a file.

What the frame does for it: `-v`, and by the arguments of `verb` also `-c`, `--store`, `--json`, `--dry-run`; the
help text with example and exit codes; loading the configuration; logging; closing the assembly; every SymsrvError
becomes its sentence on stderr (with `--json` also `{"error", "reason"}` on stdout) and its exit code. So a verb
only catches an error where it goes on with the next file. SQLAlchemy, uvicorn, boto3 and watchdog are imported
inside functions: `symsrv identify` has to start in a tenth of a second.
"""

import json
import re
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from symsrv.commands.output import Progress
from symsrv.model.errors import EXIT_MEANING, Exit

if TYPE_CHECKING:
    from symsrv.assembly import Assembly
    from symsrv.config import Config

SIGPIPE = 13  # the number everywhere; Windows does not know the name

# C0, DEL, C1 and lone surrogates: a file's name must not steer the terminal that shows it.
_UNSHOWABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


class Ended(BaseException):
    """A signal asked the program to end; the exit code is 128 + its number."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def shown(text: str) -> str:
    """`text` as it may be printed on a terminal, with control characters escaped."""
    return _UNSHOWABLE.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def outcome(*, good: int, bad: int) -> Exit:
    """The exit code of work on many files: all done, some failed, or none done."""
    if not bad:
        return Exit.DONE
    return Exit.PARTLY if good else Exit.FAILED


class Context:
    """What a verb gets from the frame."""

    def __init__(
        self,
        *,
        json: bool = False,
        verbose: int = 0,
        dry_run: bool = False,
        config_file: Path | None = None,
        store: str | None = None,
        default_store: str | None = None,
    ) -> None:
        self.json = json
        self.verbose = verbose
        self.dry_run = dry_run
        self.config_file = config_file
        self._store = store
        self._default_store = default_store
        self._stack = ExitStack()

    @cached_property
    def config(self) -> "Config":
        """The effective configuration: file, environment, then the command line's `--store`."""
        from symsrv.config import load

        config = load(self.config_file)
        if self._store is not None:
            config = config.override(store=self._store)
        if config.store is None and self._default_store is not None:
            config = config.override(store=self._default_store)
        return config

    def override(self, **options: Any) -> None:
        """Lays command-line options over the configuration, by its own field names; None means not given."""
        self.config = self.config.override(**options)

    @cached_property
    def _assembly(self) -> "Assembly":
        from symsrv.assembly import Assembly

        assembly = Assembly(self.config)
        self._stack.callback(assembly.close)
        return assembly

    def assembly(self) -> "Assembly":
        """The rooms, built on first use from the configuration; closed by the frame."""
        return self._assembly

    def answer(self, record: dict[str, Any], text: str | None = None) -> None:
        """Prints one answer: the record as a JSON line with `--json`, else the text, if there is one."""
        if self.json:
            click.echo(json.dumps(record, ensure_ascii=False))
        elif text is not None:
            click.echo("\n".join(shown(line) for line in text.split("\n")))

    def say(self, sentence: str) -> None:
        """Tells the person at the terminal something that is not an answer."""
        click.echo(shown(sentence), err=True)

    def warn(self, sentence: str) -> None:
        """Tells about something that did not go as hoped and did not stop us."""
        click.echo(f"warning: {shown(sentence)}", err=True)

    def progress(self, title: str, *, total: int | None = None, in_bytes: bool = False) -> Progress:
        """A progress line on stderr, when that is a terminal: `with context.progress(…) as line: line.step()`."""
        return Progress(title, total=total, in_bytes=in_bytes)

    def close(self) -> None:
        """Closes what the verb opened."""
        self._stack.close()


class Verb(click.Command):
    """A click command that says its example and its exit codes."""

    def __init__(self, *args: Any, example: str, exits: Sequence[Exit], **more: Any) -> None:
        super().__init__(*args, **more)
        self.example = example
        self.exits = tuple(exits)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the example and the exit codes, the latter from the one table."""
        with formatter.section("Example"):
            for line in self.example.splitlines():
                formatter.write_text(line)
        with formatter.section("Exit codes"):
            codes = [(str(int(code)), EXIT_MEANING[code]) for code in self.exits]
            formatter.write_dl([*codes, ("128+n", "ended by signal n")])

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the verb; a reader that went away ends it like the signal would."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # click would turn it into exit code 1, as if something had failed.
            raise Ended(SIGPIPE) from None


def verb(
    name: str,
    *,
    example: str,
    store: bool = False,
    answers: bool = False,
    dry_run: bool = False,
    configured: bool = True,
    lasting: bool = False,
    default_store: str | None = None,
    exits: Sequence[Exit] = (),
) -> Callable[[Callable[..., Exit | None]], Verb]:
    """Makes a function a verb; its docstring is the help text, its first argument the Context.

    `store` adds `--store` and the store's exit codes, `answers` adds `--json`, `dry_run` adds `--dry-run`,
    `configured` adds `-c` and loads the configuration first. `lasting` is for what runs until it is stopped: it
    logs from INFO on, others from WARNING. `exits` names further exit codes.
    """
    codes = {Exit.DONE, Exit.FAILED, Exit.USAGE, *exits} | ({Exit.NO_STORE, Exit.LOCKED} if store else set())

    def decorate(function: Callable[..., Exit | None]) -> Verb:
        def callback(**options: Any) -> int:
            from symsrv.commands.output import configure_logging

            context = Context(
                json=options.pop("json", False),
                verbose=options.pop("verbose"),
                dry_run=options.pop("dry_run", False),
                config_file=options.pop("config_file", None),
                store=options.pop("store", None),
                default_store=default_store,
            )
            log = context.config.log if configured else None
            configure_logging(
                log_format=log.format if log else "auto",
                level=log.level if log and lasting else "warning",
                verbose=context.verbose,
            )
            try:
                return int(function(context, **options) or Exit.DONE)
            finally:
                context.close()

        # Where the verb comes from, for tracebacks and for the house test.
        callback.__module__, callback.__name__ = function.__module__, function.__name__
        params = list(reversed(getattr(function, "__click_params__", [])))
        return Verb(
            name,
            callback=callback,
            params=[*params, *_common(store=store, answers=answers, dry_run=dry_run, configured=configured)],
            help=function.__doc__,
            example=example,
            exits=sorted(codes),
        )

    return decorate


def _common(*, store: bool, answers: bool, dry_run: bool, configured: bool) -> list[click.Option]:
    options = []
    if store:
        options.append(
            click.Option(
                ["--store"],
                metavar="URL",
                help="The store: a folder, s3://bucket/prefix or gs://bucket/prefix.  [env: SYMSRV_STORE]",
            )
        )
    if dry_run:
        options.append(click.Option(["--dry-run"], is_flag=True, help="Say what would be done, and do nothing."))
    if answers:
        options.append(click.Option(["--json"], is_flag=True, help="One JSON object per line on stdout."))
    if configured:
        options.append(
            click.Option(
                ["-c", "--config", "config_file"],
                metavar="FILE",
                type=click.Path(path_type=Path),
                help="The configuration file.  [env: SYMSRV_CONFIG]",
            )
        )
    options.append(click.Option(["-v", "--verbose"], count=True, help="Tell more; twice for everything."))
    return options
