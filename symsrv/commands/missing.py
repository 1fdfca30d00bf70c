"""`symsrv missing`: what of a crash dump's modules is not in the store."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from symsrv.commands.base import Context, outcome, shown, verb
from symsrv.model.errors import Exit, SymsrvError, UsageError
from symsrv.model.modules import Module
from symsrv.model.names import fold

if TYPE_CHECKING:
    from symsrv.commands.identifying import Seen
    from symsrv.store.needs import Need
    from symsrv.store.whereabouts import Sight

_STATES = ("missing", "near", "have", "no-id")  # in the order of the table: what has to be done comes first
_NONE = "-"


@dataclass(slots=True)
class _Loaded:
    """The modules of all dumps, each once, and how many dumps had it; the dumps that could be read, and not."""

    counts: dict[Module, int] = field(default_factory=dict)
    good: int = 0
    bad: int = 0


@verb(
    "missing",
    example="symsrv missing --dump crash.dmp --store ./symbols\n"
    "symsrv missing --dump dumps/ --include 'app*' --only missing --strict",
    store=True,
    answers=True,
    exits=(Exit.PARTLY,),
)
@click.option(
    "--dump", "dumps", metavar="FILE...", multiple=True, type=click.Path(path_type=Path), help="A crash dump."
)
@click.option(
    "--only", multiple=True, type=click.Choice(_STATES), help="Only modules of this state; may be given several times."
)
@click.option("--include", metavar="PATTERN", multiple=True, help="Only modules whose name matches, as 'app*.dll'.")
@click.option("--exclude", metavar="PATTERN", multiple=True, help="No modules whose name matches.")
@click.option("--strict", is_flag=True, help="Exit code 1 if a listed module is missing or near.")
@click.argument("more", metavar="[FILE]...", nargs=-1, type=click.Path(path_type=Path))
def missing(
    context: Context,
    dumps: tuple[Path, ...],
    more: tuple[Path, ...],
    only: tuple[str, ...],
    include: tuple[str, ...],
    exclude: tuple[str, ...],
    strict: bool,
) -> Exit:
    """Say for every module of crash dumps whether a debugger would find its program and its debug file here.

    A dump is a minidump or an ELF core; a program stands for itself, a folder for all dumps below, an archive for
    those in it. A module is `have`, `missing`, `near` (only one half of it is here, another build, another name) or
    `no-id` (the dump tells no id to ask by). Modules of the system are listed, too: see --exclude.
    """
    from symsrv.store.needs import need

    if not dumps:
        raise UsageError("say whose modules: symsrv missing --dump FILE")
    loaded = _read(context, (*dumps, *more))
    store = context.assembly().store
    store.catch_up()
    wished = [one for one in loaded.counts if _named(one, include, exclude)]
    with context.progress("looking", total=len(wished)) as line:
        needs = []
        for module in wished:
            needs.append(need(store, module))
            line.step()
    needs.sort(key=lambda one: (_STATES.index(one.state), fold(one.module.name)))
    listed = [one for one in needs if not only or one.state in only]
    if context.json:
        for one in listed:
            context.answer(_record(one, loaded.counts[one.module]))
    elif loaded.good or loaded.counts:
        context.answer({}, text=_text(listed, needs, loaded))
    if loaded.bad:
        return outcome(good=loaded.good, bad=loaded.bad)
    return Exit.FAILED if strict and any(one.state in ("missing", "near") for one in listed) else Exit.DONE


def _read(context: Context, paths: tuple[Path, ...]) -> _Loaded:
    from symsrv.commands.identifying import Files

    loaded, merged = _Loaded(), dict[tuple[Any, ...], Module]()
    for seen in Files(paths):
        its: dict[Module, None] = {}
        failure = _failure_of(seen, its, merged)
        reason = failure.reason if isinstance(failure, SymsrvError) else None
        if failure is not None and not its and reason in ("unknown-format", "empty") and seen.path not in paths:
            continue  # a log or a picture beside the dumps
        loaded.good += failure is None
        if failure is not None:
            loaded.bad += 1
            _refuse(context, seen.label, failure)
        for module in its:
            loaded.counts[module] = loaded.counts.get(module, 0) + 1
    return loaded


def _failure_of(
    seen: "Seen", its: dict[Module, None], merged: dict[tuple[Any, ...], Module]
) -> SymsrvError | OSError | None:
    """Adds what a dump had loaded, each module as it was met first in any dump; returns what went wrong meanwhile."""
    try:
        for module in seen.modules():
            key = (fold(module.name), module.code_ids, module.debug_ids)
            its[merged.setdefault(key, module)] = None
    except (SymsrvError, OSError) as error:
        return error
    return None


def _refuse(context: Context, label: str, error: SymsrvError | OSError) -> None:
    sentence, reason = str(error), "unreadable"
    if isinstance(error, SymsrvError):
        reason = error.reason
    else:
        sentence = (error.strerror or sentence).lower()
        reason = "missing" if isinstance(error, FileNotFoundError) else reason
    context.answer({"path": label, "error": sentence, "reason": reason})
    if not context.json:
        context.warn(f"{label}: {sentence} ({reason})")


def _named(module: Module, include: tuple[str, ...], exclude: tuple[str, ...]) -> bool:
    name = fold(module.name)
    within = not include or any(fnmatchcase(name, fold(one)) for one in include)
    return within and not any(fnmatchcase(name, fold(one)) for one in exclude)


def _record(need: "Need", dumps: int) -> dict[str, Any]:
    module = need.module
    return {
        "name": module.name,
        "id": module.debug_id or module.code_id,
        "code_file": module.name,
        "code_id": module.code_id,
        "path": module.path,
        "version": module.version,
        "state": need.state.value,
        "debug_file": need.debug_name,
        "debug_id": module.debug_id,
        "code_state": need.code_state.value,
        "debug_state": need.debug_state.value,
        "dumps": dumps,
        "near": [one.to_record() for one in need.near],
    }


def _text(listed: list["Need"], needs: list["Need"], loaded: _Loaded) -> str:
    return "\n".join([*_table(listed, loaded), _totals(needs, loaded)])


def _table(listed: list["Need"], loaded: _Loaded) -> Iterator[str]:
    if not listed:
        return
    title = ("state", "program", "debug file", "name", "version", "code id", "debug id", "dumps")
    rows = [tuple(shown(cell or _NONE) for cell in _row(one, loaded)) for one in listed]
    widths = [max(map(len, column)) for column in zip(title, *rows, strict=True)]
    yield "  ".join(map(str.ljust, title, widths)).rstrip()
    for one, row in zip(listed, rows, strict=True):
        yield "  ".join(map(str.ljust, row, widths)).rstrip()
        for sight in one.near:
            yield f"  {sight.reason}: {sight.key}{_build(sight)}"


def _row(need: "Need", loaded: _Loaded) -> tuple[str | None, ...]:
    module = need.module
    words = (need.state, need.code_state, need.debug_state, module.name or module.path)
    return (*words, module.version, module.code_id, module.debug_id, str(loaded.counts[module]))


def _build(sight: "Sight") -> str:
    words = " ".join(filter(None, (sight.product, sight.version)))
    return f" ({shown(words)})" if words else ""


def _totals(needs: list["Need"], loaded: _Loaded) -> str:
    count = {state: sum(one.state == state for one in needs) for state in _STATES}
    modules = f"{len(needs)} module" + ("" if len(needs) == 1 else "s")
    dumps = f"{loaded.good + loaded.bad} dump" + ("" if loaded.good + loaded.bad == 1 else "s")
    return f"{modules} of {dumps}: " + ", ".join(f"{number} {state}" for state, number in count.items())
