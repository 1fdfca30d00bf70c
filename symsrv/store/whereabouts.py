"""Whereabouts: why a symbol is or is not to be had from a store, and what would mend it.

Reason words are promises: added to, never renamed. `docs/reasons.md` lists them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from symsrv.layouts import LAYOUTS, parse_any
from symsrv.model.ask import Ask, Wants
from symsrv.model.identity import CODE, DEBUG_INFO, SYM
from symsrv.model.ids import BUILD, DEBUG, MSFZ, UUID, WASM, SymbolId
from symsrv.model.names import fold
from symsrv.model.records import Status, StoredFile, digits
from symsrv.store.store import SymbolStore

if TYPE_CHECKING:
    from symsrv.ledger.traces import Event, Trace

SIGHTS_LIMIT = 5  # of one reason: the newest say enough
_GUID_DIGITS = 32
_PROOF = (BUILD, UUID, WASM)  # a program and its debug file have the same id
_NAMELESS = ("native", "lldb", "unified", "debuginfod")  # a store has no homes in these


class Why(StrEnum):
    """Why a symbol is or is not to be had."""

    HERE = "here"
    CONFLICT = "conflict"
    LOST = "lost"
    DELETED = "deleted"
    POINTER = "pointer"
    HALF = "half"
    OTHER_FORM = "other-form"
    OTHER_NAME = "other-name"
    OTHER_ID = "other-id"
    NEVER_SEEN = "never-seen"
    UNKNOWN_PATH = "unknown-path"


SENTENCES: dict[Why, tuple[str, str]] = {
    Why.HERE: ("it is here", ""),
    Why.CONFLICT: (
        "it was offered with bytes that were not taken, as others stood under the same id",
        "if the refused build is the right one, publish it again with --replace",
    ),
    Why.LOST: (
        "the index knows it, but its file is not where it should be",
        "publish it again; 'symsrv verify' lists what else is gone",
    ),
    Why.DELETED: (
        "it was here, and its transaction was deleted",
        "publish that build again",
    ),
    Why.POINTER: (
        "a pointer to it is here, and not the file itself",
        "see that the file is where the pointer leads, below a folder of 'pointer_roots'; or publish it here",
    ),
    Why.HALF: (
        "only its other half is here: the program or the debug file that goes with it",
        "publish the whole output folder of that build, programs together with their debug files",
    ),
    Why.OTHER_FORM: (
        "the same symbols are here, in a form that was not asked for",
        "use a client that reads that form, or publish it in this one, too",
    ),
    Why.OTHER_NAME: (
        "a file of this id is here, under another name",
        "publish it under the name that is asked for, or ask for it by the name it has",
    ),
    Why.OTHER_ID: (
        "the name is here, but not this build of it",
        "publish exactly the build that ran; a new build of the same source has other ids",
    ),
    Why.NEVER_SEEN: (
        "neither this id nor this name was ever published here",
        "publish the build it is from, or look in the store of whoever made it",
    ),
    Why.UNKNOWN_PATH: (
        "no client's dialect has such a path",
        "give NAME ID, as crash.pdb 3249D99D0C4049318610F4E4FB0B69361, or a whole NAME/ID/FILE",
    ),
}
"""For each reason what is so, and what would mend it."""

ORDER = (
    Why.LOST,
    Why.CONFLICT,
    Why.DELETED,
    Why.POINTER,
    Why.HALF,
    Why.OTHER_FORM,
    Why.OTHER_NAME,
    Why.OTHER_ID,
)
"""What says more comes first."""


@dataclass(frozen=True, slots=True)
class Sight:
    """A file that has to do with what is asked for, and the transaction that says so, if one does."""

    reason: Why
    key: str
    size: int | None = None
    transaction: int | None = None
    when: datetime | None = None
    product: str = ""
    version: str = ""
    deleted_by: int | None = None

    def to_record(self) -> dict[str, Any]:
        """The sight as JSON has it."""
        return {
            "reason": self.reason.value,
            "key": self.key,
            "size": self.size,
            "transaction": None if self.transaction is None else digits(self.transaction),
            "time": None if self.when is None else self.when.isoformat(),
            "product": self.product,
            "version": self.version,
            "deleted_by": None if self.deleted_by is None else digits(self.deleted_by),
        }


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """The answer: the reason that says most, and everything that was seen, in the order of the reasons.

    `here` says whether a client that asks gets a file.
    """

    reason: Why
    sights: tuple[Sight, ...] = ()
    here: bool = False

    @property
    def sentence(self) -> str:
        """What is so."""
        return SENTENCES[self.reason][0]

    @property
    def mend(self) -> str:
        """What would mend it; empty if nothing has to be."""
        if self.reason is Why.CONFLICT and not self.here:
            return "publish the refused build again: nothing is in its way any more"
        if self.reason is Why.POINTER and self.here:
            return ""
        return SENTENCES[self.reason][1]

    def to_record(self) -> dict[str, Any]:
        """The answer as JSON has it."""
        return self.to_short_record() | {"sights": [one.to_record() for one in self.sights]}

    def to_short_record(self) -> dict[str, Any]:
        """The same without names, products and versions, for anybody."""
        return {"reason": self.reason.value, "here": self.here, "sentence": self.sentence, "mend": self.mend}


def whereabouts(store: SymbolStore, ask: Ask) -> Whereabouts:
    """Why what is asked for is or is not to be had, as far as the index has caught up."""
    found = store.find(ask)
    for file in found:
        if store.look(file.home) is not None:
            return _of_found(store, file)
    lead = store.pointer(ask)
    led = store.open_pointed(lead) if lead is not None else None
    if lead is not None and led is not None and led.opened is not None:
        led.opened.close()
        pointer = Sight(Why.POINTER, lead.home, led.opened.stat.size)
        return Whereabouts(Why.POINTER, tuple(_told(store, [pointer])), here=True)
    return missed(store, ask, gone=found, pointers=[] if lead is None else [lead.home])


def missed(
    store: SymbolStore, ask: Ask, *, gone: Sequence[StoredFile] = (), pointers: Sequence[str] = ()
) -> Whereabouts:
    """Why an ask that found nothing did so, by the index alone.

    `gone` is what was found and does not lie there, `pointers` what lies there instead and leads to nothing.
    """
    seen = [Sight(Why.LOST, file.home, file.size) for file in gone]
    seen += [Sight(Why.POINTER, home) for home in pointers]
    lost = {one.key for one in seen}
    seen += [one for one in _near(store, ask) if one.key not in lost]
    seen += _past(store, ask, {one.key for one in seen})
    seen += _namesakes(store, ask, {one.key for one in seen})
    sights = tuple(one for reason in ORDER for one in _told(store, [two for two in seen if two.reason is reason]))
    return Whereabouts(sights[0].reason if sights else Why.NEVER_SEEN, sights)


def _of_found(store: SymbolStore, file: StoredFile) -> Whereabouts:
    from symsrv.ledger.traces import events

    known = events(store.index, [file.home])
    kept = file.plain_sha256 or file.sha256
    here = [_of_event(Why.HERE, one) for one in known if one.holds] or [Sight(Why.HERE, file.home, file.size)]
    refused = [
        _of_event(Why.CONFLICT, one)
        for one in known
        if one.status is Status.CONFLICT and one.deleted_by is None and (kept is None or one.sha256 != kept)
    ]
    # The file's own size: a transaction that found other bytes present had another one.
    here = [replace(one, size=file.size) for one in here[:SIGHTS_LIMIT]]
    sights = (*refused[:SIGHTS_LIMIT], *here)
    return Whereabouts(sights[0].reason, sights, here=True)


def _near(store: SymbolStore, ask: Ask) -> Iterable[Sight]:
    """What has the id that is asked for, and is not what is asked for."""
    from symsrv.ledger.traces import by_ids

    containers = tuple(SymbolId(MSFZ, one.value) for one in ask.ids if one.kind == DEBUG)
    for one in by_ids(store.index, (*ask.ids, *containers)):
        reason = _relation(ask, one)
        if not one.freed:
            yield Sight(reason or (Why.OTHER_FORM if ask.packed else Why.OTHER_NAME), one.home, one.size)


def _relation(ask: Ask, trace: "Trace") -> Why | None:
    """What a file of the same id is to who asks; None for the very file, were it not for its form."""
    name = None if ask.name is None else fold(ask.name)
    same_name = name is None or trace.name in (name, "")
    if (trace.role == SYM) is not (ask.wants is Wants.SYM) or (trace.id.kind == MSFZ and trace.id not in ask.ids):
        return Why.OTHER_FORM
    if ask.wants is Wants.SYM or trace.role not in (CODE, DEBUG_INFO):
        return None if same_name else Why.OTHER_NAME
    if trace.also and trace.id.kind == DEBUG and trace.role == CODE and not same_name:
        return Why.HALF  # a program names the PDB that it was linked with
    if ask.wants in (Wants.CODE, Wants.DEBUG):
        return Why.HALF if trace.role != ask.wants.value else None if same_name else Why.OTHER_NAME
    if trace.id.kind in _PROOF and trace.role == DEBUG_INFO and not same_name:
        return Why.HALF
    if trace.id.kind in _PROOF and name is not None and name.startswith(f"{trace.name}."):
        return Why.HALF  # `libfoo.so.debug` is asked for, `libfoo.so` is here
    return None if same_name else Why.OTHER_NAME


def _past(store: SymbolStore, ask: Ask, seen: set[str]) -> Iterable[Sight]:
    """What was offered under the homes that would answer: refused, or deleted since, or gone behind our back."""
    from symsrv.ledger.traces import by_ids, events

    gone = [one.home for one in by_ids(store.index, ask.ids) if one.freed and _relation(ask, one) is None]
    for one in events(store.index, [*gone, *_homes(ask)]):
        if one.status is Status.CONFLICT and one.deleted_by is None:
            yield _of_event(Why.CONFLICT, one)
        elif one.status.holds and one.deleted_by is not None:
            yield _of_event(Why.DELETED, one)
        elif one.status.holds and one.home not in seen:
            yield _of_event(Why.LOST, one)


def _homes(ask: Ask) -> list[str]:
    """Where the file would have its home, by the names that clients and publishers spell."""
    found: dict[str, None] = {}
    spelled = [ask.name] if ask.name is None else [ask.name, ask.name.lower(), ask.name.upper()]
    for name in dict.fromkeys(spelled):
        for layout in LAYOUTS:
            if layout.name not in _NAMELESS:
                for packed in (False, True):
                    found.update(dict.fromkeys(layout.paths(replace(ask, name=name, packed=packed))))
    if ask.name is None or ask.wants is not Wants.EITHER:
        return list(found)
    # By a bare build id only the program is asked for, though its debug file has the same id.
    return [path for path in found if (read := parse_any(path)) is not None and read.name is not None]


def _namesakes(store: SymbolStore, ask: Ask, seen: set[str]) -> Iterable[Sight]:
    """Other builds of what is asked for: first those of the same GUID, then those of the same name."""
    from symsrv.ledger.traces import by_guid, by_name

    guids = dict.fromkeys(one.value[:_GUID_DIGITS] for one in ask.ids if one.kind == DEBUG)
    found = [one for guid in guids for one in by_guid(store.index, guid)]
    found = [one for one in found if ask.name is None or one.name == fold(ask.name)]
    if ask.name is not None:
        found += by_name(store.index, ask.name)
    homes = {one.home: one for one in found if not one.also and one.id not in ask.ids and _fits(ask.wants, one.role)}
    return [Sight(Why.OTHER_ID, home, one.size) for home, one in homes.items() if home not in seen][:SIGHTS_LIMIT]


def _fits(wants: Wants, role: str) -> bool:
    if wants is Wants.SYM or role == SYM:
        return wants is Wants.SYM and role == SYM
    return wants not in (Wants.CODE, Wants.DEBUG) or role not in (CODE, DEBUG_INFO) or role == wants.value


def _told(store: SymbolStore, sights: Sequence[Sight]) -> list[Sight]:
    """The first of them, each home once, with the newest transaction that holds it."""
    from symsrv.ledger.traces import events

    told = []
    for one in list({(one.key, one.transaction): one for one in sights}.values())[:SIGHTS_LIMIT]:
        holder = None
        if one.transaction is None:
            holder = next((event for event in events(store.index, [one.key]) if event.holds), None)
        told.append(one if holder is None else replace(_of_event(one.reason, holder), size=one.size))
    return told


def _of_event(reason: Why, event: "Event") -> Sight:
    return Sight(
        reason,
        event.home,
        event.size,
        event.transaction,
        event.when,
        event.product,
        event.version,
        event.deleted_by,
    )
