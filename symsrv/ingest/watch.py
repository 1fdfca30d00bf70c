"""Watching: publishes what a build writes, when it is finished.

The sweep is the truth, events are a hint: watchdog loses them when folders appear while it looks or its queue
runs over, so that every so often everything is looked at, whatever was or was not heard.

* A watched folder is one build. It is published as one transaction when it has gone quiet: no debug file in it
  changed for `quiet_seconds`, and none is open for writing as far as the system tells. Other files (logs that
  grow for ever) do not hold a build up. With a ready file, its appearance counts and nothing else.
* A program that was just written waits for the PDB that it names, for `pair_seconds` at most.
* A file that changes again later (source indexing, signing) is published again. If it kept its id, and what lies
  in the store is what this watcher put there, it takes its place (`replace`), in a transaction of its own;
  anybody else's file stays and the change is a conflict, unless the folder says `replace`.
* An archive stands for its members, as in `add`; what is no debug file in it is no news. A member that changed
  under its id is a conflict: who put it into the store is remembered for real files only.
* What was dealt with is remembered, over restarts too, by size, time of change and inode.
* Waiting goes by the monotonic clock; the wall clock is asked once, for how old a file is when the watching begins.
* A big tree is swept more rarely than it was asked for, so that sweeping takes no more than a share of one core.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from symsrv.ingest.draft import identify_source
from symsrv.ingest.events import Events
from symsrv.ingest.memory import Memory
from symsrv.ingest.publish import Receipt, publish
from symsrv.ingest.results import FileResult, FileStatus
from symsrv.ingest.sources import Source
from symsrv.ingest.watch_build import Build, Clock, WatchedFolder
from symsrv.ingest.watch_pairs import Pairs
from symsrv.ingest.watch_version import Facts, fill, programs_of
from symsrv.layouts import home
from symsrv.model.errors import StoreError, SymsrvError, UsageError
from symsrv.store import SymbolStore

logger = logging.getLogger(__name__)

__all__ = ["POLL_SECONDS", "Clock", "WatchStatus", "WatchedFolder", "Watcher"]

PATIENCE_SECONDS = 60.0
POLL_SECONDS = 2.0
"""How often everything is swept where there are no events."""

_SLICE_SECONDS = 0.25
_SHORTEST_SECONDS = 0.05
_WRITER_SECONDS = 0.5
_BUSY_FACTOR = 4
_IDLE_FACTOR = 150
_IDLE_POLL_FACTOR = 20


@dataclass(frozen=True, slots=True)
class WatchStatus:
    """What a watcher is at, for people; `waiting` names a file that a publish waits for."""

    folders: int
    missing: int
    files: int
    pending: int
    published: int
    waiting: str | None = None


class Watcher:
    """Watches folders for one store until it is told to stop, or goes over them once.

    `poll_seconds` is for all folders that do not say so themselves. `on_receipt` hears of every publish, from
    the watching thread.
    """

    def __init__(
        self,
        store: SymbolStore,
        folders: Sequence[WatchedFolder],
        *,
        poll_seconds: float | None = None,
        state: Path | None = None,
        on_receipt: Callable[[Receipt], object] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._store = store
        self._poll_seconds = poll_seconds
        self._state = state
        self._on_receipt = on_receipt
        self._clock = clock or Clock()
        self._pairs: dict[str, Pairs] = {}
        self._wake = threading.Event()
        self._next: Sequence[WatchedFolder] | None = None
        self._published = 0
        self._builds = [self._build(folder) for folder in folders]

    def run(self, stop: threading.Event) -> None:
        """Watches until `stop` is set; a publish under way is finished first."""
        events = Events(self._hear)
        try:
            while not stop.is_set():
                self._take_over()
                self._wake.clear()
                events.renew([build.path for build in self._builds if self._listens(build)])
                for build in self._builds:
                    if stop.is_set():
                        break
                    if self._wants_a_look(build):
                        self._turn(build, events)
                self._rest(stop)
        finally:
            events.close()
            for build in self._builds:
                build.memory.save_others()

    def sweep(self) -> None:
        """Looks at everything once and publishes the builds that have gone quiet; store errors wait for the next."""
        for build in self._builds:
            build.look()
            self._publish_if_due(build)

    def once(self, *, patience_seconds: float = PATIENCE_SECONDS) -> list[Receipt]:
        """Waits until each folder is quiet, publishes it, and returns; raises UsageError if a folder is not there.

        What has not settled when patience ends is an error in the receipt; the rest is published.
        """
        receipts = []
        for build in self._builds:
            build.look()
            if build.missing:
                raise UsageError(f"{build.path} is not a folder; name the one that the build writes to")
            ends = time.monotonic() + max(patience_seconds, 2 * build.folder.quiet_seconds)
            while time.monotonic() < ends and (not build.due() or self._unpaired(build)):
                if build.folder.ready_file or not (build.pending() or build.unsettled()):
                    break
                time.sleep(max(_SHORTEST_SECONDS, min(build.quiet_in(), 1.0)))
                build.look()
            late = [] if build.folder.ready_file else build.unsettled()
            pending = build.pending() if build.due() or late else []
            receipts += self._publish(build, [one for one in pending if one not in late], late=late)
            build.memory.save_others()
        return receipts

    def reload(self, folders: Sequence[WatchedFolder]) -> None:
        """Watches these folders from the next sweep on; a publish under way is finished first. From any thread."""
        self._next = folders
        self._wake.set()

    def status(self) -> WatchStatus:
        """What it is at; from any thread, and so only roughly right."""
        builds = self._builds
        waiting = [path for build in builds for path in list(build.live)[:1]]
        return WatchStatus(
            folders=len(builds),
            missing=sum(build.missing for build in builds),
            files=sum(build.files for build in builds),
            pending=sum(len(build.live) for build in builds),
            published=self._published,
            waiting=next(iter(waiting), None),
        )

    def _build(self, folder: WatchedFolder) -> Build:
        return Build(folder, Memory.of(folder.path, store=self._store.id, state=self._state), self._clock)

    def _take_over(self) -> None:
        """Puts the folders in force that a reload asked for; what is known of a folder that stays is kept."""
        folders, self._next = self._next, None
        if folders is None:
            return
        before = {build.path: build for build in self._builds}
        builds = []
        for folder in folders:
            known = before.pop(folder.path, None)
            if known is None:
                known = self._build(folder)
            elif known.folder != folder:
                known.folder = folder
                known.heard = True
            builds.append(known)
        for gone in before.values():
            gone.memory.save_others()
        self._builds = builds
        logger.info("watching", extra={"folders": len(builds), "left": len(before)})

    def _hear(self, folder: str | None) -> None:
        for build in self._builds:
            if folder is None or build.path == folder:
                build.heard = True
        self._wake.set()

    def _listens(self, build: Build) -> bool:
        return self._poll_seconds is None and build.listens

    def _wants_a_look(self, build: Build) -> bool:
        now = self._clock.monotonic()
        return now >= build.latest or (build.heard and now >= build.soonest)

    def _turn(self, build: Build, events: Events) -> None:
        """Looks at a folder, publishes its build if that is due, and says when to look again."""
        build.heard = False
        clock = self._clock.monotonic
        began, worked = clock(), time.thread_time()
        build.look()
        cost, work = clock() - began, time.thread_time() - worked
        self._publish_if_due(build)
        heard = self._listens(build) and events.alive(build.path)
        asked = build.folder.poll_seconds or self._poll_seconds
        sweep = build.folder.sweep_seconds
        interval = asked or (sweep if heard else min(POLL_SECONDS, sweep))
        # Sweeping a big tree again and again while a build writes would take more of the machine than the build.
        least = max(_SHORTEST_SECONDS, _BUSY_FACTOR * cost)
        if not build.live and not asked:
            interval = max(interval, work * (_IDLE_FACTOR if heard else _IDLE_POLL_FACTOR))
        now = clock()
        build.soonest = now + max(least, min(build.folder.quiet_seconds / 2, 1.0))
        build.latest = now + max(interval, least)
        if build.pending():
            build.latest = min(build.latest, now + max(build.quiet_in() or _WRITER_SECONDS, least))

    def _rest(self, stop: threading.Event) -> None:
        """Waits until a folder wants a look."""
        while not stop.is_set() and self._next is None:
            wanted = [build.soonest if build.heard else build.latest for build in self._builds]
            left = min(wanted, default=float("inf")) - self._clock.monotonic()
            if left <= 0:
                return
            self._wake.clear()
            if not any(build.heard for build in self._builds) and self._next is None:
                self._wake.wait(min(left, _SLICE_SECONDS))
            else:
                stop.wait(min(left, _SLICE_SECONDS))

    def _publish_if_due(self, build: Build) -> None:
        if build.due() and not self._unpaired(build):
            try:
                self._publish(build, build.pending())
            except StoreError as error:
                build.refused(error)

    def _unpaired(self, build: Build) -> bool:
        """Whether a program that was just written names a PDB that is still to come."""
        pending = [] if build.folder.ready_file else build.pending()
        if not any(build.young(path) for path in pending):
            return False
        sources = dict(zip(pending, build.sources(pending), strict=True))
        pairs = self._pairs.setdefault(build.path, Pairs(self._store))
        waiting = pairs.waiting({path: (source, build.live[path].mark) for path, source in sources.items()})
        return any(build.young(path) for path in waiting)

    def _publish(self, build: Build, pending: Sequence[str], *, late: Sequence[str] = ()) -> list[Receipt]:
        again: list[str] = []
        fresh: list[str] = []
        for path, source in zip(pending, build.sources(pending), strict=True):
            (again if self._ours(build, path, source) else fresh).append(path)
        receipts = []
        version = self._version(build, pending) if pending else ""
        for paths, ours in ((fresh, False), (again, True)):
            if paths or (late and not ours):
                sources = build.sources(paths)
                receipt = self._transaction(build, sources, version=version, replace=ours or build.folder.replace)
                told = build.note(paths, receipt)
                receipt = _news(sources, receipt, told)
                if late and not ours:
                    unsettled = [_unsettled(source) for source in build.sources(late)]
                    receipt = Receipt(receipt.transaction, (*receipt.results, *unsettled))
                if self._on_receipt is not None and (receipt.results or receipt.transaction is not None):
                    self._on_receipt(receipt)
                receipts.append(receipt)
        self._pairs.pop(build.path, None)
        build.published()
        return receipts

    def _transaction(self, build: Build, sources: Sequence[Source], *, version: str, replace: bool) -> Receipt:
        folder = build.folder
        receipt = publish(
            self._store,
            sources,
            product=folder.product,
            version=version,
            comment=folder.comment,
            tag=folder.tag,
            replace=replace,
        )
        if receipt.transaction is not None:
            self._published += 1
            logger.info("published", extra=receipt.to_record())
        return receipt

    def _version(self, build: Build, pending: Sequence[str]) -> str:
        """The version as the build itself says it: by the programs that are published, or else by those from before."""
        programs = programs_of(pending) or programs_of(build.memory.files)
        try:
            return fill(build.folder.version, Facts(build.path, programs, self._clock.wall()))
        except ValueError as error:
            logger.warning("no version", extra={"folder": build.path, "error": str(error)})
            return ""

    def _ours(self, build: Build, path: str, source: Source) -> bool:
        """Whether a changed file's place in the store holds what this watcher put there from the same path."""
        known = build.memory.get(path)
        if known is None or known.key is None or known.sha256 is None:
            return False
        try:
            if home(identify_source(source)[0]) != known.key:
                return False
        except SymsrvError:
            return False
        there = self._store.look(known.key)
        return there is not None and self._store.holds_same(known.key, size=there.size, sha256=known.sha256)


def _news(sources: Sequence[Source], receipt: Receipt, told: set[str]) -> Receipt:
    """A receipt without the members of archives that are no debug files, and without what was told before."""
    results = tuple(
        result
        for source, own in zip(sources, receipt.of_sources(), strict=True)
        for result in own
        if result.path not in told
        and (result.status is not FileStatus.IGNORED or (len(own) == 1 and result.path == source.label))
    )
    return Receipt(receipt.transaction, results)


def _unsettled(source: Source) -> FileResult:
    sentence = f"{source.label} was still being written; run this again when the build has ended"
    return FileResult(source.label, FileStatus.ERROR, reason="changed", sentence=sentence)
