"""Dumps: what crash dumps, cores and programs had loaded, each module once, whatever a dump says of itself."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from symsrv.model.errors import NotIdentified, SymsrvError
from symsrv.model.modules import Module
from symsrv.model.names import fold
from symsrv.model.wants import Wish
from symsrv.model.wishes import module_wishes
from symsrv.store.reports import fingerprint

MODULES_LIMIT = 16_384  # of one dump: it may say anything, and each module becomes two wants
_NO_DUMP = ("unknown-format", "empty")


class DumpFile(Protocol):
    """A file that may be a dump: how it is called, and where it lies for as long as it is looked at."""

    @property
    def label(self) -> str:
        """How it is called; a member of an archive `a.zip!crash.dmp`."""

    @property
    def path(self) -> Path:
        """Where it lies."""

    def modules(self) -> Iterator[Module]:
        """Its modules; raises SymsrvError or OSError, perhaps after some of them."""


@dataclass(frozen=True, slots=True)
class Dump:
    """One dump: its modules, each once; what went wrong while reading it, if something did."""

    label: str
    fingerprint: str
    modules: tuple[Module, ...]
    failure: SymsrvError | OSError | None = None

    @property
    def who(self) -> str:
        """Who wishes for what it lacks."""
        return who_of(self.label)

    def wishes(self) -> tuple[Wish, ...]:
        """A wish for the program and for the debug file of each module, whether they are here or not."""
        return tuple(wish for module in self.modules for wish in module_wishes(module, who=self.who))


@dataclass(slots=True)
class Loaded:
    """The modules of many dumps, and how many dumps had each; the dumps that could be read, and not."""

    counts: dict[Module, int] = field(default_factory=dict)
    good: int = 0
    bad: int = 0

    def add(self, dump: Dump) -> None:
        """Counts a dump in."""
        self.good += dump.failure is None
        self.bad += dump.failure is not None
        for module in dump.modules:
            self.counts[module] = self.counts.get(module, 0) + 1


def read_dumps(files: Iterable[DumpFile], *, named: Collection[Path] = ()) -> Iterator[Dump]:
    """The dumps among files. What several had loaded is the same Module in all, as it was met first.

    What is no dump is passed over, but for the files that are `named`: those were meant to be one.
    """
    merged: dict[tuple[Any, ...], Module] = {}
    for one in files:
        found: dict[Module, None] = {}
        failure = _collect(one, found, merged)
        reason = failure.reason if isinstance(failure, SymsrvError) else None
        if failure is not None and not found and reason in _NO_DUMP and one.path not in named:
            continue  # a log or a picture beside the dumps
        yield Dump(one.label, fingerprint(one.path) if found else "", tuple(found), failure)


def who_of(label: str) -> str:
    """Who wishes, by how a dump is called: no path, which may have a person's name in it."""
    return f"dump:{label.replace(chr(92), '/').rpartition('/')[2].rpartition('!')[2]}"


def _collect(
    one: DumpFile, found: dict[Module, None], merged: dict[tuple[Any, ...], Module]
) -> SymsrvError | OSError | None:
    """Adds what a dump had loaded; returns what went wrong meanwhile."""
    try:
        for module in one.modules():
            if len(found) >= MODULES_LIMIT:
                raise NotIdentified("too-complex", f"a dump of more modules than symsrv looks at, {MODULES_LIMIT}")
            key = (fold(module.name), module.code_ids, module.debug_ids)
            found[merged.setdefault(key, module)] = None
    except (SymsrvError, OSError) as error:
        return error
    return None
