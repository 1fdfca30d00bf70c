"""One watched folder: what is new in it, since when, and whether its build is finished."""

# ruff: noqa: PTH112, PTH116, PTH118

import logging
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from symsrv.formats import recognised
from symsrv.ingest.memory import Mark, Memory
from symsrv.ingest.publish import Receipt
from symsrv.ingest.results import FileResult, FileStatus
from symsrv.ingest.sources import Filter, Source, read_error, spelled
from symsrv.ingest.watch_remote import is_remote
from symsrv.ingest.watch_tree import Sweep, mark_of
from symsrv.ingest.writing import being_written
from symsrv.model.errors import SourceError, StoreError
from symsrv.packing import HEAD_BYTES, kind_of

logger = logging.getLogger(__name__)

LOCKED_SECONDS = 60.0
"""How long a file that its writer keeps to itself holds up the rest of its build."""

_REFUSED_SECONDS = 5.0
_AGAIN_SECONDS = 60.0
_OTHERS = 1000
_TRY_AGAIN = frozenset({"unreadable", "vanished", "changed"})

WRITERS_LOCK = os.name == "nt"
"""Whether a file that may not be read is most likely being written."""


@dataclass(frozen=True, slots=True)
class WatchedFolder:
    """One folder to watch, when it counts as finished, and what to write into its transactions.

    `sweep_seconds` is how often it is swept when events are heard, which only make it sooner. With `poll_seconds`
    it is swept that often and no events are listened to; without, that is so on network disks. `pair_seconds` is how
    long a program waits for the PDB that it names. `replace` lets a file take the place of somebody else's.
    """

    path: str
    quiet_seconds: float = 5.0
    sweep_seconds: float = 30.0
    poll_seconds: float | None = None
    pair_seconds: float = 10.0
    ready_file: str | None = None
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    product: str = ""
    version: str = ""
    comment: str = ""
    tag: str | None = None
    replace: bool = False


@dataclass(slots=True)
class Seen:
    """A file that was not dealt with yet; `since` is when it became as it is, by the monotonic clock."""

    mark: Mark
    since: float
    debug: bool
    """A debug file, as far as its first bytes tell: to be published, and waited for."""
    locked: bool = False
    """It could not be read."""
    tries: int = 0
    not_before: float = float("-inf")


@dataclass(frozen=True, slots=True)
class Clock:
    """The time for waiting, which never jumps, and the one that files are stamped with."""

    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time


