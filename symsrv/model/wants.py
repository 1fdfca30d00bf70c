"""Wants: what was asked for and not found, each once, however many ask for it and in whichever dialect."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from symsrv.model.ask import Ask, Wants
from symsrv.model.ids import BUILD, DEBUG, MSFZ, PE, PERFMAP, UUID, WASM, SymbolId
from symsrv.model.names import fold

_PROOF = (BUILD, UUID, WASM)
_DEBUG_ENDINGS = (".pdb", ".dbg")
_BY_KIND = {DEBUG: Wants.DEBUG, MSFZ: Wants.DEBUG, PERFMAP: Wants.DEBUG, PE: Wants.CODE}


class WantState(StrEnum):
    """Where a want stands. Tools read these words: add to them, never rename one.

    OPEN waits for a puller, RESTING until its time comes, CLAIMED is being worked on. ANSWERED was published since.
    GIVEN_UP is skipped until somebody clears it, or for good (`never`).
    """

    OPEN = "open"
    RESTING = "resting"
    CLAIMED = "claimed"
    ANSWERED = "answered"
    GIVEN_UP = "given-up"


@dataclass(frozen=True, slots=True)
class Wish:
    """One time that something was wanted.

    `who` names the asker (`serve`, `dump:crash.dmp`, `log:access.log`, `tail:upstream`). `path` is the executable's
    path and `version` the module's, where a dump tells them. `urgent`: a client waits.
    """

    ask: Ask
    who: str = ""
    count: int = 1
    path: str | None = None
    version: str | None = None
    seen: datetime | None = None
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Want:
    """What is wanted, and what became of it.

    `count` says how often it was asked for, `waiting` how many reports wait for it, `rounds` in how many rounds in a
    row no upstream had it, `reason` the word of the last round, `due` when a resting one is tried again.
    """

    id: int
    ask: Ask
    state: WantState
    count: int
    first: datetime
    last: datetime
    who: tuple[str, ...] = ()
    path: str | None = None
    version: str | None = None
    urgent: bool = False
    waiting: int = 0
    rounds: int = 0
    reason: str | None = None
    due: datetime | None = None
    worker: str | None = None
    answered: datetime | None = None

    def to_record(self) -> dict[str, Any]:
        """The line of `missing --json`; fields may be added, never renamed."""
        times = {name: getattr(self, name) for name in ("first", "last", "due", "answered")}
        return {
            "number": self.id,
            "name": self.ask.name,
            "id": self.ask.ids[0].value,
            "id_kind": self.ask.ids[0].kind,
            "kind": self.ask.wants.value,
            "state": self.state.value,
            "count": self.count,
            "who": list(self.who),
            "path": self.path,
            "version": self.version,
            "waiting": self.waiting,
            "rounds": self.rounds,
            "reason": self.reason,
            **{name: None if when is None else when.isoformat() for name, when in times.items()},
        }


TAIL = "tail:"
"""What begins the name of an asker that follows an upstream; the upstream's own name is behind it."""


def asked_only_of(who: Iterable[str]) -> frozenset[str] | None:
    """The upstreams that a want is asked of if nobody wished it but who follows them; None if it is asked of all."""
    names = list(who)
    if not names or not all(name.startswith(TAIL) for name in names):
        return None
    return frozenset(name.removeprefix(TAIL) for name in names)


def wanted(ask: Ask) -> Ask:
    """The whole plain file that an ask is about: a section lies in the debug file, `foo.pd_` is `foo.pdb` packed."""
    wants: Wants = Wants.DEBUG if ask.wants is Wants.SECTION else ask.wants
    ids = ask.ids
    if wants is Wants.EITHER:
        name = fold(ask.name or "")
        if ids[0].kind == DEBUG and not name.endswith(".pdb"):
            # rust-minidump asks for programs by the bare build id, which reads as a GUID with an age, too.
            ids = tuple(sorted(ids, key=lambda one: one.kind not in _PROOF))
        # A PDB 2.0 and a .dbg have ids of the same form as a program's.
        old_debug = ids[0].kind == PE and name.endswith(_DEBUG_ENDINGS)
        wants = Wants.DEBUG if old_debug else _BY_KIND.get(ids[0].kind, Wants.CODE)
    return replace(ask, wants=wants, ids=ids, detail=None, packed=False)


def want_key(ask: Ask) -> str:
    """What two asks for the same file have in common; ids that prove the file need no name beside them."""
    ask = wanted(ask)
    first = ask.ids[0]
    name = "" if first.kind in _PROOF and ask.wants is not Wants.SYM else fold(ask.name or "")
    return f"{ask.wants.value}:{first.kind}:{first.value}:{name}"


def ask_of(key: str) -> Ask:
    """An ask with this key; `key` is one that `want_key` made."""
    wants, kind, value, name = key.split(":", 3)
    return Ask(Wants(wants), (SymbolId(kind, value),), name or None)


def ids_to_record(ids: Iterable[SymbolId]) -> list[list[str]]:
    """Ids as JSON keeps them."""
    return [[one.kind, one.value] for one in ids]


def ids_from_record(record: Iterable[Iterable[str]]) -> tuple[SymbolId, ...]:
    """The inverse of `ids_to_record`."""
    return tuple(SymbolId(*one) for one in record)
