"""Access logs of web servers: what they say was asked for and not there becomes wishes, each request once.

A log is known by its first line and by what stands before the place that was read to, not by its name: it may be
rotated, packed with gzip, copied and truncated, moved to another machine, and is read on from where it was left. Only
what fits into memory is kept of it: one line, and the wishes of one batch.
"""

import gzip
import hashlib
import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast
from urllib.parse import unquote_to_bytes

from symsrv.layouts import parse_any
from symsrv.mirror.logs import ACCESS_LOGS
from symsrv.mirror.logs.base import AccessLog, Parser, Request
from symsrv.model.ask import Ask
from symsrv.model.errors import NotIdentified, StoreLocked
from symsrv.model.wants import Wish, want_key, wanted
from symsrv.model.wishes import is_wish

if TYPE_CHECKING:
    from symsrv.ledger.state import State

MARK = "access-log:"
LOGS_LIMIT = 50_000  # whose places are remembered: a bucket's log is thousands of files a day
LINE_LIMIT_BYTES = 64 << 10
HEAD_LINES = 20
BATCH_WANTS = 1000
TAIL_BYTES = 512
_PLACES = 8  # of logs that begin alike
_SEGMENTS = 8  # no dialect's path has more
_PROBES = ("file.ptr", "refs.ptr", "index2.txt", "pingme.txt")
_HIDDEN_SEPARATORS = ("%2f", "%5c", "%00")
_GZIP = b"\x1f\x8b"
_BROKEN = (EOFError, gzip.BadGzipFile, zlib.error)


@dataclass(frozen=True, slots=True)
class Place:
    """How far a log was read: `first` is its first line's hash, `tail` that of what stands before the offset.

    The offset counts unpacked bytes.
    """

    first: str
    offset: int = 0
    tail: str = ""


@dataclass(slots=True)
class Tally:
    """What was read: all lines, those that no format reads, the misses among them, and why some are no wishes.

    `forbidden` counts the misses that the server told as 403. `other` are misses of what is no symbol.
    """

    lines: int = 0
    bad: int = 0
    misses: int = 0
    forbidden: int = 0
    other: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """Wishes that belong together with the place up to which they were read."""

    wishes: tuple[Wish, ...]
    place: Place


@dataclass(slots=True)
class _Counted:
    """One want of a batch. A debugger that misses `foo.pdb` asks for `foo.pd_`, too: that is one wish and not two."""

    ask: Ask
    first: datetime | None = None
    last: datetime | None = None
    plain: int = 0
    packed: int = 0

    def add(self, request: Request, *, packed: bool) -> None:
        if packed:
            self.packed += 1
        else:
            self.plain += 1
        if request.when is not None:
            self.first = min(self.first or request.when, request.when)
            self.last = max(self.last or request.when, request.when)

    def wishes(self, who: str) -> Iterator[Wish]:
        """One wish, or two, so that the want knows its first and its last time."""
        count = max(self.plain, self.packed)
        if count > 1 and self.first != self.last:
            yield Wish(self.ask, who, 1, seen=self.first)
            count -= 1
        yield Wish(self.ask, who, count, seen=self.last)


