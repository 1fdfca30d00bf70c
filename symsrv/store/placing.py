"""Placing: decides for each file of a draft what becomes of it, and makes new ones visible. Step 3 of docs/store.md."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field

from symsrv.backends.base import Backend, Staged
from symsrv.model.errors import AlreadyThere, SourceError
from symsrv.model.identity import Identity
from symsrv.model.names import base_name
from symsrv.model.records import Entry, Status, Transaction
from symsrv.store.comparing import Hashes, outranks
from symsrv.store.draft import Draft, Offer
from symsrv.store.homes import Home, places_of, target_of
from symsrv.store.unpacking import pack

_BUCKET_THREADS = 8
_PACKING_THREADS = 4


@dataclass(slots=True)
class Work:
    """A draft under way: which staged bytes it has used, what it staged beside the offers, and what it packed."""

    draft: Draft
    two_tier: bool = False
    used: set[str] = field(default_factory=set)
    staged_late: list[Staged] = field(default_factory=list)
    packed: dict[str, Staged] = field(default_factory=dict)
    """The compressed form of offers, by the hash and the key of the plain file."""

    def left_over(self) -> Iterator[Staged]:
        """Staged bytes that neither lie at a home now nor are named by the document."""
        for staged in (*(offer.staged for offer in self.draft.offers), *self.staged_late):
            if staged is not None and staged.handle not in self.used:
                yield staged

    def places(self, offer: Offer) -> Sequence[Home]:
        """Where the offer's file may lie."""
        return places_of(offer.home, two_tier=self.two_tier, size=offer.size)


@dataclass(frozen=True, slots=True)
class _There:
    """What lies at one of the places: the hash of its bytes, and of the file itself, None if it cannot be unpacked."""

    home: Home
    sha256: str | None
    plain_sha256: str | None
    coming: Entry | None = None
    """The replacement that puts it there, if it is not there yet."""


