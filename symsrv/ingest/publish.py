"""Publishing: many sources, one transaction. Slow work in threads outside any lock, then one commit for all."""

import getpass
import platform
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from threading import Condition
from typing import Any, TypeVar

from symsrv.ingest.draft import draft, foresee
from symsrv.ingest.results import FileResult, FileStatus
from symsrv.ingest.sources import Source
from symsrv.model.errors import StoreError
from symsrv.model.records import Entry, Status, Transaction, digits
from symsrv.store import Draft, Offer, Staged, SymbolStore

T = TypeVar("T")

THREADS = 4  # more only fight over the interpreter while copying and hashing; see docs/performance.md
WAITING_PER_THREAD = 16
"""Sources taken ahead of the threads: enough to keep them busy beside one huge file, few enough to cost nothing."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a publish came to: its transaction, if anything was offered, and a result per file in their order."""

    transaction: int | None
    results: tuple[FileResult, ...]

    def count(self, status: FileStatus) -> int:
        """How many files came out so."""
        return sum(result.status is status for result in self.results)

    @property
    def failed(self) -> int:
        """How many files failed; what was ignored did not."""
        return sum(result.failed for result in self.results)

    def to_record(self) -> dict[str, Any]:
        """The summary line of `--json`."""
        counts = Counter(result.status for result in self.results)
        return {
            "type": "summary",
            "transaction": None if self.transaction is None else digits(self.transaction),
            "stored": counts[FileStatus.STORED],
            "present": counts[FileStatus.PRESENT],
            "ignored": counts[FileStatus.IGNORED],
            "conflicts": counts[FileStatus.CONFLICT],
            "errors": counts[FileStatus.ERROR],
        }

    def __str__(self) -> str:
        record = self.to_record()
        counts = ", ".join(f"{record[what]} {what}" for what in ("stored", "present", "ignored"))
        for what in ("conflicts", "errors"):
            if record[what]:
                counts += f", {record[what]} {what if record[what] > 1 else what[:-1]}"
        return f"transaction {record['transaction']}: {counts}" if self.transaction else f"no transaction: {counts}"


def publish(
    store: SymbolStore,
    sources: Iterable[Source],
    *,
    product: str = "",
    version: str = "",
    comment: str = "",
    tag: str | None = None,
    replace: bool = False,
    threads: int = THREADS,
    on_file: Callable[[], object] | None = None,
    on_result: Callable[[FileResult], object] | None = None,
) -> Receipt:
    """Publishes sources as one transaction, or as none if no file is to be offered.

    One bad file never stops the others: it is in the receipt. A store that refuses (full, locked, gone) stops
    everything and is raised; nothing is left then but, at the worst, staged bytes that the next sweep takes.
    `on_file` hears of each file that is ready, in any order; `on_result` of each result, in the order of the
    sources, when it is certain: after the commit.
    """
    with _Drafting(lambda source: draft(store, source), store.discard, threads=threads, on_file=on_file) as drafting:
        outcomes = drafting.run(sources)
        offers = tuple(outcome for outcome in outcomes if isinstance(outcome, Offer))
        number: int | None = None
        entries: Iterator[Entry] = iter(())
        if offers:
            made = Draft(
                offers, product=product, version=version, comment=comment, tag=tag, who=_who(), replace=replace
            )
            transaction = drafting.commit(lambda: store.commit(made))
            number, entries = transaction.number, iter(transaction.entries)
    labelled = zip(outcomes, drafting.labels, strict=True)
    results = (_result(next(entries), label) if isinstance(one, Offer) else one for one, label in labelled)
    return Receipt(number, _told(results, on_result))


def preview(
    store: SymbolStore | None,
    sources: Iterable[Source],
    *,
    replace: bool = False,
    threads: int = THREADS,
    on_file: Callable[[], object] | None = None,
    on_result: Callable[[FileResult], object] | None = None,
) -> Receipt:
    """What publishing would come to, by the store as it is now (None: an empty one); nothing is written."""
    with _Drafting(lambda source: foresee(store, source), None, threads=threads, on_file=on_file) as drafting:
        outcomes = drafting.run(sources)
    results = _foreseen([one for one in outcomes if isinstance(one, FileResult)], replace=replace)
    return Receipt(None, _told(results, on_result))


def _told(results: Iterable[FileResult], listener: Callable[[FileResult], object] | None) -> tuple[FileResult, ...]:
    kept = tuple(results)
    for result in kept:
        if listener is not None:
            listener(result)
    return kept


