"""Drafting many sources: in threads, a bounded number ahead, with what archives hold in the place of the archives."""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Condition
from typing import Any, TypeVar

from symsrv.ingest.draft import ATTEMPTS, Packed
from symsrv.ingest.embedded import embedded, may_embed
from symsrv.ingest.results import FileResult, problem
from symsrv.ingest.sources import Source
from symsrv.ingest.unpacking import Spool, unpack
from symsrv.model.errors import SourceError, StoreError
from symsrv.model.records import Transaction
from symsrv.store import Offer, Staged

T = TypeVar("T")

WAITING_PER_THREAD = 16
"""Sources taken ahead of the threads: enough to keep them busy beside one huge file, few enough to cost nothing."""

SPOOLED_BYTES = 2 << 30
"""Above this, no member is unpacked until others are drafted: the temporary folder may be in memory."""


@dataclass(slots=True)
class Slot:
    """What became of one source, or of one member of it: its own outcome, then those of what lay inside."""

    label: str
    outcome: Offer | FileResult | None = None
    inner: "list[Slot]" = field(default_factory=list)
    attempts: int = 0
    """How often it was unpacked; an archive, if that is not 0."""

    def __iter__(self) -> "Iterator[Slot]":
        """Every slot with an outcome, in order."""
        if self.outcome is not None:
            yield self
        for slot in self.inner:
            yield from slot


@dataclass(slots=True)
class _Feed:
    """Where sources come from: the publisher (depth 0), or an archive that lies in `depth - 1` others."""

    items: Iterator[Source | FileResult]
    slots: list[Slot]
    archive: "_Archive | None" = None
    depth: int = 0


@dataclass(slots=True)
class _Archive:
    """An archive that is to be unpacked, and where that goes."""

    source: Source
    slot: Slot


