"""`symsrv missing --dump`: what of the modules of crash dumps is here; what is not goes on the missing list."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from symsrv.commands.base import Context, outcome, shown
from symsrv.model.errors import Exit, SymsrvError
from symsrv.model.modules import Module
from symsrv.model.names import fold

if TYPE_CHECKING:
    from symsrv.mirror.dumps import Dump, Loaded
    from symsrv.store.needs import Need
    from symsrv.store.whereabouts import Sight

_STATES = ("missing", "near", "have", "no-id")  # in the order of the table: what has to be done comes first
_NONE = "-"


@dataclass(frozen=True, slots=True)
class Selection:
    """Which modules are looked for (`include`, `exclude`), which are listed (`only`), and whether lacking one fails."""

    only: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    strict: bool = False

    def names(self, module: Module) -> bool:
        """Whether a module is looked for."""
        name = fold(module.name)
        within = not self.include or any(fnmatchcase(name, fold(one)) for one in self.include)
        return within and not any(fnmatchcase(name, fold(one)) for one in self.exclude)


def of_dumps(context: Context, paths: tuple[Path, ...], selection: Selection) -> Exit:
    """Says of every module whether it is here, and files what is not as wants, with a report for each dump."""
    from symsrv.commands.identifying import Files
    from symsrv.mirror.dumps import Loaded, read_dumps
    from symsrv.store.needs import need

    loaded = Loaded()
    dumps: list[Dump] = []
    for dump in read_dumps(Files(paths), named=paths):
        loaded.add(dump)
        dumps.append(dump)
        if dump.failure is not None:
            _refuse(context, dump.label, dump.failure)
    store = context.assembly().store
    store.catch_up()
    wished = [one for one in loaded.counts if selection.names(one)]
    needs: dict[Module, Need] = {}
    with context.progress("looking", total=len(wished)) as line:
        for module in wished:
            needs[module] = need(store, module)
            line.step()
    ordered = sorted(needs.values(), key=lambda one: (_STATES.index(one.state), fold(one.module.name)))
    listed = [one for one in ordered if not selection.only or one.state in selection.only]
    _answer(context, listed, ordered, loaded)
    if not context.dry_run:
        _file(context, dumps, needs)
    if loaded.bad:
        return outcome(good=loaded.good, bad=loaded.bad)
    lacking = any(one.state in ("missing", "near") for one in listed)
    return Exit.FAILED if selection.strict and lacking else Exit.DONE


def _file(context: Context, dumps: "list[Dump]", needs: "Mapping[Module, Need]") -> None:
    from symsrv.store.reports import file_report, lacking

    wanted = 0
    try:
        state = context.assembly().state
        for dump in dumps:
            wishes = lacking((needs[one] for one in dump.modules if one in needs), who=dump.who)
            file_report(state, dump.who.removeprefix("dump:"), wishes, mark=dump.fingerprint)
            wanted += len(wishes)
    except (SymsrvError, OSError) as error:  # what is here was said all the same
        context.warn(f"what is missing could not be put on the missing list: {error}")
    else:
        if wanted and not context.json:
            context.say("what is missing is on the missing list: 'symsrv missing' shows it, 'symsrv pull' fetches it")


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


def _answer(context: Context, listed: "list[Need]", needs: "list[Need]", loaded: "Loaded") -> None:
    if context.json:
        for one in listed:
            context.answer(one.to_record(dumps=loaded.counts[one.module]))
    elif loaded.good or loaded.counts:
        context.answer({}, text="\n".join([*_table(listed, loaded), _totals(needs, loaded)]))


def _table(listed: "list[Need]", loaded: "Loaded") -> Iterator[str]:
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


def _row(need: "Need", loaded: "Loaded") -> tuple[str | None, ...]:
    module = need.module
    words = (need.state, need.code_state, need.debug_state, module.name or module.path)
    return (*words, module.version, module.code_id, module.debug_id, str(loaded.counts[module]))


def _build(sight: "Sight") -> str:
    words = " ".join(filter(None, (sight.product, sight.version)))
    return f" ({shown(words)})" if words else ""


def _totals(needs: "list[Need]", loaded: "Loaded") -> str:
    count = {state: sum(one.state == state for one in needs) for state in _STATES}
    modules = f"{len(needs)} module" + ("" if len(needs) == 1 else "s")
    dumps = f"{loaded.good + loaded.bad} dump" + ("" if loaded.good + loaded.bad == 1 else "s")
    return f"{modules} of {dumps}: " + ", ".join(f"{number} {state}" for state, number in count.items())
