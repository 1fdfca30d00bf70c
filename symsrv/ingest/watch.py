"""Watching: publishes what a build writes, when it is finished.

The sweep is the truth, events are a hint: watchdog loses them when folders appear while it looks or its queue
runs over, so that every so often everything is looked at, whatever was or was not heard.

* A watched folder is one build. It is published as one transaction when it has gone quiet: no debug file in it
  changed for `quiet_seconds`, and none is open for writing as far as the system tells. Other files (logs that
  grow for ever) do not hold a build up. With a ready file, its appearance counts and nothing else.
* A file that changes again later (source indexing, signing) is published again. If it kept its id, and what lies
  in the store is what this watcher put there, it takes its place (`replace`), in a transaction of its own;
  anybody else's file stays and the change is a conflict.
* An archive stands for its members, as in `add`; what is no debug file in it is no news. A member that changed
  under its id is a conflict: who put it into the store is remembered for real files only.
* What was dealt with is remembered, over restarts too, by size, time of change and inode.
"""

# As in sources, a tree is swept in plain strings.
# ruff: noqa: PTH112, PTH116, PTH118

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from symsrv.formats import recognised
from symsrv.ingest.draft import identify_source
from symsrv.ingest.events import Events
from symsrv.ingest.memory import Mark, Memory
from symsrv.ingest.publish import Receipt, publish
from symsrv.ingest.results import FileResult, FileStatus
from symsrv.ingest.sources import Source, discover, read_error
from symsrv.ingest.writing import being_written
from symsrv.layouts import home
from symsrv.model.errors import StoreError, SymsrvError, UsageError
from symsrv.packing import HEAD_BYTES, kind_of
from symsrv.store import SymbolStore

logger = logging.getLogger(__name__)

PATIENCE_SECONDS = 60.0
POLL_SECONDS = 2.0
"""How often everything is swept where there are no events."""

_SLICE_SECONDS = 0.25
_SHORTEST_SECONDS = 0.05
_REFUSED_SECONDS = 5.0
_TRY_AGAIN = frozenset({"unreadable", "vanished", "changed"})


@dataclass(frozen=True, slots=True)
class WatchedFolder:
    """One folder to watch, when it counts as finished, and what to write into its transactions.

    `sweep_seconds` is how often it is swept when events are heard, which only make it sooner.
    """

    path: str
    quiet_seconds: float = 5.0
    sweep_seconds: float = 30.0
    ready_file: str | None = None
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    product: str = ""
    version: str = ""
    comment: str = ""
    tag: str | None = None


