"""`symsrv pull`: fetches what is missing from the upstreams that are connected."""

import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from symsrv.commands.base import Context, Ended, outcome, verb
from symsrv.commands.signals import Signals
from symsrv.model.errors import Exit, UsageError

if TYPE_CHECKING:
    from symsrv.commands.pulling import Demand
    from symsrv.mirror.plan import Plan
    from symsrv.mirror.puller import Puller
    from symsrv.model.ask import Ask
    from symsrv.model.wants import Wish

_JOIN_SECONDS = 0.5
_TELL_SECONDS = 30.0
WHO = "pull"


@verb(
    "pull",
    example="symsrv pull ntdll.pdb 1B2C3D4E5F60718293A4B5C6D7E8F9011\n"
    "symsrv pull --dump crash.dmp --plan\n"
    "symsrv pull --missing --keep-going",
    store=True,
    answers=True,
    dry_run=True,
    exits=(Exit.PARTLY,),
)
@click.argument("keys", metavar="[KEY]...", nargs=-1)
@click.option(
    "--dump", "dumps", metavar="FILE", multiple=True, type=click.Path(path_type=Path), help="What a dump had loaded."
)
@click.option(
    "--module",
    "modules",
    metavar="PATH",
    multiple=True,
    type=click.Path(path_type=Path),
    help="The debug files of a program, or of all below a folder.",
)
@click.option("--missing", is_flag=True, help="Everything that was asked for and not found; see 'symsrv missing'.")
@click.option("--plan", is_flag=True, help="Only print each request that would be made, and why others would not.")
@click.option(
    "--from-plan", metavar="FILE", type=click.Path(path_type=Path), help="Make the requests of a plan (--plan --json)."
)
@click.option("--upstream", "upstreams", metavar="NAME", multiple=True, help="Ask only this one; may be given again.")
@click.option("--again", is_flag=True, help="Ask for what rests or is on the skiplist, too.")
@click.option("--keep-going", is_flag=True, help="With --missing: go on until stopped, with what is missed later.")
def pull(
    context: Context,
    keys: tuple[str, ...],
    dumps: tuple[Path, ...],
    modules: tuple[Path, ...],
    missing: bool,
    plan: bool,
    from_plan: Path | None,
    upstreams: tuple[str, ...],
    again: bool,
    keep_going: bool,
) -> Exit:
    """Fetch what is missing from other symbol servers, check that it is what was asked for, and publish it.

    KEY is NAME/ID/FILE, or a NAME followed by its ID in any spelling. Files come from the upstreams that 'symsrv
    upstream add' or the configuration names, in their order. What an upstream does not have is remembered and not
    asked for again for a while; --again does all the same. What was fetched in part is gone on with.

    A plan asks nobody. As JSON lines it can be looked through, cut down, and carried out with --from-plan. Exit code
    0: everything is here; 3: some of it; 1: nothing.
    """
    _check(keys, dumps, modules, missing=missing, plan=plan, from_plan=from_plan, keep_going=keep_going)
    context.dry_run = context.dry_run or plan
    carried_out = _read(from_plan) if from_plan is not None else None
    demand = _demand(context, keys, dumps, modules)
    if carried_out is not None:
        demand.wishes += _wished(carried_out.asks)
    if context.dry_run:
        return _show(context, demand, missing=missing, upstreams=upstreams)
    run = _Run(context, upstreams, carried_out)
    return run.on(again=again) if keep_going else run.once(demand, missing=missing, again=again)


def _check(
    keys: Sequence[str],
    dumps: Sequence[Path],
    modules: Sequence[Path],
    *,
    missing: bool,
    plan: bool,
    from_plan: Path | None,
    keep_going: bool,
) -> None:
    named = bool(keys or dumps or modules)
    if not named and not missing and from_plan is None:
        raise UsageError("say what to fetch: a KEY, --dump FILE, --module PATH, --missing or --from-plan FILE")
    if from_plan is not None and (named or missing or plan):
        raise UsageError("a plan says by itself what is fetched: give --from-plan FILE alone")
    if keep_going and (not missing or named or plan):
        raise UsageError("--keep-going belongs to --missing, alone")


def _read(path: Path) -> "Plan":
    from symsrv.mirror.plan import read_plan

    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the plan {path} cannot be read: {error}") from error
    return read_plan(text.splitlines(), origin=str(path))


def _demand(context: Context, keys: Sequence[str], dumps: Sequence[Path], modules: Sequence[Path]) -> "Demand":
    from symsrv.commands.pulling import Demand, lacking_of_dumps, wishes_by_modules

    demand = Demand(_wished(_asks(keys)))
    demand.wishes += wishes_by_modules(modules, context.warn)
    if dumps:
        assembly = context.assembly()
        store = assembly.store if context.dry_run else assembly.new_store
        demand.dumps = lacking_of_dumps(store, dumps, context.warn)
    return demand


