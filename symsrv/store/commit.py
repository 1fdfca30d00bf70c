"""The commit: the only way in which anything enters or leaves a store. Specified in docs/store.md.

The order of the steps is the whole point: bytes are durable before a document names them, the document is
whole before anything is derived from it, and the caller is told last.
"""

import platform
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from symsrv.backends.base import Backend, Staged
from symsrv.model.errors import AlreadyThere, SourceError
from symsrv.model.identity import Identity
from symsrv.model.records import Entry, Status, Transaction
from symsrv.store import documents, microsoft, places
from symsrv.store.apply import Freed, apply
from symsrv.store.comparing import Hashes, outranks
from symsrv.store.draft import Draft, Offer
from symsrv.store.recovery import applied, note_applied, recover

_STAGED_AGE_SECONDS = 24 * 3600.0
_BUCKET_THREADS = 8


class Committer:
    """Takes drafts and deletes, one at a time on a disk, side by side with other machines on a bucket."""

    def __init__(
        self,
        backend: Backend,
        *,
        freed: Freed,
        hashes: Hashes,
        identify: Callable[[str], Sequence[Identity]],
        lock_seconds: float,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._backend = backend
        self._freed = freed
        self._hashes = hashes
        self._identify = identify
        self._lock_seconds = lock_seconds
        self._now = now

    def add(self, draft: Draft) -> Transaction:
        """Commits a draft; the entries of the transaction are in the order of the offers."""
        started = self._now()
        work = _Work(draft)
        try:
            self._backend.sync()  # what was staged is durable before it is placed; slow, and so outside the lock
            with self._backend.lock(timeout_seconds=self._lock_seconds):
                recovered = self.recover()
                entries = self._place_all(work)
                self._backend.sync()
                transaction = self._document(
                    Transaction(
                        number=0,
                        kind="add",
                        when=started,
                        local_stamp=microsoft.local_stamp(started),
                        product=draft.product,
                        version=draft.version,
                        comment=draft.comment,
                        tag=draft.tag,
                        who=draft.who,
                        host=platform.node(),
                        entries=tuple(entries),
                    )
                )
                if not self._backend.shared_lock:
                    self._look_again(work, transaction)
                work.used.update(entry.handle for entry in entries if entry.handle)
                self._apply(transaction, recovered)
        finally:
            for staged in work.left_over():
                self._backend.discard(staged)
        return transaction

    def delete(
        self, number: int, *, check: Callable[[int], None], comment: str = "", who: str | None = None
    ) -> Transaction:
        """Commits the delete of one transaction; `check` raises if it is not live, asked under the lock."""
        started = self._now()
        with self._backend.lock(timeout_seconds=self._lock_seconds):
            recovered = self.recover()
            check(number)
            transaction = self._document(
                Transaction(
                    number=0,
                    kind="del",
                    when=started,
                    local_stamp=microsoft.local_stamp(started),
                    comment=comment,
                    who=who,
                    host=platform.node(),
                    deletes=(number,),
                )
            )
            self._apply(transaction, recovered)
        return transaction

    def recover(self) -> int:
        """Applies what earlier writers left; then, not before, drops what nobody needs. The caller holds the lock."""
        number = recover(self._backend, self._freed)
        self._backend.sweep(older_than_seconds=_STAGED_AGE_SECONDS)
        return number

    def _place_all(self, work: "_Work") -> list[Entry]:
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

    def _place_home(self, offers: Sequence[Offer], work: "_Work") -> list[Entry]:
        """Decides on the offers of one home in their order: a later one meets what an earlier one will put there."""
        entries: list[Entry] = []
        coming: Offer | None = None
        for offer in offers:
            entry = self._place(offer, work, coming)
            entries.append(entry)
            if entry.status is Status.REPLACED:
                coming = offer
        return entries

    def _place(self, offer: Offer, work: "_Work", coming: Offer | None) -> Entry:
        backend = self._backend
        staged = offer.staged
        kept = self._hashes.of(offer.home) if coming is None else coming.sha256
        if kept is None:
            staged = staged or self._stage_now(offer, work)
            try:
                stat = backend.place(staged, offer.home)
                work.used.add(staged.handle)
                return _entry(offer, Status.STORED, modified_ns=stat.modified_ns)
            except AlreadyThere:
                kept = self._hashes.of(offer.home)
        if kept == offer.sha256:
            backend.settle(offer.home)
            stat_now = backend.stat(offer.home)
            return _entry(offer, Status.PRESENT, modified_ns=stat_now.modified_ns if stat_now else None)
        there = self._identify(offer.home) if coming is None else coming.identities
        if work.draft.replace or outranks(offer.identities, there):
            staged = staged or self._stage_now(offer, work)
            backend.share(staged)
            return _entry(offer, Status.REPLACED, kept_sha256=kept, handle=staged.handle)
        return _entry(offer, Status.CONFLICT, kept_sha256=kept)

    def _stage_now(self, offer: Offer, work: "_Work") -> Staged:
        """The publisher saw the file in the store, and it has gone since: stage it from where it came."""
        staged = self._backend.stage(offer.path)
        work.staged_late.append(staged)
        if staged.sha256 != offer.sha256:
            raise SourceError("changed", f"{offer.source} changed while it was published; add it again", transient=True)
        self._backend.sync()
        return staged

    def _document(self, transaction: Transaction) -> Transaction:
        """Claims the next number by creating the document: from here on the transaction is committed."""
        backend = self._backend
        number = max(microsoft.last_number(backend), applied(backend)) + 1
        while True:
            if backend.shared_lock:
                number = microsoft.unlisted(backend, number)
            numbered = replace(transaction, number=number)
            if backend.shared_lock:
                microsoft.put_lastid(backend, number)  # before the document, so that symstore.exe takes another
            try:
                backend.create(places.document(number), documents.dump(numbered))
                return numbered
            except AlreadyThere:
                number += 1

    def _look_again(self, work: "_Work", transaction: Transaction) -> None:
        """On a bucket, a prune elsewhere may have taken what was found present; now that we hold it, it stays."""
        for offer, entry in zip(work.draft.offers, transaction.entries, strict=True):
            if entry.status is Status.PRESENT and self._backend.stat(entry.home) is None:
                with suppress(AlreadyThere):  # somebody else put it back
                    self._backend.place(offer.staged or self._stage_now(offer, work), entry.home)

    def _apply(self, transaction: Transaction, recovered: int) -> None:
        apply(self._backend, transaction, self._freed)
        for entry in transaction.entries:
            if entry.status is Status.REPLACED:
                self._hashes.forget(entry.home)
        self._backend.sync()
        if not self._backend.shared_lock:
            microsoft.put_lastid(self._backend, transaction.number)
        if self._backend.shared_lock or transaction.number == recovered + 1:
            note_applied(self._backend, transaction.number)


@dataclass(slots=True)
class _Work:
    """A draft under way: which staged bytes it has used, and what it had to stage late."""

    draft: Draft
    used: set[str] = field(default_factory=set)
    staged_late: list[Staged] = field(default_factory=list)

    def left_over(self) -> Iterator[Staged]:
        """Staged bytes that neither lie at a home now nor are named by the document."""
        for staged in (*(offer.staged for offer in self.draft.offers), *self.staged_late):
            if staged is not None and staged.handle not in self.used:
                yield staged


def _entry(
    offer: Offer,
    status: Status,
    *,
    modified_ns: int | None = None,
    kept_sha256: str | None = None,
    handle: str | None = None,
) -> Entry:
    return Entry(
        home=offer.home,
        source=offer.source,
        status=status,
        size=offer.size,
        sha256=offer.sha256,
        modified_ns=modified_ns,
        symbol_kind=offer.identities[0].symbol_kind if offer.identities else "bin",
        evidence=offer.evidence,
        identities=offer.identities,
        kept_sha256=kept_sha256,
        handle=handle,
    )
