"""The commit: the only way in which anything enters or leaves a store. Specified in docs/store.md.

The order of the steps is the whole point: bytes are durable before a document names them, the document is
whole before anything is derived from it, and the caller is told last.
"""

import platform
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from symsrv.backends.base import Backend
from symsrv.model.errors import AlreadyThere
from symsrv.model.identity import Identity
from symsrv.model.records import Status, Transaction
from symsrv.store import documents, microsoft, places
from symsrv.store.apply import Freed, apply
from symsrv.store.comparing import Hashes
from symsrv.store.draft import Draft
from symsrv.store.placing import Placer, Work
from symsrv.store.recovery import applied, note_applied, recover

_STAGED_AGE_SECONDS = 24 * 3600.0


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
        self._placer = Placer(backend, hashes=hashes, identify=identify)
        self._lock_seconds = lock_seconds
        self._now = now

    def add(self, draft: Draft) -> Transaction:
        """Commits a draft; the entries of the transaction are in the order of the offers."""
        started = self._now()
        work = Work(draft, two_tier=self._backend.stat(places.TWO_TIER) is not None)
        try:
            self._placer.pack_ahead(work)
            self._backend.sync()  # what was staged is durable before it is placed; slow, and so outside the lock
            with self._backend.lock(timeout_seconds=self._lock_seconds):
                recovered = self.recover()
                entries = self._placer.place_all(work)
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
                    self._placer.look_again(work, transaction)
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

    def _apply(self, transaction: Transaction, recovered: int) -> None:
        apply(self._backend, transaction, self._freed)
        for entry in transaction.entries:
            if entry.status is Status.REPLACED:
                self._hashes.forget(entry.home)
        self._backend.sync()
        if not self._backend.shared_lock:
            self._note_last(transaction.number)
        if self._backend.shared_lock or transaction.number == recovered + 1:
            note_applied(self._backend, transaction.number)

    def _note_last(self, number: int) -> None:
        """Writes `lastid.txt` on a bucket, where a faster writer of a higher number may have written it before us.

        Who writes last looks last, and sees every document that another's word was about.
        """
        while True:
            microsoft.put_lastid(self._backend, number)
            following = number
            while self._backend.stat(places.document(following + 1)) is not None:
                following += 1
            if following == number:
                return
            number = following