@dataclass(slots=True)
class LogFile:
    """One log. `prefix` is the path below which the symbols lie; without, whatever stands before a symbol's path.

    Raises NotIdentified (`unknown-format`) if no format reads its first lines, and OSError if it cannot be read.
    """

    path: Path
    prefix: str = ""
    tally: Tally = field(default_factory=Tally)
    broken: str | None = None
    resumed: Place | None = None
    _kind: AccessLog | None = None
    _parser: Parser | None = None
    _title: str | None = None

    @property
    def kind(self) -> str:
        """The name of its format, once it was read."""
        return "" if self._kind is None else self._kind.name

    @property
    def who(self) -> str:
        """Who wishes what it says: the log by its name, without the number or the ending that rotation gave it."""
        if self._kind is None or self._kind.spread:
            return f"log:{self.kind}"
        name = self.path.name.removesuffix(".gz").rstrip("0123456789-.")
        return f"log:{name or self.path.name}"

    def first(self) -> str | None:
        """The hash by which it is known; None as long as it has no line."""
        with closing(self._open()) as stream:
            line = self._begin(stream)
        return None if line is None else _digest(line.rstrip(b"\r\n"))

    def batches(self, known: Sequence[Place] = (), *, limit: int = BATCH_WANTS) -> Iterator[Batch]:
        """The wishes since the last of the known places that it went on from; `limit` is how many wants make a batch.

        A log that breaks off in its packed form gives what it has, and says so in `broken`.
        """
        with closing(self._open()) as stream:
            line = self._begin(stream)
            if line is None:
                return
            self.resumed = _resumed(stream, known)
            place = self.resumed or Place(_digest(line.rstrip(b"\r\n")))
            stream.seek(place.offset)
            tail = _before(stream, place.offset) or b""
            if tail and not tail.endswith(b"\n"):
                tail = self._pass(stream, tail)  # the rest of a line that was taken when it had no end yet
            yield from self._batches(stream, place, tail, limit=limit)

    def _batches(self, stream: IO[bytes], place: Place, tail: bytes, *, limit: int) -> Iterator[Batch]:
        counted: dict[str, _Counted] = {}
        offset = stream.tell()
        while line := self._line(stream):
            whole, long = line.endswith(b"\n"), len(line) >= LINE_LIMIT_BYTES
            if not whole and not long and self._read(line) is None:
                break  # it is being written just now
            self._count(line, counted)
            tail = (tail + line)[-TAIL_BYTES:]
            offset += len(line)
            if long and not whole:
                tail = self._pass(stream, tail)
                offset = stream.tell()
            if len(counted) >= limit:
                yield self._batch(counted, replace(place, offset=offset, tail=_digest(tail)))
                counted.clear()
        if offset != place.offset:
            yield self._batch(counted, replace(place, offset=offset, tail=_digest(tail)))

    def _batch(self, counted: dict[str, _Counted], place: Place) -> Batch:
        return Batch(tuple(wish for one in counted.values() for wish in one.wishes(self.who)), place)

    def _open(self) -> IO[bytes]:
        with open(self.path, "rb") as raw:
            packed = raw.read(2) == _GZIP
        return cast("IO[bytes]", gzip.open(self.path, "rb") if packed else open(self.path, "rb"))

    def _begin(self, stream: IO[bytes]) -> bytes | None:
        """Learns the format from the first lines; returns the first that is no title, None if there is none yet."""
        lines = [line for _ in range(HEAD_LINES) if (line := self._line(stream))]
        if not lines:
            return None
        head = [_text(line) for line in lines]
        for kind in ACCESS_LOGS:
            parser = kind.parser(head)
            if parser is not None:
                self._kind, self._parser = kind, parser
                break
        else:
            raise NotIdentified("unknown-format", "no web server's access log that symsrv knows begins like this")
        titles = [text.startswith("#") for text in head]
        if not any(titles) and self._parser is not None and self._parser(head[0]) is None:
            titles[0], self._title = True, head[0]
        return next((line for line, title in zip(lines, titles, strict=True) if not title), None)

    def _line(self, stream: IO[bytes]) -> bytes:
        try:
            return stream.readline(LINE_LIMIT_BYTES)
        except _BROKEN as error:
            self.broken = str(error) or "it breaks off"
            return b""

    def _pass(self, stream: IO[bytes], tail: bytes) -> bytes:
        """Reads to the end of a line that does not count; returns the new tail."""
        while line := self._line(stream):
            tail = (tail + line)[-TAIL_BYTES:]
            if line.endswith(b"\n"):
                break
        return tail

    def _read(self, line: bytes) -> Request | None:
        return None if self._parser is None else self._parser(_text(line))

    def _count(self, line: bytes, counted: dict[str, _Counted]) -> None:
        text = _text(line)
        if not text or text.startswith("#") or text == self._title:
            return
        self.tally.lines += 1
        request = self._read(line)
        if request is None:
            self.tally.bad += 1
            return
        absent = self._kind is not None and request.status in self._kind.absent
        if not absent or request.method not in ("GET", "HEAD"):
            return
        found = wished(request.target, self.prefix)
        if found is None:
            self.tally.other += 1
            return
        self.tally.misses += 1
        self.tally.forbidden += request.status != 404
        key, ask = found
        counted.setdefault(key, _Counted(ask)).add(request, packed=ask.packed)


