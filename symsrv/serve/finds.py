"""From a route to an answer with its opened file: the store's word, remembered while nothing changed in it.

A miss is remembered too, with the store's word for it (`Absence`), so that a file copied in by hand is seen at once.
"""

import logging
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from symsrv.model.ask import Ask, Wants
from symsrv.model.errors import ArchiveError, Missing
from symsrv.model.ids import DEBUG, MSFZ, SymbolId
from symsrv.model.names import base_name
from symsrv.model.records import StoredFile
from symsrv.serve.answer import ACCEPT, Conditions, Facts, File, Miss, Reason, answer, whole
from symsrv.serve.asgi import lines
from symsrv.serve.hashes import Hashes, version
from symsrv.serve.routes import REMEMBERED_BYTES, Route
from symsrv.serve.sections import UnreadyError, open_plain, open_section
from symsrv.store import Absence, Lead, Opened, Stat, SymbolStore, plain_name

REMEMBERED = 4096

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Found:
    """A file that answers a path: the facts of its bytes as they were opened, and the ordinary answer.

    `head` are that answer's headers as they stand on the wire. `elsewhere` says that the bytes are not the stored
    ones: the store kept them compressed, or has only a pointer to them.
    """

    file: StoredFile
    facts: Facts
    version: tuple[str, int, int]
    whole: File
    head: bytes
    revision: object = None
    elsewhere: bool = False

    @property
    def lacks_hash(self) -> bool:
        """Whether reading the stored file would give its answers the validator that they lack."""
        return self.facts.tag is None and not self.elsewhere


@dataclass(slots=True)
class Prepared:
    """An answer that only has to be sent. `opened` is what its bytes come from; the owner closes it.

    `positioned` says that the stream stands at the answer's first byte already, as a bucket's response does. `waits`
    says that it is no answer yet: a file has to be unpacked first, in a thread, or a pointer to be followed, which may
    take the network's time (`far`).
    """

    answer: File | Miss
    opened: Opened | None = None
    found: Found | None = None
    positioned: bool = False
    waits: bool = False
    far: bool = False

    def close(self) -> None:
        """Closes the file, if there is one."""
        if self.opened is not None:
            self.opened.close()


