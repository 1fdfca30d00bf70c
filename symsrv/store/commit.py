"""The commit: the only way in which anything enters or leaves a store. Specified in docs/store.md.

The order of the steps is the whole point: bytes are durable before a document names them, the document is
whole before anything is derived from it, and the caller is told last.
"""

import platform
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
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
        placed: set[str] = set()
        try:
            with self._backend.lock(timeout_seconds=self._lock_seconds):
                recovered = self._recover()
                entries = self._place_all(draft, placed)
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
                    self._look_again(draft, transaction)
                placed.update(entry.handle for entry in entries if entry.handle)
                self._apply(transaction, recovered)
        finally:
            for offer in draft.offers:
                if offer.staged is not None and offer.staged.handle not in placed:
                    self._backend.discard(offer.staged)
        return transaction

    def delete(
        self, number: int, *, check: Callable[[int], None], comment: str = "", who: str | None = None
    ) -> Transaction:
        """Commits the delete of one transaction; `check` raises if it is not live, asked under the lock."""
        started = self._now()
        with self._backend.lock(timeout_seconds=self._lock_seconds):
            recovered = self._recover()
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

    def _recover(self) -> int:
        self._backend.sweep(older_than_seconds=_STAGED_AGE_SECONDS)
        return recover(self._backend, self._freed)

    def _place_all(self, draft: Draft, placed: set[str]) -> list[Entry]:
        """Decides and places, in the order of the offers where two have the same home."""
        if self._backend.shared_lock:
            return [self._place(offer, draft, placed) for offer in draft.offers]
        with ThreadPoolExecutor(_BUCKET_THREADS) as pool:  # a request each; create-only decides races
            return list(pool.map(lambda offer: self._place(offer, draft, placed), draft.offers))

    def _place(self, offer: Offer, draft: Draft, placed: set[str]) -> Entry:
        backend = self._backend
        kept = self._hashes.of(offer.home)
        if kept is None:
            staged = offer.staged or self._stage_now(offer)
            try:
                stat = backend.place(staged, offer.home)
                placed.add(staged.handle)
                return _entry(offer, Status.STORED, modified_ns=stat.modified_ns)
            except AlreadyThere:
                kept = self._hashes.of(offer.home)
        if kept == offer.sha256:
            backend.settle(offer.home)
            stat_now = backend.stat(offer.home)
            return _entry(offer, Status.PRESENT, modified_ns=stat_now.modified_ns if stat_now else None)
        if draft.replace or outranks(offer.identities, self._identify(offer.home)):
            staged = offer.staged or self._stage_now(offer)
            backend.share(staged)
            return _entry(offer, Status.REPLACED, kept_sha256=kept, handle=staged.handle)
        return _entry(offer, Status.CONFLICT, kept_sha256=kept)

    def _stage_now(self, offer: Offer) -> Staged:
        """The publisher saw the file in the store, and it has gone since: stage it from where it came."""
        staged = self._backend.stage(offer.path)
        if staged.sha256 != offer.sha256:
            self._backend.discard(staged)
            raise SourceError("changed", f"{offer.source} changed while it was published; add it again", transient=True)
        return staged

    def _document(self, transaction: Transaction) -> Transaction:
        """Claims the next number by creating the document: from here on the transaction is committed."""
        backend = self._backend
        number = max(microsoft.last_number(backend), applied(backend)) + 1
        while True:
            numbered = replace(transaction, number=number)
            if backend.shared_lock:
                microsoft.put_lastid(backend, number)  # before the document, so that symstore.exe takes another
            try:
                backend.create(places.document(number), documents.dump(numbered))
                return numbered
            except AlreadyThere:
                number += 1

    def _look_again(self, draft: Draft, transaction: Transaction) -> None:
        """On a bucket, a prune elsewhere may have taken what was found present; now that we hold it, it stays."""
        for offer, entry in zip(draft.offers, transaction.entries, strict=True):
            if entry.status is Status.PRESENT and self._backend.stat(entry.home) is None:
                self._backend.place(offer.staged or self._stage_now(offer), entry.home)

    def _apply(self, transaction: Transaction, recovered: int) -> None:
        apply(self._backend, transaction, self._freed)
        self._backend.sync()
        if not self._backend.shared_lock:
            microsoft.put_lastid(self._backend, transaction.number)
        if self._backend.shared_lock or transaction.number == recovered + 1:
            note_applied(self._backend, transaction.number)


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
