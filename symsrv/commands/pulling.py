"""What `pull` and `up` have in common: a puller over everything that is configured, and what is told of it."""

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symsrv.commands.base import Context, shown
from symsrv.model.errors import SymsrvError, UsageError
from symsrv.model.wants import WantState

if TYPE_CHECKING:
    from symsrv.assembly import Assembly
    from symsrv.config import Config
    from symsrv.ledger.state import State
    from symsrv.mirror.base import Upstream
    from symsrv.mirror.dumps import Dump
    from symsrv.mirror.following import Following
    from symsrv.mirror.puller import Done, Puller
    from symsrv.mirror.roster import Roster
    from symsrv.mirror.settings import UpstreamOptions
    from symsrv.model.wants import Want, Wish
    from symsrv.store import SymbolStore

logger = logging.getLogger(__name__)

_NO_MODULE = ("unknown-format", "empty", "not-symbols")


class Sources:
    """The upstreams that a configuration and the state name; the configuration may be read anew."""

    def __init__(self, assembly: "Assembly", state: "State") -> None:
        self._assembly = assembly
        self._state = state
        self._configured: Sequence[UpstreamOptions] = assembly.config.upstreams
        self.options = assembly.config.mirror

    def listed(self) -> "list[UpstreamOptions]":
        """All that can be asked, switched on or not."""
        from symsrv.mirror.registry import Registry

        return Registry(self._configured, self._state.upstreams).usable()

    def reload(self, config: "Config") -> None:
        """Takes those of another configuration."""
        self._configured = config.upstreams
        self.options = config.mirror

    def roster(self, names: Sequence[str] = ()) -> "Roster":
        """A roster of them, or of those with these names; raises UsageError for a name that there is not."""
        from symsrv.mirror.roster import Roster

        known = [one.name for one in self.listed()] if names else []
        for name in names:
            if name not in known:
                raise UsageError(f"there is no upstream {name}; there are: {', '.join(known) or 'none yet'}")
        return Roster(self._state, self.listed, self._opened, only=names)

    def following(self, names: Sequence[str], *, wake: Callable[[], object]) -> "Following":
        """What follows those of them, or of those with these names, that are followed."""
        from symsrv.mirror.following import Following

        def listed() -> "Iterator[UpstreamOptions]":
            return (one for one in self.listed() if not names or one.name in names)

        store, options = self._assembly.new_store, lambda: self.options
        return Following(store, self._state, listed, opener=self._opened, options=options, filed=lambda _: wake())

    def _opened(self, options: "UpstreamOptions") -> "Upstream":
        from symsrv.mirror import Surroundings, open_upstream

        around = Surroundings(self.options.contact, lambda: self._assembly.new_store, lambda: self._state)
        return open_upstream(options, around)


def make_puller(assembly: "Assembly", sources: Sources, upstreams: Sequence[str] = (), **more: Any) -> "Puller":
    """A puller into the configured store, of all upstreams or some; what else it takes is `Puller`'s."""
    from symsrv.mirror.puller import Puller

    roster, options = sources.roster(upstreams), assembly.config.mirror
    return Puller(assembly.new_store, assembly.state, roster, options=options, **more)


class Workers:
    """Threads that go on until an event is set; one that fails sets it for all."""

    def __init__(self, stop: threading.Event, **runs: Callable[[threading.Event], None]) -> None:
        self._stop = stop
        self._failures: list[BaseException] = []
        self._threads = [threading.Thread(target=self._work, args=(run,), name=name) for name, run in runs.items()]
        for thread in self._threads:
            thread.start()

    def busy(self, seconds: float) -> bool:
        """Waits a moment; whether any of them is at work still."""
        running = [thread for thread in self._threads if thread.is_alive()]
        if running:
            running[0].join(seconds)
        return bool(running)

    def check(self) -> None:
        """Raises what one of them failed with."""
        for error in self._failures:
            raise error

    def _work(self, run: Callable[[threading.Event], None]) -> None:
        try:
            run(self._stop)
        except BaseException as error:
            self._failures.append(error)
            self._stop.set()


class Telling:
    """Says of each want that is done with what became of it, and counts them. Safe to share between threads.

    `only_here`: says nothing of what is missing, as it will be tried again.
    """

    def __init__(self, context: Context, step: Callable[[], object], *, only_here: bool = False) -> None:
        self._context = context
        self._step = step
        self._only_here = only_here
        self._lock = threading.Lock()
        self.bytes = 0
        self._ends: dict[int, bool] = {}

    @property
    def here(self) -> int:
        """How many files are here now."""
        return sum(self._ends.values())

    @property
    def missing(self) -> int:
        """How many are not."""
        return len(self._ends) - self.here

    def told(self, number: int) -> bool:
        """Whether it has heard of a want; of one it may hear again, as what it is made of may come later."""
        return number in self._ends

    def __call__(self, done: "Done") -> None:
        """Hears of one."""
        with self._lock:
            if not self._only_here:  # a machine goes on for ever
                self._ends[done.want.id] = done.here
            self.bytes += done.size or 0
            if done.here or not self._only_here:
                self._context.answer(record_of(done), text=sentence_of(done))
            self._step()

    def summary(self) -> dict[str, Any]:
        """The last line of `pull --json`."""
        return {"type": "summary", "here": self.here, "missing": self.missing, "bytes": self.bytes}

    def sentence(self) -> str:
        """The same for people."""
        files = self.here + self.missing
        if not files:
            return "there is nothing to fetch"
        return f"{self.here} of {files} file{'' if files == 1 else 's'} here, {self.bytes:,} bytes came"


