"""The way in and the way out of the program: arguments, streams, signals, errors and exit codes."""

import io
import json
import logging
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from types import FrameType
from typing import Any

import click

from symsrv import __version__
from symsrv.commands.base import SIGPIPE, Ended, Verb, shown
from symsrv.model.errors import Exit, SymsrvError

logger = logging.getLogger(__name__)


def run(
    commands: Sequence[Verb], arguments: Sequence[str] | None = None, *, families: Mapping[str, str] | None = None
) -> int:
    """Runs the verb that the arguments name and returns the exit code.

    A verb of two words, as `upstream add`, belongs to the family of its first; `families` has the help text of each.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in arguments
    _prepare_streams()
    restore = _listen_to_signals()
    try:
        code = int(_group(commands, families or {}).main(arguments, prog_name="symsrv", standalone_mode=False) or 0)
        sys.stdout.flush()
        return code
    except Ended as end:
        return 128 + end.number
    except BrokenPipeError:
        return 128 + SIGPIPE
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return Exit.USAGE
    except click.UsageError as error:
        hint = f"; see '{error.ctx.command_path} --help'" if error.ctx else ""
        return _complain(f"{error.format_message().rstrip('.')}{hint}", "usage", Exit.USAGE, as_json=as_json)
    except click.ClickException as error:
        return _complain(error.format_message(), "usage", Exit.USAGE, as_json=as_json)
    except (KeyboardInterrupt, click.Abort):
        return 128 + signal.SIGINT
    except SymsrvError as error:
        return _complain(str(error), error.reason, error.exit_code, as_json=as_json)
    except OSError as error:
        return _complain(_system_sentence(error), "system", Exit.FAILED, as_json=as_json)
    except Exception as error:
        logger.debug("unexpected error", exc_info=True)
        what = f"unexpected {type(error).__name__}: {error}; this is a defect in symsrv, -vv shows where"
        return _complain(what, "defect", Exit.FAILED, as_json=as_json)
    finally:
        restore()
        _quieten_stdout()


class _InTableOrder(click.Group):
    """Lists the verbs as the table does, the most used ones first."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


def _group(commands: Sequence[Verb], families: Mapping[str, str]) -> click.Group:
    group = _InTableOrder(
        "symsrv",
        help="One symbol store for every debugger: publish build output, serve it in every client's dialect.",
        epilog="'symsrv VERB --help' shows a verb's options with an example.",
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    for verb in commands:
        family, _, name = (verb.name or "").rpartition(" ")
        _family(group, family, families).add_command(verb, name)
    return click.version_option(__version__, prog_name="symsrv", message="%(prog)s %(version)s")(group)


def _family(group: click.Group, name: str, families: Mapping[str, str]) -> click.Group:
    """The group that a verb belongs to: the program itself, or what the verb's first word makes."""
    if not name:
        return group
    found = group.commands.get(name)
    if not isinstance(found, click.Group):
        epilog = f"'symsrv {name} VERB --help' shows a verb's options with an example."
        found = _InTableOrder(name, help=families.get(name), epilog=epilog)
        group.add_command(found, name)
    return found


def _complain(sentence: str, reason: str, code: Exit, *, as_json: bool) -> int:
    with suppress(BrokenPipeError):
        click.echo(f"symsrv: {shown(sentence)}", err=True)
        if as_json:
            click.echo(json.dumps({"error": sentence, "reason": reason}, ensure_ascii=False))
    return int(code)


def _system_sentence(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}"


def _prepare_streams() -> None:
    # UTF-8 also into a Windows pipe; and a file's name in another encoding (a lone surrogate) comes out as \udcxx,
    # which is what JSON makes of it, too.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def _listen_to_signals() -> Callable[[], None]:
    """Makes INT, TERM and HUP end the program in order; the second one takes the system's own way."""
    before: dict[int, Any] = {}

    def end(number: int, _frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        raise Ended(number)

    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"):
        number = getattr(signal, name, None)
        with suppress(ValueError):  # not in the main thread: somebody else minds signals
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, end)

    def restore() -> None:
        for number, handler in before.items():
            with suppress(ValueError, TypeError):
                signal.signal(number, handler)

    return restore


def _quieten_stdout() -> None:
    """Keeps the interpreter from complaining at its end about a reader that went away."""
    try:
        sys.stdout.flush()
    except (BrokenPipeError, ValueError):
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
