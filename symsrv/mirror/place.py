"""Upstreams that are places: buckets and folders, read without any server's help."""

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote, urlsplit, urlunsplit

from symsrv.mirror.base import Absent, Fetched, Refused, Stage, Try, Unavailable, unheard
from symsrv.mirror.folders import FolderPlace, folder_of
from symsrv.mirror.pace import Pace, backoff
from symsrv.mirror.pointers import brought
from symsrv.mirror.progress import Part, Progress
from symsrv.mirror.proxies import Ways
from symsrv.mirror.settings import UpstreamOptions
from symsrv.mirror.spellings import tries
from symsrv.model.ask import Ask
from symsrv.model.errors import BackendError, Missing, StoreError, UsageError
from symsrv.model.names import fold
from symsrv.store import Access, Opened, Place, open_place

BUFFER_BYTES = 256 << 10
_WORTH_BYTES = 1 << 20
_VENDORS = {"s3": "https://s3.amazonaws.com", "gs": "https://storage.googleapis.com"}


class PlaceUpstream:
    """A bucket or a folder in whichever layout. It is opened when the first file is wanted of it."""

    def __init__(self, options: UpstreamOptions, opener: Callable[[], Place], *, folder: str | None = None) -> None:
        self.options = options
        self._opener = opener
        self._folder = folder
        self._pace = Pace(options.rate)
        self._lock = threading.Lock()
        self._place: Place | None = None

    def tries(self, ask: Ask) -> Sequence[Try]:
        """By its layouts; in a folder, where any case is found, each spelling once."""
        found = tries(ask, self.options)
        return found if self._folder is None else tuple({fold(one.path): one for one in reversed(found)}.values())[::-1]

    def fetch(self, one: Try, into: Path, *, stage: Stage = unheard) -> Fetched:
        """Reads the file, from where an earlier fetch broke off; what a pointer leads to, below the URL."""
        fetched = self._fetch(one, into, stage=stage)
        if not one.pointer:
            return fetched
        again = partial(self._fetch, into=into, stage=stage)
        return brought(fetched, one, again, url=self.options.url, folder=self._folder)

    def close(self) -> None:
        """Lets go of what was opened; who waits gets Unavailable (`closed`)."""
        self._pace.close()
        with self._lock:
            place, self._place = self._place, None
        if place is not None:
            place.close()

    def _fetch(self, one: Try, into: Path, *, stage: Stage) -> Fetched:
        part = Part(into, (self.options.url, one.path))
        reading = _Reading(part, partial(self._open, one), self._pace, self.options, stage=stage)
        return Fetched(part.path, reading.run(), one.path.rpartition("/")[2], address=one.address)

    def _open(self, one: Try, start: int) -> Opened:
        with _mapped(self.options):
            return self._opened().get(one.path, start)

    def _opened(self) -> Place:
        with self._lock:
            if self._pace.closed:
                raise Unavailable("closed", "the upstream was closed")
            if self._place is None:
                self._place = self._opener()
            return self._place


class _Reading:
    """The reading of one file, in as many tries as it takes. Used by one thread, once."""

    def __init__(
        self, part: Part, opener: Callable[[int], Opened], pace: Pace, options: UpstreamOptions, *, stage: Stage
    ) -> None:
        self._part = part
        self._opener = opener
        self._pace = pace
        self._options = options
        self._stage = stage
        self._progress = part.load()
        self._received = 0

    def run(self) -> int:
        """Leaves the whole file in the part's; returns how many bytes came. Raises FetchError, and OSError of ours."""
        number = 1
        while not self._progress.whole:
            before = self._progress.at
            try:
                self._once()
            except Unavailable as error:
                error.sent = self._received
                number = 1 if self._progress.at - before >= _WORTH_BYTES else number + 1
                if number > self._options.tries or self._pace.closed:
                    raise
                self._stage("retrying", self._received)
                self._pace.sleep(backoff(self._options.pause, max(1, number - 1)))
        return self._received

    def _once(self) -> None:
        """Reads what is not here yet."""
        self._pace.turn()
        self._stage("downloading", self._received)
        opened = self._opener(self._progress.at)
        if self._progress.at and self._progress.validator != _mark(opened):
            opened.close()
            self._part.drop()
            self._progress = Progress()
            opened = self._opener(0)
        with contextlib.closing(opened), self._part.open() as file:
            limit = self._options.size_limit
            if limit is not None and opened.stat.size > limit:
                raise Refused("too-big", f"it has {opened.stat.size} bytes, and the upstream's size_limit is {limit}")
            self._progress.total, self._progress.validator = opened.stat.size, _mark(opened)
            try:
                self._copy(opened, file)
            except Unavailable:
                self._part.save(self._progress)
                raise
        self._progress.whole = True
        self._part.save(self._progress)

    def _copy(self, opened: Opened, file: BinaryIO) -> None:
        progress = self._progress
        file.truncate(progress.at)
        file.seek(progress.at)
        while piece := _piece(opened):
            view = memoryview(piece)
            while view:
                count = file.write(view)
                progress.at += count
                self._received += count
                view = view[count:]
            self._part.tick(lambda: progress)
            self._stage("receiving", self._received)
        if progress.at != progress.total:
            raise Unavailable("cut", f"{progress.at} bytes came of {progress.total}")