def learn(
    state: "State", log: LogFile, *, here: Callable[[Ask], bool] = lambda _ask: False, dry_run: bool = False
) -> None:
    """Files what a log says since it was read last; its `tally` then says what that was.

    What is `here` by now is nobody's wish: it was published since, and a want for it would be answered by nothing.
    Wishes and the place they were read to are one transaction: whatever breaks off, nothing is lost or counted twice.
    Raises as `LogFile` does, LedgerError, and StoreLocked if somebody else reads the same log just now.
    """
    first = log.first()
    if first is None:
        return
    name = f"{MARK}{first}"
    before = state.marks.text(name) or None
    places = _places(first, before)
    for batch in log.batches(places):
        if dry_run:
            continue
        batch = replace(batch, wishes=_lacking(batch.wishes, here))
        others = [one for one in places if one != log.resumed]
        places = [*others[1 - _PLACES :], batch.place]
        log.resumed = batch.place
        after = _value(places)
        _file(state, batch, name, before=before, after=after)
        before = after


def forget_old(state: "State", *, limit: int = LOGS_LIMIT) -> int:
    """Forgets the logs that were read longest ago, where there are many; returns how many."""
    known = state.marks.all(MARK)
    days = {name: str(json.loads(str(value))["day"]) for name, value in known.items()}
    old = sorted(days, key=lambda name: days[name])[: max(0, len(days) - limit)]
    with state.together():
        for name in old:
            state.marks.drop(name)
    return len(old)


def _file(state: "State", batch: Batch, name: str, *, before: str | None, after: str) -> None:
    def work() -> None:
        if not state.marks.move(name, after, from_value=before):
            raise StoreLocked("somebody else is reading the same access log; try again")
        state.wants.file(batch.wishes)

    state.transaction(work)


def _lacking(wishes: Sequence[Wish], here: Callable[[Ask], bool]) -> tuple[Wish, ...]:
    found: dict[str, bool] = {}
    for wish in wishes:
        key = want_key(wish.ask)
        if key not in found:
            found[key] = here(wanted(wish.ask))
    return tuple(wish for wish in wishes if not found[want_key(wish.ask)])


def _places(first: str, kept: str | None) -> list[Place]:
    return [Place(first, offset, tail) for offset, tail in json.loads(kept)["places"]] if kept else []


def _value(places: Sequence[Place]) -> str:
    record = {"day": f"{datetime.now(UTC):%Y-%m-%d}", "places": [[one.offset, one.tail] for one in places]}
    return json.dumps(record, separators=(",", ":"))


@lru_cache(4096)
def wished(target: str, prefix: str = "") -> tuple[str, Ask] | None:
    """The key and the ask of a request's target, still percent-encoded; None if nobody wishes for a symbol by it."""
    path = target.partition("?")[0].partition("#")[0]
    if "://" in path:
        path = path.partition("://")[2].partition("/")[2]
    if any(one in path.lower() for one in _HIDDEN_SEPARATORS):
        return None
    try:
        segments = [one for one in unquote_to_bytes(path).decode().split("/") if one]
    except UnicodeDecodeError:
        return None
    below = [one for one in prefix.split("/") if one]
    if segments[: len(below)] != below or not segments or segments[-1].lower() in _PROBES:
        return None
    segments = segments[len(below) :]
    starts = [0] if below else range(max(0, len(segments) - _SEGMENTS), len(segments) - 1)
    for start in starts:
        ask = parse_any("/".join(segments[start:]))
        if ask is not None:
            return (want_key(ask), ask) if is_wish(ask) else None
    return None


def log_files(paths: Sequence[Path]) -> Iterator[tuple[Path, bool]]:
    """The files that paths stand for, and whether each was named itself: what folders have comes by name."""
    for path in paths:
        if not path.is_dir():
            yield path, True
            continue
        yield from ((one, False) for one in sorted(path.rglob("*")) if one.is_file())


def _resumed(stream: IO[bytes], known: Sequence[Place]) -> Place | None:
    """The furthest place that this file has been read to: what stands before it is the same."""
    for place in sorted(known, key=lambda one: -one.offset):
        before = _before(stream, place.offset)
        if before is not None and _digest(before) == place.tail:
            return place
    return None


def _before(stream: IO[bytes], offset: int) -> bytes | None:
    """The bytes before a place; None if the file is not that long, or breaks off before it."""
    start = max(0, offset - TAIL_BYTES)
    try:
        stream.seek(start)
        found = stream.read(offset - start)
    except _BROKEN:
        return None
    return found if len(found) == offset - start else None


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace").rstrip("\r\n")