def left(want: "Want") -> "Done":
    """What is to be said of a want that was not worked on in this run."""
    from symsrv.mirror.outcomes import NotAsked
    from symsrv.mirror.puller import Done

    if want.state is WantState.ANSWERED:
        return Done(want, "present")
    reason, sentence = want.reason or "failed", "it was asked for lately; --again does so once more"
    if want.state is WantState.CLAIMED:
        reason, sentence = NotAsked.CLAIMED, "another process is fetching it"
    elif want.state is WantState.OPEN:
        reason, sentence = NotAsked.NO_UPSTREAM, "no upstream is connected; see 'symsrv upstream add'"
    return Done(want, "missing", reason, sentence, due=want.due)


def record_of(done: "Done") -> dict[str, Any]:
    """The line of `pull --json`; fields may be added, never renamed."""
    ask = done.want.ask
    return {
        "name": ask.name,
        "id": ask.ids[0].value,
        "kind": ask.wants.value,
        "status": done.status,
        "reason": done.reason,
        "why": done.sentence,
        "key": done.key,
        "upstream": done.upstream,
        "address": done.address,
        "size": done.size,
        "due": None if done.due is None else done.due.isoformat(),
    }


def sentence_of(done: "Done") -> str:
    """The same for people."""
    what = done.key or f"{done.want.ask.name or '-'} {done.want.ask.ids[0].value}"
    if done.here:
        return f"{done.status:8} {shown(what)}" + (f"  {shown(done.upstream)}" if done.upstream else "")
    again = f", again after {done.due:%Y-%m-%d %H:%M} UTC" if done.due else ""
    return f"{done.status:8} {shown(what)}: {shown(done.sentence or '')} ({done.reason}{again})"


def wishes_by_modules(paths: Iterable[Path], say: Callable[[str], object]) -> "Iterator[Wish]":
    """Wishes for the debug files of programs, and of those in folders and archives."""
    from symsrv.commands.identifying import Files
    from symsrv.model.ask import Wants
    from symsrv.model.wishes import module_wishes

    named = tuple(paths)
    for seen in Files(named):
        try:
            for module in seen.modules():
                wishes = module_wishes(module, who=f"module:{module.name}")
                yield from (wish for wish in wishes if wish.ask.wants is Wants.DEBUG)
        except (SymsrvError, OSError) as error:
            if seen.path in named or getattr(error, "reason", "") not in _NO_MODULE:
                say(f"{seen.label}: {error}")


@dataclass(slots=True)
class Demand:
    """What is to be fetched: wishes, and dumps with what each of them lacks."""

    wishes: "list[Wish]" = field(default_factory=list)
    dumps: "list[tuple[Dump, list[Wish]]]" = field(default_factory=list)

    def all(self) -> "list[Wish]":
        """Every wish."""
        return [*self.wishes, *(wish for _, wishes in self.dumps for wish in wishes)]

    def file(self, state: "State") -> list[int]:
        """Files it, a report for each dump that waits for all of its files; returns the numbers of the wants."""
        from symsrv.store.reports import file_report

        numbers = state.wants.file(self.wishes)
        for dump, wishes in self.dumps:
            file_report(state, dump.who.removeprefix("dump:"), wishes, mark=dump.fingerprint)
            numbers += [want.id for wish in wishes if (want := state.wants.at(wish.ask)) is not None]
        return list(dict.fromkeys(numbers))


def lacking_of_dumps(
    store: "SymbolStore", paths: Sequence[Path], say: Callable[[str], object]
) -> "list[tuple[Dump, list[Wish]]]":
    """The dumps among files and folders, and what of each is not in the store."""
    from symsrv.commands.identifying import Files
    from symsrv.mirror.dumps import read_dumps
    from symsrv.store.needs import need
    from symsrv.store.reports import lacking

    store.catch_up()
    found = []
    for dump in read_dumps(Files(paths), named=paths):
        if dump.failure is not None:
            say(f"{dump.label}: {dump.failure}")
        found.append((dump, lacking([need(store, module) for module in dump.modules], who=dump.who)))
    return found