class Watcher:
    """Watches folders for one store until it is told to stop, or goes over them once.

    With `poll_seconds` it sweeps that often and listens to no events. `on_receipt` hears of every publish, from
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
    ) -> None:
        self._store = store
        self._poll_seconds = poll_seconds
        self._on_receipt = on_receipt
        self._builds = [_Build(folder, Memory.of(folder.path, store=store.id, state=state)) for folder in folders]
        self._hint = threading.Event()

    def run(self, stop: threading.Event) -> None:
        """Watches until `stop` is set; a publish under way is finished first."""
        events = Events([build.path for build in self._builds], self._hint, wanted=self._poll_seconds is None)
        try:
            while not stop.is_set():
                self._hint.clear()
                began = time.monotonic()
                events.renew()
                self.sweep(stop)
                self._sleep(stop, cost_seconds=time.monotonic() - began, heard=events.alive)
        finally:
            events.close()

    def sweep(self, stop: threading.Event | None = None) -> None:
        """Looks at everything once and publishes the builds that have gone quiet; store errors wait for the next."""
        for build in self._builds:
            if stop is not None and stop.is_set():
                return
            build.look()
            if build.due():
                try:
                    self._publish(build, build.pending())
                except StoreError as error:
                    build.refused(error)

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
            while not build.due() and build.unsettled() and time.monotonic() < ends:
                time.sleep(max(_SHORTEST_SECONDS, min(build.quiet_in(), 1.0)))
                build.look()
            late = [] if build.folder.ready_file else build.unsettled()
            pending = build.pending() if build.due() or late else []
            receipts += self._publish(build, [one for one in pending if one not in late], late=late)
        return receipts

    def _publish(self, build: "_Build", pending: list[Source], *, late: Sequence[Source] = ()) -> list[Receipt]:
        again: list[Source] = []
        fresh: list[Source] = []
        for source in pending:
            (again if self._ours(build, source) else fresh).append(source)
        receipts = []
        for sources, replace in ((fresh, False), (again, True)):
            if sources or (late and not replace):
                receipt = self._transaction(build.folder, sources, replace=replace)
                build.note(sources, receipt)
                receipt = _news(sources, receipt)
                if late and not replace:
                    receipt = Receipt(receipt.transaction, (*receipt.results, *map(_unsettled, late)))
                if self._on_receipt is not None and (receipt.results or receipt.transaction is not None):
                    self._on_receipt(receipt)
                receipts.append(receipt)
        build.published()
        return receipts

    def _transaction(self, folder: WatchedFolder, sources: Sequence[Source], *, replace: bool) -> Receipt:
        receipt = publish(
            self._store,
            sources,
            product=folder.product,
            version=folder.version,
            comment=folder.comment,
            tag=folder.tag,
            replace=replace,
        )
        if receipt.transaction is not None:
            logger.info("published", extra=receipt.to_record())
        return receipt

    def _ours(self, build: "_Build", source: Source) -> bool:
        """Whether a changed file's place in the store holds what this watcher put there from the same path."""
        known = build.memory.get(str(source.path))
        if known is None or known.key is None or known.sha256 is None:
            return False
        try:
            if home(identify_source(source)[0]) != known.key:
                return False
        except SymsrvError:
            return False
        there = self._store.look(known.key)
        return there is not None and self._store.holds_same(known.key, size=there.size, sha256=known.sha256)

    def _sleep(self, stop: threading.Event, *, cost_seconds: float, heard: bool) -> None:
        """Waits for the next sweep: sooner when something was heard or something is about to be quiet."""
        began = time.monotonic()
        usual = min(build.folder.sweep_seconds for build in self._builds)
        interval = self._poll_seconds or (usual if heard else min(POLL_SECONDS, usual))
        quiet = min(build.folder.quiet_seconds for build in self._builds)
        # Sweeping a big tree again and again while a build writes would take more of the machine than the build.
        least = max(_SHORTEST_SECONDS, 4 * cost_seconds)
        soonest = began + max(least, min(quiet / 2, 1.0))
        latest = began + max(interval, least)
        if waiting := [build.quiet_in() for build in self._builds if build.unsettled()]:
            latest = min(latest, began + max(min(waiting), least))
        while not stop.is_set():
            now = time.monotonic()
            if now >= latest or (now >= soonest and self._hint.is_set()):
                return
            left = (soonest if self._hint.is_set() else latest) - now
            if self._hint.is_set():
                stop.wait(min(left, _SLICE_SECONDS))
            else:
                self._hint.wait(min(left, _SLICE_SECONDS))


@dataclass(slots=True)
class _Seen:
    """A file as the last sweep saw it; `since` is when it became so, by the monotonic clock."""

    source: Source
    mark: Mark
    since: float
    debug: bool
    """A debug file, as far as its first bytes tell: to be published, and waited for."""
    blank: bool
    """Nothing in it yet: a linker may be about to write."""