class Finds:
    """Finds, opens and decides; what it remembers is bounded. `prepare` may be called in any thread."""

    def __init__(self, store: SymbolStore, hashes: Hashes, *, remembered: int = REMEMBERED) -> None:
        self._store = store
        self._hashes = hashes
        self._limit = remembered
        self._known: OrderedDict[bytes, Found] = OrderedDict()
        self._missed: OrderedDict[bytes, tuple[object, Absence | None]] = OrderedDict()

    def known(self, raw: bytes, revision: object) -> tuple[Opened, Found] | None:
        """The file that this path gave last time, opened anew, if that is still right."""
        found = self._known.get(raw)
        if found is None:
            return None
        if found.revision == revision:
            try:
                opened = self._store.open(found.file)
            except Missing:
                del self._known[raw]
                return None
            stat = opened.stat
            same = stat.size == found.version[1] and stat.modified_ns == found.version[2]
            if same and (found.facts.tag is not None or self._hashes.known(stat) is None):
                self._known.move_to_end(raw)
                return opened, found
            opened.close()
        del self._known[raw]
        return None

    def remember(self, raw: bytes, found: Found, revision: object) -> None:
        """Keeps what was found for the next request of this path, if anybody may be given it; in the loop's thread."""
        if found.facts.varies or found.elsewhere:
            return
        self._known[raw] = replace(found, revision=revision)
        while len(self._known) > self._limit:
            self._known.popitem(last=False)

    def misses(self, raw: bytes, route: Route, revision: object) -> bool:
        """Whether the store has no file that this path may mean; what was asked for twice is remembered."""
        before = self._missed.get(raw)
        absence = None
        if before is not None and before[0] == revision:
            if before[1] is not None and before[1].holds():
                self._missed.move_to_end(raw)
                return True
            # Taken before looking: what appears between the two is seen now, and moves the absence's folders.
            absence = self._store.absence([ask for ask in (route.ask, route.spaced) if ask is not None])
        if any(self._candidates(route)) or self._lead(route) is not None:
            return False
        if len(raw) <= REMEMBERED_BYTES:
            self._missed[raw] = (revision, absence)
            while len(self._missed) > self._limit:
                self._missed.popitem(last=False)
        return True

    def prepare(self, route: Route, method: str, asked: Conditions | None, *, fill: bool = True) -> Prepared:
        """Finds the file, opens it and decides the answer. Without `fill` nothing is unpacked for it; see Prepared."""
        try:
            return self._prepared(route, method, asked, fill=fill)
        except UnreadyError:
            return Prepared(Miss(Reason.UNAVAILABLE), waits=True)

    def _prepared(self, route: Route, method: str, asked: Conditions | None, *, fill: bool) -> Prepared:
        reason = Reason.NOT_FOUND
        for files, varies in self._answering(route, asked):
            if route.ask is not None and route.ask.wants is Wants.SECTION:
                prepared = self._section(route, files, method, asked, fill=fill)
                if prepared is not None:
                    return prepared
                reason = Reason.NO_SECTION
                continue
            for file in files:
                try:
                    prepared = self._file(file, route, method, asked, varies=varies, fill=fill)
                except Missing:
                    continue
                except ArchiveError:
                    reason = Reason.DAMAGED
                    continue
                if prepared.answer != _EMPTY:
                    return prepared
                prepared.close()
                reason = Reason.EMPTY
        if reason is Reason.NOT_FOUND and (lead := self._lead(route)) is not None:
            return self._pointed(lead, route, method, asked) if fill else Prepared(Miss(reason), waits=True, far=True)
        return Prepared(Miss(reason))

    def _lead(self, route: Route) -> Lead | None:
        """The pointer that lies where a file that was not found would, if any may be followed."""
        if not self._store.pointer_roots:
            return None
        leads = (self._store.pointer(ask) for ask in (route.ask, route.spaced) if ask is not None)
        return next((lead for lead in leads if lead is not None), None)

    def _pointed(self, lead: Lead, route: Route, method: str, asked: Conditions | None) -> Prepared:
        led = self._store.open_pointed(lead)
        opened = led.opened
        if opened is None:
            logger.debug("a pointer leads to no file", extra={"path": lead.home, "reason": led.reason})
            return Prepared(Miss(_OF_POINTERS[led.reason]))
        stat = opened.stat
        name = base_name(lead.path)
        facts = Facts(name, stat.size, stat.modified_ns, stat.sha256, debuginfod=route.debuginfod)
        found = replace(_found(StoredFile(lead.home, stat.size), facts, stat), elsewhere=True)
        decided = answer(method, asked, facts)
        if isinstance(decided, File):
            opened.stream.seek(decided.offset)
        return Prepared(decided, opened, found, positioned=True)

    def _candidates(self, route: Route) -> Iterator[Sequence[StoredFile]]:
        for ask in (route.ask, route.spaced):
            if ask is None:
                continue
            files = self._store.find(ask)
            if files:
                yield files

    def _answering(self, route: Route, asked: Conditions | None) -> Iterator[tuple[Sequence[StoredFile], bool]]:
        """The files that may answer, and whether only who accepts compressed containers may be given them."""
        for files in self._candidates(route):
            yield files, False
        if asked is None or ACCEPT not in asked:
            return
        # PerfView asks for the ordinary path and says that it reads containers, too (clients.md 1.3).
        for ask in (route.ask, route.spaced):
            packed = None if ask is None else _container_ask(ask)
            if packed is not None and (files := self._store.find(packed)):
                yield files, True

    def _file(
        self, file: StoredFile, route: Route, method: str, asked: Conditions | None, *, varies: bool, fill: bool
    ) -> Prepared:
        if file.encoding is not None and not _wants_packed(route):
            plain = open_plain(self._store, file, fill=fill)
            found = self._facts(file, plain.stat, route, varies=varies)
            return Prepared(answer(method, asked, found.facts), plain, found)
        if self._store.local or (method == "GET" and asked is None):
            opened = self._store.open(file)
            found = self._facts(file, opened.stat, route, varies=varies)
            return Prepared(answer(method, asked, found.facts), opened, found, positioned=not self._store.local)
        return self._remote(file, route, method, asked, varies=varies)

    def _remote(
        self, file: StoredFile, route: Route, method: str, asked: Conditions | None, *, varies: bool
    ) -> Prepared:
        """Decides by a look, and then opens only the span that is to be sent."""
        for _ in range(3):
            stat = self._store.look(file.home)
            if stat is None:
                raise Missing(file.home)
            found = self._facts(file, stat, route, varies=varies)
            decided = answer(method, asked, found.facts)
            if isinstance(decided, Miss) or not decided.length or method == "HEAD":
                return Prepared(decided, None, found)
            opened = self._store.open(file, decided.offset, decided.length)
            if version(opened.stat) == version(stat):
                return Prepared(decided, opened, found, positioned=True)
            opened.close()
        return Prepared(Miss(Reason.CHANGED))

    def _section(
        self, route: Route, files: Sequence[StoredFile], method: str, asked: Conditions | None, *, fill: bool
    ) -> Prepared | None:
        name = route.ask.detail if route.ask else None
        hit = open_section(self._store, files, name, fill=fill) if name else None
        if hit is None or name is None:
            return None
        opened, file, (offset, size) = hit
        found = self._facts(file, opened.stat, route)
        tag = found.facts.tag
        # The section is another thing than the file: it needs a validator of its own.
        facts = replace(found.facts, offset=offset, size=size, tag=tag and f"{tag}-{offset:x}-{size:x}")
        found = replace(_found(file, facts, opened.stat), elsewhere=found.elsewhere)
        decided = answer(method, asked, facts)
        if opened.descriptor is None and isinstance(decided, File):
            opened.close()
            try:
                opened = self._store.open(file, decided.offset, decided.length)
            except Missing:
                return None
            if version(opened.stat) != found.version:
                opened.close()
                return None
            return Prepared(decided, opened, found, positioned=True)
        return Prepared(decided, opened, found)

    def _facts(self, file: StoredFile, stat: Stat, route: Route, *, varies: bool = False) -> Found:
        if file.encoding is not None and not _wants_packed(route):
            name = plain_name(file.home)
            facts = Facts(name, stat.size, stat.modified_ns, stat.sha256, debuginfod=route.debuginfod, varies=varies)
            return replace(_found(file, facts, stat), elsewhere=True)
        recorded = file.size == stat.size and file.modified_ns == stat.modified_ns
        tag = file.sha256 if recorded and file.sha256 else stat.sha256 or self._hashes.known(stat)
        name = base_name(file.home)
        facts = Facts(name, stat.size, stat.modified_ns, tag, debuginfod=route.debuginfod, varies=varies)
        return _found(file, facts, stat)