class _Drafting:
    """Drafts sources in threads; what it staged is discarded on the way out, unless it was committed.

    An interrupt may fall anywhere in the main thread, also between the start of a thread and the moment when the pool
    or we know of it. So the work itself notes that it is under way and what it staged, in its own thread, where no
    interrupt reaches it. test_publish.py::test_an_interrupt_while_a_thread_starts_leaves_nothing_staged
    """

    def __init__(
        self,
        work: Callable[[Source], Offer | FileResult],
        discard: Callable[[Staged], object] | None,
        *,
        threads: int,
        on_file: Callable[[], object] | None,
    ) -> None:
        self.labels: list[str] = []
        self._work = work
        self._discard = discard
        self._threads = threads
        self._on_file = on_file
        self._outcomes: list[Offer | FileResult | None] = []
        self._running: dict[Future[Offer | FileResult], int] = {}
        self._staged: list[Staged] = []
        self._change = Condition()
        self._under_way = 0
        self._ended = False

    def run(self, sources: Iterable[Source]) -> list[Offer | FileResult]:
        """The outcome of every source, in their order."""
        with ThreadPoolExecutor(self._threads, thread_name_prefix="publish") as pool:
            try:
                for position, source in enumerate(sources):
                    self.labels.append(source.label)
                    self._outcomes.append(None)
                    self._running[pool.submit(self._noted, self._draft, source)] = position
                    if len(self._running) >= self._threads * WAITING_PER_THREAD:
                        self._collect()
                while self._running:
                    self._collect()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        return [outcome for outcome in self._outcomes if outcome is not None]

    def commit(self, commit: Callable[[], Transaction]) -> Transaction:
        """Runs a commit in a thread, where no signal reaches it: an interrupt takes effect when it is done."""

        def committed() -> Transaction:
            transaction = commit()
            self._staged.clear()  # the store has taken it over
            return transaction

        with ThreadPoolExecutor(1, thread_name_prefix="commit") as pool:
            return pool.submit(self._noted, committed).result()

    def _draft(self, source: Source) -> Offer | FileResult:
        outcome = self._work(source)
        if isinstance(outcome, Offer) and outcome.staged is not None:
            self._staged.append(outcome.staged)
        return outcome

    def _noted(self, work: Callable[..., T], *arguments: Source) -> T:
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
        finished, _ = wait(self._running, return_when=FIRST_COMPLETED)
        for future in finished:
            self._outcomes[self._running[future]] = future.result()
            del self._running[future]
            if self._on_file is not None:
                self._on_file()

    def __enter__(self) -> "_Drafting":
        return self

    def __exit__(self, *_: object) -> None:
        with self._change:
            self._ended = True
            self._change.wait_for(lambda: not self._under_way)
        for staged in self._staged:
            if self._discard is not None:
                with suppress(StoreError):
                    self._discard(staged)


def _result(entry: Entry, label: str) -> FileResult:
    statuses = {Status.PRESENT: FileStatus.PRESENT, Status.CONFLICT: FileStatus.CONFLICT}
    status = statuses.get(entry.status, FileStatus.STORED)
    if status is FileStatus.CONFLICT:
        return _conflict(label, entry.home, entry.sha256)
    replaced = entry.status is Status.REPLACED
    return FileResult(label, status, key=entry.home, sha256=entry.sha256, replaced=replaced)


def _conflict(label: str, key: str, sha256: str | None) -> FileResult:
    sentence = f"the store has other bytes at {key} and keeps them; --replace would put this file there"
    return FileResult(label, FileStatus.CONFLICT, key, sha256, reason="other-bytes", sentence=sentence)


def _foreseen(results: Iterable[FileResult], *, replace: bool) -> list[FileResult]:
    """Results of a dry run, minding what the files before would have put in place."""
    placed: dict[str, str | None] = {}
    adjusted = []
    for result in results:
        status, key = result.status, result.key
        if key is None:
            adjusted.append(result)
            continue
        if key in placed:
            status = FileStatus.PRESENT if placed[key] == result.sha256 else FileStatus.CONFLICT
        replaced = status is FileStatus.CONFLICT and replace
        if status is FileStatus.STORED or replaced:
            placed[key] = result.sha256
        if status is FileStatus.CONFLICT and not replaced:
            adjusted.append(_conflict(result.path, key, result.sha256))
        else:
            final = FileStatus.STORED if replaced else status
            adjusted.append(FileResult(result.path, final, key, result.sha256, replaced=replaced))
    return adjusted


def _who() -> str:
    """Who publishes, as far as the system tells: `user@host`."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container's uid without a name, Windows without variables
        user = "unknown"
    return f"{user}@{platform.node()}"