def _wished(asks: "Iterable[Ask]") -> "list[Wish]":
    from symsrv.model.wants import Wish

    return [Wish(ask, who=WHO) for ask in asks]


def _asks(keys: Sequence[str]) -> "Iterator[Ask]":
    """Whole keys, and names that are followed by their id."""
    from symsrv.layouts.asking import asked

    words = list(keys)
    while words:
        word = words.pop(0)
        ask = asked(word)
        if ask is None and "/" not in word and "\\" not in word and words:
            ask = asked(word, words.pop(0))
        if ask is None:
            raise UsageError(f"{word!r} is no key; write NAME/ID/FILE, or NAME and then its ID")
        yield ask


def _show(context: Context, demand: "Demand", *, missing: bool, upstreams: Sequence[str]) -> Exit:
    """Prints the plan; nothing is made for it, no state either."""
    from symsrv.commands.pulling import Sources
    from symsrv.ledger.state import open_state
    from symsrv.mirror.gates import Gates
    from symsrv.mirror.planning import planned

    assembly = context.assembly()
    store, options = assembly.store, assembly.config.mirror
    state = assembly.state_if_made or open_state("sqlite://")
    gates = Gates(state, options, store.arriving)
    gates.flush()
    roster = Sources(assembly, state).roster(upstreams)
    roster.refresh()
    wishes = demand.all()
    for step in planned(store, state, roster.connected, wishes=wishes, missing=missing, gates=gates, race=options.race):
        context.answer(step.to_record(), text=str(step))
    roster.close()
    return Exit.DONE


class _Run:
    """One run of the puller for a person, or on and on for a machine."""

    def __init__(self, context: Context, upstreams: Sequence[str], plan: "Plan | None" = None) -> None:
        from symsrv.commands.pulling import Sources

        self._context = context
        self._assembly = context.assembly()
        self._store = self._assembly.new_store
        self._state = self._assembly.state
        self._sources = Sources(self._assembly, self._state)
        self._upstreams = upstreams
        self._plan = plan

    def once(self, demand: "Demand", *, missing: bool, again: bool) -> Exit:
        """Goes through what is wished, or through the whole queue; says what became of each file."""
        from symsrv.commands.pulling import Telling, left

        context, state = self._context, self._state
        numbers = demand.file(state)
        if again:
            state.wants.wake(numbers=None if missing else numbers)
        with context.progress("pulling", total=None if missing else len(numbers)) as line:
            telling = Telling(context, line.step)
            only = None if missing else numbers
            puller = self._puller(only=only, plan=self._plan, told=telling)
            with self._tellers():
                puller.once(threading.Event())
        for number in numbers:
            if not telling.told(number) and (want := state.wants.get(number)) is not None:
                telling(left(want))
        context.answer(telling.summary(), text=telling.sentence())
        return outcome(good=telling.here, bad=telling.missing)

    def on(self, *, again: bool) -> Exit:
        """Goes on until a signal comes; a hangup reads the configuration again."""
        from symsrv.commands.mirroring import Mirror
        from symsrv.commands.output import configure_logging
        from symsrv.commands.pulling import Telling, Workers

        log = self._assembly.config.log
        configure_logging(log_format=log.format, level=log.level, verbose=self._context.verbose)
        if again:
            self._state.wants.wake()
        telling = Telling(self._context, lambda: None, only_here=True)
        with Signals(reloads=True) as signals:
            mirror = Mirror(self._assembly, self._upstreams, told=telling)
            workers = Workers(signals.stop, **mirror.runs)
            self._context.say("pulling what is missing, until stopped")
            while workers.busy(_JOIN_SECONDS):
                if signals.reload.is_set():
                    signals.reload.clear()
                    mirror.reload_file(self._context.config_file)
            workers.check()
        if signals.number is not None:
            raise Ended(signals.number)
        return Exit.DONE

    @contextmanager
    def _tellers(self) -> Iterator[None]:
        """Has receivers told of what comes, and waits a little at the end; what they did not hear they hear later."""
        options = self._assembly.config.mirror
        if not options.tell:
            yield
            return
        from symsrv.mirror.tellers import open_tellers

        tellers = open_tellers(options, self._assembly.new_store, self._state)
        try:
            yield
            tellers.drain(_TELL_SECONDS)
        finally:
            tellers.close()

    def _puller(self, **more: Any) -> "Puller":
        from symsrv.commands.pulling import make_puller

        return make_puller(self._assembly, self._sources, self._upstreams, **more)