class Drafting:
    """Drafts sources in threads; what it staged is discarded on the way out, unless it was committed.

    An interrupt may fall anywhere in the main thread, also between the start of a thread and the moment when the pool
    or we know of it. So the work itself notes that it is under way and what it staged, in its own thread, where no
    interrupt reaches it. test_publish.py::test_an_interrupt_while_a_thread_starts_leaves_nothing_staged

    Archives are unpacked by the main thread, one at a time and one in it, and only as far as the threads keep up: so
    no more spooled files are alive than sources are taken ahead, nor many more than SPOOLED_BYTES.
    """

    def __init__(
        self,
        work: Callable[[Source], Offer | FileResult | Packed],
        discard: Callable[[Staged], object] | None,
        *,
        threads: int,
        on_file: Callable[[], object] | None,
    ) -> None:
        self._work = work
        self._discard = discard
        self._threads = threads
        self._on_file = on_file
        self._spool = Spool()
        self._feeds: list[_Feed] = []
        self._archives: list[_Archive] = []
        self._running: dict[Future[Offer | FileResult | Packed], Slot] = {}
        self._finished: SimpleQueue[Future[Offer | FileResult | Packed]] = SimpleQueue()
        self._staged: list[Staged] = []
        self._change = Condition()
        self._under_way = 0
        self._ended = False

    def run(self, sources: Iterable[Source]) -> list[Slot]:
        """A slot for every source, in their order."""
        slots: list[Slot] = []
        self._feeds.append(_Feed(iter(sources), slots))
        with ThreadPoolExecutor(self._threads, thread_name_prefix="publish") as pool:
            try:
                while self._feeds or self._running or self._archives:
                    if self._far_enough():
                        self._collect()
                    elif (archive := self._next_archive()) is not None:
                        self._open(archive)
                    elif self._feeds:
                        self._take(pool)
                    else:
                        self._collect()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        return slots

    def keep(self, offers: Sequence[Offer]) -> None:
        """Discards what was staged for any other offer."""
        kept = {offer.staged.handle for offer in offers if offer.staged is not None}
        if len(kept) < len(self._staged):
            self._drop([staged for staged in self._staged if staged.handle not in kept])

    def commit(self, commit: Callable[[], Transaction]) -> Transaction:
        """Runs a commit in a thread, where no signal reaches it: an interrupt takes effect when it is done."""

        def committed() -> Transaction:
            transaction = commit()
            self._staged.clear()  # the store has taken it over
            return transaction

        with ThreadPoolExecutor(1, thread_name_prefix="commit") as pool:
            return pool.submit(self._noted, committed).result()

    def _far_enough(self) -> bool:
        """Whether the threads have to keep up before another source is taken."""
        if len(self._running) >= self._threads * WAITING_PER_THREAD:
            return True
        unpacking = bool(self._feeds) and self._feeds[-1].depth > 0
        return unpacking and bool(self._running) and self._spool.held_bytes > SPOOLED_BYTES

    def _next_archive(self) -> _Archive | None:
        """An archive to unpack now: one that lies no less deep than what the feed in hand gives."""
        if not self._archives:
            return None
        deepest = max(self._archives, key=lambda archive: archive.source.depth)
        if self._feeds and deepest.source.depth < self._feeds[-1].depth:
            return None
        self._archives.remove(deepest)
        return deepest

    def _open(self, archive: _Archive) -> None:
        slot, source = archive.slot, archive.source
        slot.attempts += 1
        slot.inner = []
        self._feeds.append(_Feed(unpack(source, self._spool), slot.inner, archive, source.depth + 1))

    def _take(self, pool: ThreadPoolExecutor) -> None:
        """Takes the next source of the feed in hand and gives it to a thread."""
        feed = self._feeds[-1]
        try:
            item = next(feed.items, None)
        except SourceError as error:  # the archive was changed while it was read
            self._end(feed, error)
            return
        if item is None:
            self._end(feed)
        elif isinstance(item, Source):
            slot = Slot(item.label)
            feed.slots.append(slot)
            future = pool.submit(self._noted, self._draft, item, slot)
            self._running[future] = slot
            future.add_done_callback(self._finished.put)
        else:
            feed.slots.append(Slot(item.path, item))
            self._heard()

    def _end(self, feed: _Feed, error: SourceError | None = None) -> None:
        self._feeds.pop()
        archive = feed.archive
        if archive is None:
            return
        if error is not None and archive.slot.attempts < ATTEMPTS:
            self._archives.append(archive)
            return
        if error is not None:
            archive.slot.inner = []
            archive.slot.outcome = problem(archive.slot.label, error)
        if archive.source.spooled:
            self._spool.drop(archive.source.path)

    def _draft(self, source: Source, slot: Slot) -> Offer | FileResult | Packed:
        outcome: Offer | FileResult | Packed | None = None
        try:
            outcome = self._work(source)
            if not isinstance(outcome, Packed):
                if isinstance(outcome, Offer) and outcome.staged is not None:
                    self._staged.append(outcome.staged)
                if may_embed(outcome.identities):
                    self._draft_embedded(source, slot, outcome)
        finally:
            if source.spooled and not isinstance(outcome, Packed):
                self._spool.drop(source.path)
        return outcome

    def _draft_embedded(self, source: Source, slot: Slot, outcome: Offer | FileResult) -> None:
        staged = outcome.staged if isinstance(outcome, Offer) else None
        inner = embedded(source, source.path if staged is None else staged.local, outcome.identities, self._spool)
        if isinstance(inner, Source):
            slot.inner.append(Slot(inner.label))
            drafted = self._draft(inner, slot.inner[0])
            slot.inner[0].outcome = None if isinstance(drafted, Packed) else drafted
        elif inner is not None:
            slot.inner.append(Slot(inner.path, inner))

    def _noted(self, work: Callable[..., T], *arguments: Any) -> T:
        """Does a piece of work, which the way out waits for; on the way out, none begins any more."""
        with self._change:
            if self._ended:
                raise CancelledError
            self._under_way += 1
        try:
            return work(*arguments)
        finally:
            with self._change:
                self._under_way -= 1
                self._change.notify_all()

    def _collect(self) -> None:
        future = self._finished.get()
        outcome, slot = future.result(), self._running.pop(future)
        if isinstance(outcome, Packed):
            self._archives.append(_Archive(outcome.source, slot))
        else:
            slot.outcome = outcome
            self._heard()

    def _heard(self) -> None:
        if self._on_file is not None:
            self._on_file()

    def _drop(self, unwanted: Iterable[Staged]) -> None:
        for staged in unwanted:
            if self._discard is not None:
                with suppress(StoreError):
                    self._discard(staged)

    def __enter__(self) -> "Drafting":
        return self

    def __exit__(self, *_: object) -> None:
        with self._change:
            self._ended = True
            self._change.wait_for(lambda: not self._under_way)
        for feed in self._feeds:
            if isinstance(feed.items, Generator):
                feed.items.close()  # an archive is open in it
        self._spool.close()
        self._drop(self._staged)