class Placer:
    """Compares offers with what is there, by the bytes of the files themselves, however they are kept."""

    def __init__(self, backend: Backend, *, hashes: Hashes, identify: Callable[[str], Sequence[Identity]]) -> None:
        self._backend = backend
        self._hashes = hashes
        self._identify = identify

    def pack_ahead(self, work: Work) -> None:
        """Compresses, outside the lock, what is likely to be stored so."""
        if work.draft.compress:
            with ThreadPoolExecutor(_PACKING_THREADS) as pool:
                list(pool.map(lambda offer: self._pack_if_new(offer, work), work.draft.offers))

    def place_all(self, work: Work) -> list[Entry]:
        """Decides and places; the entries are in the order of the offers."""
        positions: dict[str, list[int]] = {}
        for position, offer in enumerate(work.draft.offers):
            positions.setdefault(offer.home, []).append(position)
        offers = [[work.draft.offers[position] for position in group] for group in positions.values()]
        if self._backend.shared_lock:
            decided = [self._place_home(group, work) for group in offers]
        else:
            with ThreadPoolExecutor(_BUCKET_THREADS) as pool:  # a request each; create-only decides races
                decided = list(pool.map(lambda group: self._place_home(group, work), offers))
        pairs = [pair for group in zip(positions.values(), decided, strict=True) for pair in zip(*group, strict=True)]
        return [entry for _position, entry in sorted(pairs, key=lambda pair: pair[0])]

    def look_again(self, work: Work, transaction: Transaction) -> None:
        """On a bucket, a prune elsewhere may have taken what was found present; now that we hold it, it stays."""
        for offer, entry in zip(work.draft.offers, transaction.entries, strict=True):
            if entry.status is Status.PRESENT and self._backend.stat(entry.home) is None:
                with suppress(AlreadyThere):  # somebody else put it back
                    self._backend.place(self._ready(offer, Home(entry.home, entry.encoding), work), entry.home)

    def _place_home(self, offers: Sequence[Offer], work: Work) -> list[Entry]:
        """Decides on the offers of one home in their order: a later one meets what an earlier one will put there."""
        entries: list[Entry] = []
        coming: _There | None = None
        for offer in offers:
            entry = self._place(offer, work, coming)
            entries.append(entry)
            if entry.status is Status.REPLACED:
                coming = _There(Home(entry.home, entry.encoding), entry.sha256, entry.offered_sha256, entry)
        return entries

    def _place(self, offer: Offer, work: Work, coming: _There | None) -> Entry:
        places = work.places(offer)
        there = coming or self._there(offer, places)
        if there is None:
            home = target_of(places, compress=work.draft.compress)
            staged = self._ready(offer, home, work)
            try:
                stat = self._backend.place(staged, home.path)
                work.used.add(staged.handle)
                return _entry(offer, home, Status.STORED, staged.size, staged.sha256, modified_ns=stat.modified_ns)
            except AlreadyThere:
                there = self._there(offer, places) or _There(home, None, None)
        if there.plain_sha256 == offer.sha256:
            return self._present(offer, there)
        known = self._identify(there.home.path) if there.coming is None else there.coming.identities
        if work.draft.replace or outranks(offer.identities, known):
            staged = self._ready(offer, there.home, work)
            self._backend.share(staged)
            facts = (staged.size, staged.sha256)
            return _entry(offer, there.home, Status.REPLACED, *facts, kept=there.sha256, handle=staged.handle)
        plain = Home(there.home.path)
        return _entry(offer, plain, Status.CONFLICT, offer.size, offer.sha256, kept=there.sha256)

    def _present(self, offer: Offer, there: _There) -> Entry:
        path = there.home.path
        self._backend.settle(path)
        stat = self._backend.stat(path)
        size = offer.size
        if there.home.encoding is not None:
            size = there.coming.size if there.coming else stat.size if stat else 0
        modified_ns = stat.modified_ns if stat else None
        return _entry(offer, there.home, Status.PRESENT, size, there.sha256, modified_ns=modified_ns)

    def _there(self, offer: Offer, places: Sequence[Home]) -> _There | None:
        """What lies at the first place that has the offered bytes, or else at the first that has any."""
        first: _There | None = None
        for home in places:
            sha256 = self._hashes.of(home.path)
            if sha256 is None:
                continue
            plain = sha256 if home.encoding is None else self._hashes.unpacked(home.path)
            if plain == offer.sha256:
                return _There(home, sha256, plain)
            first = first or _There(home, sha256, plain)
        return first

    def _ready(self, offer: Offer, home: Home, work: Work) -> Staged:
        """The staged bytes as they are to lie at a home."""
        if home.encoding is None:
            return offer.staged or self._stage_now(offer, work)
        packed = work.packed.get(_packed_as(offer))
        if packed is None or packed.handle in work.used:
            packed = self._pack(offer, work)
            self._backend.sync()
        return packed

    def _pack_if_new(self, offer: Offer, work: Work) -> None:
        places = work.places(offer)
        if offer.staged is None or target_of(places, compress=True).encoding is None:
            return
        there = self._there(offer, places)
        replaces = there is not None and there.home.encoding and there.plain_sha256 != offer.sha256
        if there is None or (replaces and work.draft.replace):
            self._pack(offer, work)

    def _pack(self, offer: Offer, work: Work) -> Staged:
        packed = pack(self._backend, offer.staged or self._stage_now(offer, work), name=base_name(offer.home))
        work.staged_late.append(packed)
        work.packed[_packed_as(offer)] = packed
        return packed

    def _stage_now(self, offer: Offer, work: Work) -> Staged:
        """The publisher saw the file in the store, and it has gone since: stage it from where it came."""
        staged = self._backend.stage(offer.path)
        work.staged_late.append(staged)
        if staged.sha256 != offer.sha256:
            raise SourceError("changed", f"{offer.source} changed while it was published; add it again", transient=True)
        self._backend.sync()
        return staged


def _packed_as(offer: Offer) -> str:
    return f"{offer.sha256}/{offer.home}"


def _entry(
    offer: Offer,
    home: Home,
    status: Status,
    size: int,
    sha256: str | None,
    *,
    modified_ns: int | None = None,
    kept: str | None = None,
    handle: str | None = None,
) -> Entry:
    plain = home.encoding is None
    return Entry(
        home=home.path,
        source=offer.source,
        status=status,
        size=size,
        sha256=sha256,
        modified_ns=modified_ns,
        symbol_kind=offer.identities[0].symbol_kind if offer.identities else "bin",
        evidence=offer.evidence,
        identities=offer.identities,
        kept_sha256=kept,
        handle=handle,
        encoding=home.encoding,
        plain_size=None if plain else offer.size,
        plain_sha256=None if plain else offer.sha256,
    )