@dataclass(slots=True)
class Build:
    """What is in a folder that was not dealt with yet, and what was said of it."""

    folder: WatchedFolder
    memory: Memory
    clock: Clock = field(default_factory=Clock)
    missing: bool = False
    files: int = 0
    published_count: int = 0
    live: dict[str, Seen] = field(default_factory=dict)
    heard: bool = False
    soonest: float = float("-inf")
    latest: float = float("-inf")
    _remote: bool | None = None
    _began: bool = False
    _changed: float = float("-inf")
    _said: dict[str, str] = field(default_factory=dict)
    _not_before: float = float("-inf")
    _ready: Mark | None = None

    @property
    def path(self) -> str:
        """The folder's path, as it was named."""
        return self.folder.path

    @property
    def listens(self) -> bool:
        """Whether events are worth to be listened to."""
        return self.folder.poll_seconds is None and not self.remote

    @property
    def remote(self) -> bool:
        """Whether the folder lies on another machine."""
        if self._remote is None:
            self._remote = is_remote(self.path)
            if self._remote and self.folder.poll_seconds is None:
                logger.info("a network disk, looking often instead", extra={"folder": self.path})
        return self._remote

    def look(self) -> None:
        """Sweeps the folder."""
        now = self.clock.monotonic()
        if not os.path.isdir(self.path):
            if not self.missing:
                self.missing, self._began, self._remote = True, True, None
                logger.warning("waiting for the folder to appear", extra={"folder": self.path})
            return
        if self.missing:
            self.missing = False
            logger.info("the folder has appeared", extra={"folder": self.path})
        live: dict[str, Seen] = {}
        dealt: set[str] = set()
        fresh: set[int] = set()

        def see(path: str, mark: Mark) -> None:
            if self.memory.knows(path, mark):
                dealt.add(path)
            elif (seen := self._see(path, mark, now)) is not None:
                live[path] = seen
            else:
                fresh.add(hash(mark))

        folder, memory = self.folder, self.memory
        wanted = Filter(folder.include, folder.exclude)
        sweep = Sweep(
            wanted, known=memory.others, see=see, complain=self._complain, inodes=not self.remote or os.name == "nt"
        )
        sweep.run(self.path)
        still = sweep.still()
        if fresh or still is not memory.others:
            memory.others = {*still, *fresh}
        self.files = len(dealt) + len(live) + len(memory.others)
        lost = memory.lose(dealt | live.keys())
        if lost or any(self.live[path].debug for path in self.live.keys() - live.keys() - dealt):
            self._changed = now
        self.live = live
        self._began = True
        if folder.ready_file:
            self._ready = _mark(os.path.join(self.path, folder.ready_file))
        if not live:
            memory.save_others(most=_OTHERS)

    def _see(self, path: str, mark: Mark, now: float) -> Seen | None:
        """What a file that was not dealt with is; None if it does not belong into a store."""
        seen = before = self.live.get(path)
        if before is None or before.locked or before.mark != mark:
            # What is there when the watching begins may have been lying there for long; later the wall clock, which
            # may jump, is not asked.
            since = now if self._began else now - self._age(path)
            try:
                debug, blank = first_look(path)
            except OSError as error:
                self.say(path, f"unreadable {error.errno}", read_error(error, spelled(path)))
                same = before is not None and before.locked and before.mark == mark
                return before if same else Seen(mark, since, debug=False, locked=True)
            self._said.pop(path, None)
            seen = Seen(mark, since, debug) if debug or blank else None
        # Empty, and nobody is about to write: an ordinary file until it changes.
        if seen is not None and not seen.debug and seen.since <= now - self.folder.quiet_seconds:
            return seen if being_written(path) else None
        return seen

    def _age(self, path: str) -> float:
        """For how long a file has been as it is. Unpacking sets back the time of change but not that of the inode."""
        try:
            status = os.stat(path)
        except OSError:
            return 0.0
        return max(0.0, self.clock.wall() - max(status.st_mtime, status.st_ctime))

    def pending(self) -> list[str]:
        """The debug files that have not been dealt with as they are now, in order."""
        now = self.clock.monotonic()
        paths = [path for path, seen in self.live.items() if seen.debug and seen.not_before <= now]
        return sorted(paths, key=os.path.split)

    def sources(self, paths: Sequence[str]) -> list[Source]:
        """Files to publish."""
        return [Source(Path(path), spelled(path), exclude=self.folder.exclude) for path in paths]

    def unsettled(self) -> list[str]:
        """The files that a publish has to wait for."""
        now = self.clock.monotonic()
        settled = now - self.folder.quiet_seconds
        waiting = []
        for path, seen in self.live.items():
            if seen.not_before > now:
                continue
            if seen.locked:
                if WRITERS_LOCK and seen.since > now - LOCKED_SECONDS:
                    waiting.append(path)
            elif seen.since > settled or being_written(path) or self._moved_on(path, seen):
                waiting.append(path)
        return waiting

    def _moved_on(self, path: str, seen: Seen) -> bool:
        """Whether a file has more in it than when it was looked at: its writer was done between that and now."""
        try:
            status = os.stat(path)
        except OSError:
            return False
        return (status.st_size, status.st_mtime_ns) != (seen.mark.size, seen.mark.modified_ns)

    def quiet_in(self) -> float:
        """In how many seconds the folder will be quiet, if nothing happens; zero if it only waits for a writer."""
        now = self.clock.monotonic()
        last = max(
            (seen.since for seen in self.live.values() if not seen.locked and seen.not_before <= now),
            default=self._changed,
        )
        return max(0.0, max(last, self._changed) + self.folder.quiet_seconds - now)

    def due(self) -> bool:
        """Whether the build is to be published now, pairs aside."""
        if self.missing or self.clock.monotonic() < self._not_before:
            return False
        if self.folder.ready_file:
            return self._ready is not None and self._ready != self.memory.ready
        return bool(self.pending()) and not self.quiet_in() and not self.unsettled()

    def young(self, path: str) -> bool:
        """Whether a program may still wait for its PDB."""
        return self.live[path].since > self.clock.monotonic() - self.folder.pair_seconds

    def note(self, paths: Sequence[str], receipt: Receipt) -> set[str]:
        """Remembers what became of files, and tells of failures; returns the labels of those told of before."""
        told = set()
        for path, results in zip(paths, receipt.of_sources(), strict=True):
            seen = self.live[path]
            label = spelled(path)
            own = next((one for one in results if one.path == label), None)
            for result in results:
                if result.failed and not self.say(result.path, f"{seen.mark} {result.reason}", result):
                    told.add(result.path)
            if own is not None and own.reason in _TRY_AGAIN:
                seen.tries += 1
                wait = min(_AGAIN_SECONDS, max(self.folder.quiet_seconds, 0.1) * 2 ** min(seen.tries, 10))
                seen.not_before = self.clock.monotonic() + wait
                continue
            self.memory.note(path, seen.mark, own or FileResult(label, _best(results)))
            del self.live[path]
        return told

    def published(self) -> None:
        """Writes down what was published."""
        self.memory.ready = self._ready or self.memory.ready
        self.memory.save()
        self._said.pop("", None)

    def refused(self, error: StoreError) -> None:
        """The store did not take it: tell once, and try again later."""
        self._not_before = self.clock.monotonic() + min(self.folder.sweep_seconds, _REFUSED_SECONDS)
        if self._said.get("") != error.reason:
            self._said[""] = error.reason
            log = logger.warning if error.transient else logger.error
            log(
                "cannot publish, trying again",
                extra={"folder": self.path, "reason": error.reason, "error": str(error)},
            )

    def say(self, what: str, state: str, why: FileResult | SourceError) -> bool:
        """Logs something about a file, once for each state it gets into; returns whether it did."""
        if self._said.get(what) == state:
            return False
        self._said[what] = state
        sentence = why.sentence if isinstance(why, FileResult) else str(why)
        logger.warning("not published", extra={"file": what, "reason": why.reason, "why": sentence or ""})
        return True

    def _complain(self, path: str, problem: SourceError) -> None:
        self.say(path, problem.reason, problem)


def first_look(path: str) -> tuple[bool, bool]:
    """Whether a file may be one to publish by its first bytes, and whether there is nothing in it yet."""
    with open(path, "rb", buffering=0) as stream:
        head = stream.read(HEAD_BYTES)
    return recognised(head) or kind_of(head) is not None, not head.strip(b"\0")


def _best(results: Sequence[FileResult]) -> FileStatus:
    """What became of an archive, in one word."""
    statuses = {result.status for result in results}
    return next((one for one in FileStatus if one in statuses), FileStatus.IGNORED)


def _mark(path: str) -> Mark | None:
    try:
        return mark_of(os.stat(path))
    except OSError:
        return None
