"""`symsrv identify`: what each file is, its ids, the keys under which it is asked for; what dumps had loaded."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from symsrv.commands.base import Context, outcome, verb
from symsrv.model.errors import Exit, SymsrvError, UsageError

if TYPE_CHECKING:
    from symsrv.commands.identifying import Seen


@verb(
    "identify",
    example="symsrv identify out/crash.exe out/crash.pdb\nsymsrv identify --json out/\n"
    "symsrv identify --modules crash.dmp",
    answers=True,
    configured=False,
    exits=(Exit.PARTLY,),
)
@click.option("--modules", is_flag=True, help="List what a dump or a core had loaded, or what a program loads.")
@click.option("--contents", is_flag=True, help="Also list sections, source files and source server data.")
@click.argument("paths", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
def identify(context: Context, paths: tuple[Path, ...], modules: bool, contents: bool) -> Exit:
    """Say what each file is, its ids, and the keys under which debuggers ask for it.

    A folder stands for all files in it and below, an archive for its members. Only headers are read, so a file's size
    does not matter; with --contents more is.

    With --modules, a minidump or an ELF core stands for the programs and libraries that the process had loaded, and a
    program for itself and what it names to be loaded.
    """
    from symsrv.commands.identifying import Files

    if modules and contents:
        raise UsageError("--modules and --contents are two different lists; ask for one of them")
    good = bad = 0
    for seen in Files(paths):
        done = _list_modules(context, seen) if modules else _identify(context, seen, contents=contents)
        good, bad = good + done, bad + (not done)
    return outcome(good=good, bad=bad)


def _identify(context: Context, seen: "Seen", *, contents: bool) -> bool:
    from symsrv.commands.identifying import identity_record, identity_text

    try:
        size, identities = seen.identities()
    except (SymsrvError, OSError) as error:
        return _refuse(context, seen.label, error)
    extra: dict[str, Any] = {}
    if contents:
        try:
            extra = {"contents": seen.contents(identities[0].name)}
        except (SymsrvError, OSError) as error:
            extra = {"contents": None}
            context.warn(f"{seen.label}: its contents cannot be listed: {_why(error)[0]}")
    for identity in identities:
        record = identity_record(seen, size, identity) | extra
        context.answer(record, text=None if context.json else identity_text(record))
    return True


def _list_modules(context: Context, seen: "Seen") -> bool:
    from symsrv.commands.identifying import module_record, modules_text

    found, failure = [], None
    try:
        for module in seen.modules():
            if context.json:
                context.answer(module_record(seen, module))
            else:
                found.append(module)
    except (SymsrvError, OSError) as error:
        failure = error
    if found or (failure is None and not context.json):
        context.answer({}, text=modules_text(seen, found))
    return failure is None or _refuse(context, seen.label, failure)


def _refuse(context: Context, label: str, error: SymsrvError | OSError) -> bool:
    sentence, reason = _why(error)
    context.answer({"path": label, "error": sentence, "reason": reason})
    if not context.json:
        context.warn(f"{label}: {sentence} ({reason})")
    return False


def _why(error: SymsrvError | OSError) -> tuple[str, str]:
    if isinstance(error, SymsrvError):
        return str(error), error.reason
    missing = isinstance(error, FileNotFoundError)
    return (error.strerror or str(error)).lower(), "missing" if missing else "unreadable"