_EMPTY = Miss(Reason.EMPTY)
_OF_POINTERS = {
    "pointer-message": Reason.POINTER_REFUSED,
    "pointer-not-allowed": Reason.POINTER_REFUSED,
    "pointer-wrong-id": Reason.POINTER_REFUSED,
    "pointer-empty": Reason.POINTER_BROKEN,
    "pointer-gone": Reason.POINTER_BROKEN,
    "pointer-damaged": Reason.POINTER_BROKEN,
    "missing": Reason.NOT_FOUND,  # it went meanwhile
}


def _wants_packed(route: Route) -> bool:
    """Whether what is asked for is the compressed form itself (`foo.pd_`)."""
    ask = route.ask or route.spaced
    return ask is not None and ask.packed


def _container_ask(ask: Ask) -> Ask | None:
    """The same ask for the PDB in a compressed container; None if it is not one for a plain PDB by its name."""
    ids = tuple(SymbolId(MSFZ, one.value) for one in ask.ids if one.kind == DEBUG)
    return replace(ask, ids=ids) if ids and ask.name and ask.wants is Wants.EITHER and not ask.packed else None


def _found(file: StoredFile, facts: Facts, stat: Stat) -> Found:
    ordinary = whole(facts)
    return Found(file, facts, version(stat), ordinary, lines(ordinary.headers))