@dataclass(slots=True)
class _Build:
    """One watched folder: what is in it, since when, and what was published."""

    folder: WatchedFolder
    memory: Memory
    missing: bool = False
    _files: dict[str, _Seen] = field(default_factory=dict)
    _changed: float = float("-inf")
    _said: dict[str, str] = field(default_factory=dict)
    _not_before: float = float("-inf")
    _ready: Mark | None = None

    @property
    def path(self) -> str:
        """The folder's path, as it was named."""
        return self.folder.path

    def look(self) -> None:
        """Sweeps the folder."""
        now = time.monotonic()
        if not os.path.isdir(self.path):
            if not self.missing:
                self.missing = True
                self.say(self.path, "missing", "waiting for the folder to appear")
            return
        if self.missing:
            self.missing = False
            self._said.pop(self.path, None)
        folder = self.folder
        files: dict[str, _Seen] = {}
        for source in discover([os.path.join(self.path, "")], include=folder.include, exclude=folder.exclude):
            if source.problem is not None:
                self.say(source.label, source.problem.reason, str(source.problem))
            elif (seen := self._see(source, now)) is not None:
                files[str(source.path)] = seen
        if any(self._files[path].debug for path in self._files.keys() - files.keys()):
            self._changed = now
        self._files = files
        if folder.ready_file:
            self._ready = _mark(os.path.join(self.path, folder.ready_file))

    def _see(self, source: Source, now: float) -> _Seen | None:
        path = str(source.path)
        try:
            status = os.stat(path)
        except OSError:
            return None
        mark = Mark(status.st_size, status.st_mtime_ns, status.st_ino)
        before = self._files.get(path)
        if before is not None and before.mark == mark:
            return before
        # A file met for the first time may have been lying there for long. Unpacking sets back the time of change
        # but not that of the inode.
        age = time.time() - max(status.st_mtime, status.st_ctime) if before is None else 0.0
        try:
            debug, blank = _first_look(path)
        except OSError as error:
            self.say(source.label, f"unreadable {error.errno}", str(read_error(error, source.label)))
            # On Windows whoever writes keeps others out.
            return _Seen(source, mark, now, debug=True, blank=False) if os.name == "nt" else None
        return _Seen(source, mark, now - max(0.0, age), debug, blank)

    def pending(self) -> list[Source]:
        """The debug files that have not been dealt with as they are now."""
        return [seen.source for path, seen in self._files.items() if seen.debug and not self._done(path, seen)]

    def unsettled(self) -> list[Source]:
        """The files that a publish has to wait for."""
        if not self.pending() and not any(seen.blank for seen in self._files.values()):
            return []
        settled = time.monotonic() - self.folder.quiet_seconds
        return [
            seen.source
            for path, seen in self._files.items()
            if (seen.debug or seen.blank)
            and (seen.since > settled or ((seen.blank or not self._done(path, seen)) and being_written(path)))
        ]

    def quiet_in(self) -> float:
        """In how many seconds the folder will be quiet, if nothing happens; zero if it only waits for a writer."""
        last = max((seen.since for seen in self._files.values() if seen.debug or seen.blank), default=self._changed)
        return max(0.0, max(last, self._changed) + self.folder.quiet_seconds - time.monotonic())

    def due(self) -> bool:
        """Whether the build is to be published now."""
        now = time.monotonic()
        if self.missing or now < self._not_before:
            return False
        if self.folder.ready_file:
            return self._ready is not None and self._ready != self.memory.ready
        return bool(self.pending()) and self._changed + self.folder.quiet_seconds <= now and not self.unsettled()

    def note(self, sources: Sequence[Source], receipt: Receipt) -> None:
        """Remembers what became of files, and tells of failures."""
        for source, results in zip(sources, receipt.of_sources(), strict=True):
            path = str(source.path)
            mark = self._files[path].mark
            for result in results:
                if result.failed:
                    self.say(result.path, f"{mark} {result.reason}", result.sentence or "")
            own = next((one for one in results if one.path == source.label), None)
            if own is None or own.reason not in _TRY_AGAIN:
                self.memory.note(path, mark, own or FileResult(source.label, _best(results)))

    def published(self) -> None:
        """Writes down what was published; what could not be read is tried again after a while."""
        self.memory.ready = self._ready or self.memory.ready
        self.memory.save(seen=self._files, count=len(self._files))
        self._said.pop("", None)

    def refused(self, error: StoreError) -> None:
        """The store did not take it: tell once, and try again later."""
        self._not_before = time.monotonic() + min(self.folder.sweep_seconds, _REFUSED_SECONDS)
        if self._said.get("") != error.reason:
            self._said[""] = error.reason
            log = logger.warning if error.transient else logger.error
            log(
                "cannot publish, trying again",
                extra={"folder": self.path, "reason": error.reason, "error": str(error)},
            )

    def say(self, what: str, state: str, sentence: str) -> None:
        """Logs something about a file or folder, once for each state it gets into."""
        if self._said.get(what) != state:
            self._said[what] = state
            logger.warning("not published", extra={"file": what, "why": sentence})

    def _done(self, path: str, seen: _Seen) -> bool:
        return self.memory.knows(path, seen.mark)


def _first_look(path: str) -> tuple[bool, bool]:
    """Whether a file may be one to publish by its first bytes, and whether there is nothing in it yet."""
    with open(path, "rb", buffering=0) as stream:
        head = stream.read(HEAD_BYTES)
    return recognised(head) or kind_of(head) is not None, not head.strip(b"\0")


def _news(sources: Sequence[Source], receipt: Receipt) -> Receipt:
    """A receipt without the members of archives that are no debug files."""
    results = tuple(
        result
        for source, own in zip(sources, receipt.of_sources(), strict=True)
        for result in own
        if result.status is not FileStatus.IGNORED or (len(own) == 1 and result.path == source.label)
    )
    return Receipt(receipt.transaction, results)


def _best(results: Sequence[FileResult]) -> FileStatus:
    """What became of an archive, in one word."""
    statuses = {result.status for result in results}
    return next((one for one in FileStatus if one in statuses), FileStatus.IGNORED)


def _mark(path: str) -> Mark | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return Mark(status.st_size, status.st_mtime_ns, status.st_ino)


def _unsettled(source: Source) -> FileResult:
    sentence = f"{source.label} was still being written; run this again when the build has ended"
    return FileResult(source.label, FileStatus.ERROR, reason="changed", sentence=sentence)