def _piece(opened: Opened) -> bytes:
    try:
        return opened.stream.read(BUFFER_BYTES)
    except (StoreError, OSError) as error:
        raise Unavailable("cut", f"it broke off: {error}") from error


@contextlib.contextmanager
def _mapped(options: UpstreamOptions) -> Iterator[None]:
    """Turns what a place raises inside into what an upstream does."""
    try:
        yield
    except Missing as error:
        raise Absent("absent", "it has no such file") from error
    except UsageError as error:
        raise Refused("setup", f"it cannot be set up: {error}") from error
    except BackendError as error:
        if error.transient:
            raise Unavailable("unavailable", f"it cannot answer now: {error}") from error
        if error.reason == "no-access" and options.forbidden_is_absent:
            raise Absent("absent", "it has no such file, or does not let us", status=403) from error
        if error.reason == "no-access":
            why = f"it does not let us; see forbidden_is_absent: {error}"
            raise Refused("forbidden", why, status=403) from error
        raise Refused("bad-answer", f"it refused: {error}") from error
    except StoreError as error:
        raise Refused("no-bucket", f"there is no such place: {error}") from error


def open_bucket(options: UpstreamOptions) -> PlaceUpstream:
    """A bucket, `s3://bucket/prefix` or `gs://bucket/prefix`; nothing is asked yet. Raises UsageError."""
    if options.url.partition("://")[0].lower() not in _VENDORS:
        raise UsageError(f"{options.name}: a bucket is s3://bucket/prefix or gs://bucket/prefix, not {options.url}")
    return PlaceUpstream(options, lambda: open_place(options.url, access(options)))


def open_folder(options: UpstreamOptions) -> PlaceUpstream:
    """A folder, as a path or `file:///path`; it need not be there yet. Raises UsageError."""
    folder = folder_of(options.url)
    return PlaceUpstream(options, lambda: FolderPlace(folder), folder=str(folder))


def access(options: UpstreamOptions) -> Access:
    """How a bucket is reached; reads the secrets, so it is for no log. Raises UsageError."""
    own = options.credentials
    return Access(
        key=own.access_key,
        secret=own.secret_key.value() if own.secret_key is not None else None,
        role=own.role,
        region=own.region,
        endpoint=own.endpoint,
        service_account=own.service_account,
        ca_bundle=own.ca_bundle,
        client_cert=own.client_cert,
        client_key=own.client_key,
        proxy=_proxy(options),
        connect_seconds=options.connect_timeout,
        read_seconds=max(options.first_byte_timeout, options.idle_timeout),
    )


def _proxy(options: UpstreamOptions) -> str | None:
    """The proxy's URL with what it takes to be let in; None leaves it to the environment, "" is none."""
    if options.proxy.url is None:
        return None
    scheme = options.url.partition("://")[0].lower()
    way = Ways(options.proxy).out_to(options.credentials.endpoint or _VENDORS[scheme])
    if way is None:
        return ""
    if way.socks and scheme == "s3":
        raise UsageError("boto3 goes through HTTP proxies only, and not through SOCKS")
    if way.user is None:
        return way.url
    parts = urlsplit(way.url)
    user = f"{quote(way.user, safe='')}:{quote(way.password or '', safe='')}@"
    return urlunsplit(parts._replace(netloc=user + parts.netloc))


def _mark(opened: Opened) -> str:
    """What proves that a later part is of the same file."""
    return f"{opened.stat.size}-{opened.stat.modified_ns}"
