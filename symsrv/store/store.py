"""SymbolStore: the one face of a store; everybody above asks here and nobody else touches a backend."""

import logging
import os
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING

from platformdirs import user_state_path

from symsrv.backends import open_backend
from symsrv.backends.base import Backend, Opened, Staged, Stat
from symsrv.layouts import parse_any
from symsrv.model.ask import Ask
from symsrv.model.errors import Missing, NoSuchTransaction, StoreError
from symsrv.model.identity import Identity
from symsrv.model.records import StoredFile, Transaction, digits
from symsrv.store import documents, microsoft, places
from symsrv.store.adopting import let_go
from symsrv.store.care import Care
from symsrv.store.catching_up import catch_up, same_past
from symsrv.store.commit import Committer
from symsrv.store.comparing import Hashes
from symsrv.store.copies import Copies, copies_folder
from symsrv.store.draft import Draft
from symsrv.store.finding import Absence, Finder, Lead
from symsrv.store.homes import Home, is_packed, places_of
from symsrv.store.marking import id_by_place, mark, read_id, write_format
from symsrv.store.mending import mend_admin
from symsrv.store.pointing import Led, Pointing
from symsrv.store.reading import identities_at, identities_told
from symsrv.store.unpacking import packing_fault

if TYPE_CHECKING:
    from symsrv.ledger.index import Index

logger = logging.getLogger(__name__)

LOCK_SECONDS = 60.0
_BUCKET_NEWS_SECONDS = 1.0
_INDEX_BATCH = 1000
_NOT_SYMBOLS = ("/refs.ptr", "/file.ptr")


def open_store(
    url: str,
    *,
    create: bool = False,
    state: Path | None = None,
    index_url: str | None = None,
    lock_seconds: float = LOCK_SECONDS,
    semaphore: bool = False,
    two_tier: bool = False,
    pointer_roots: Sequence[Path] = (),
) -> "SymbolStore":
    """Opens the store at a folder or URL; with `create`, makes it one if there is nothing yet.

    `state` is the folder where this machine keeps its index of the store, unless `index_url` names a database.
    `semaphore` holds `_lockfile.sem` while writing, for other tools that honour it. `two_tier` gives a store that is
    made, in a place with nothing in it, folders of the first two letters of names. `pointer_roots` are the folders
    below which a `file.ptr` may lead; with none, none is followed.
    Raises NoStore, UsageError, or NewerFormat.
    """
    backend = open_backend(url, create=create, semaphore=semaphore)
    if create:
        mark(backend, two_tier=two_tier)
    return SymbolStore(
        backend, state=state, index_url=index_url, lock_seconds=lock_seconds, pointer_roots=pointer_roots
    )


class SymbolStore:
    """A symbol store on any backend; safe to share between threads."""

    def __init__(
        self,
        backend: Backend,
        *,
        state: Path | None = None,
        index_url: str | None = None,
        lock_seconds: float = LOCK_SECONDS,
        pointer_roots: Sequence[Path] = (),
    ) -> None:
        self.url = backend.url
        self.pointer_roots = tuple(pointer_roots)
        self._backend = backend
        self._hashes = Hashes(backend)
        self._state = state or user_state_path("symsrv")
        self._index_url = index_url
        self._lock_seconds = lock_seconds
        self._lock = RLock()
        self._checked_past = False
        self._news_token: object = None
        self._generation = 0
        self.id = read_id(backend)
        self._committer = Committer(
            backend, freed=self._freed, hashes=self._hashes, identify=self.identify, lock_seconds=lock_seconds
        )
        pingme = backend.local(places.PINGME)
        self._pingme = None if pingme is None else str(pingme)

    @property
    def _own_name(self) -> str:
        """What is kept of it here goes by its place, too: a copy has the same id, and soon another history."""
        return f"{self.id}-{id_by_place(self._backend).hex[:8]}"

    def keep_id(self) -> str:
        """Makes an empty place a store, where that can be, so that the id is still the same when files come; the id."""
        if self._backend.stat(places.FORMAT_FILE) is None and next(iter(self._backend.walk()), None) is None:
            with suppress(StoreError):
                mark(self._backend)
            self.id = read_id(self._backend)
        return self.id

    @property
    def arriving(self) -> Path:
        """A folder of this machine for files on their way into the store: on its own file system, if it is a folder.

        Only then `stage` can give them a second name instead of copying them. It may have to be made first.
        """
        return self._backend.local(places.ARRIVING) or self._state / f"{self._own_name}.arriving"

    @property
    def local(self) -> bool:
        """Whether finding and opening end in about a millisecond, so that they need no thread of their own."""
        return self._pingme is not None

    @cached_property
    def index(self) -> "Index":
        """This machine's index; in memory where the state folder cannot be written."""
        from symsrv.ledger.index import Index  # SQLAlchemy takes longer to load than most verbs to run

        if self._index_url:
            return Index(self._index_url)
        try:
            self._state.mkdir(parents=True, exist_ok=True)
            return Index(f"sqlite:///{self._state / f'{self._own_name}.sqlite'}")
        except (OSError, StoreError):
            return Index("sqlite://")

    @cached_property
    def _copies(self) -> Copies:
        return Copies(self._backend, copies_folder(self._state, self._own_name))

    @cached_property
    def _pointing(self) -> Pointing:
        copies = copies_folder(self._state, f"{self._own_name}.pointers")
        return Pointing(self._backend, self.pointer_roots, copies)

    @cached_property
    def _finder(self) -> Finder:
        return Finder(self._backend, self.index)

    def find(self, ask: Ask) -> Sequence[StoredFile]:
        """The files that answer an ask, best first; empty on a miss."""
        return self._finder.find(ask)

    def absence(self, asks: Sequence[Ask]) -> Absence | None:
        """Vouches for a miss while the revision stays: cheaper to ask than to look again. None if it must be looked."""
        return self._finder.absence(asks)

    def open(self, file: StoredFile, start: int = 0, length: int | None = None) -> Opened:
        """Opens a stored file; raises Missing when it has gone meanwhile."""
        return self._backend.open(file.home, start, length)

    def open_plain(self, file: StoredFile, *, fill: bool = True) -> Opened | None:
        """Opens what a stored file is when unpacked; its stat has the plain size and hash, and the file's own time.

        What lies there plain is opened as it is. Without `fill` this is as quick as `open`: None if the file has to be
        unpacked first. Raises Missing, or ArchiveError if it is damaged.
        """
        return self.open(file) if file.encoding is None else self._copies.open(file, fill=fill)

    def plain(self, file: StoredFile) -> Path:
        """The path on this machine of a plain copy of a stored file, which is the file itself if it can be.

        A copy is made once, checked, and may be dropped for others later. Raises Missing, or ArchiveError if the file
        is damaged.
        """
        if file.encoding is None and (local := self._backend.local(file.home)) is not None:
            if self._backend.stat(file.home) is None:
                raise Missing(file.home)
            return local
        return self._copies.get(file).path

    def pointer(self, ask: Ask) -> Lead | None:
        """The `file.ptr` that lies where a file that was not found would, whether it may be followed or not."""
        return self._finder.pointer(ask)

    def open_pointed(self, lead: Lead) -> Led:
        """Opens the file that a pointer leads to if it lies below `pointer_roots` and belongs there, or says why not.

        This may wait for a network, even where the store is local.
        """
        return self._pointing.open(lead)

    def look(self, home: str) -> Stat | None:
        """What lies at a home now."""
        return self._backend.stat(home)

    def kept(self, key: str, *, size: int = 0) -> Home | None:
        """Where a key's file lies now, and in which form; None if it is nowhere. The first where it is kept twice."""
        found = places_of(key, two_tier=self.two_tier(), size=size)
        return next((one for one in found if self._backend.stat(one.path) is not None), None)

    def holds_same(self, home: str, *, size: int, sha256: str) -> bool:
        """Whether the file at a home, in whichever form, is this one; reads it where no hash is kept beside it."""
        if is_packed(home):
            return self._hashes.unpacked(home) == sha256
        return self._hashes.same(home, size=size, sha256=sha256)

    def sha256(self, home: str, *, afresh: bool = False) -> str | None:
        """The hash of the bytes at a home, None if there are none; `afresh` reads them whatever is remembered."""
        return (Hashes(self._backend).computed if afresh else self._hashes.of)(home)

    def identify(self, home: str) -> tuple[Identity, ...]:
        """What the file at a home is by its headers; empty if it is not a debug file, damaged, or gone.

        One that is compressed is unpacked for it.
        """
        return identities_at(self._backend, home)

    def damage(self, home: str) -> str | None:
        """What is wrong with a file that is compressed; None if it can be unpacked, or is not compressed."""
        return packing_fault(self._backend, home) if is_packed(home) else None

    def stage(self, path: Path, *, sha256: str | None = None) -> Staged:
        """Copies a file durably to where no reader looks, and hashes the copy; raises SourceError.

        With a `sha256`, the file is the caller's own, whole, and never written to again: a second name will do.
        """
        return self._backend.stage(path, sha256=sha256)

    def discard(self, staged: Staged) -> None:
        """Drops staged bytes that will not be committed."""
        self._backend.discard(staged)

    def commit(self, draft: Draft) -> Transaction:
        """Makes a draft one transaction, durable when it returns; the entries are in the order of the offers."""
        self._ensure_format()
        return self._committer.add(draft)

    def delete(self, numbers: Sequence[int], *, comment: str = "", who: str | None = None) -> list[Transaction]:
        """Deletes transactions: one delete each, as symstore.exe records them; files nobody holds any more go.

        Raises NoSuchTransaction before anything is deleted if one of them is not a live add.
        """
        self._ensure_format()
        numbers = list(dict.fromkeys(numbers))
        for number in numbers:
            self._check_live(number)
        return [self._committer.delete(number, check=self._check_live, comment=comment, who=who) for number in numbers]

    def history(self) -> Iterator[Transaction]:
        """Every transaction, oldest first, without its entries."""
        self.catch_up()
        return self.index.transactions()

    def documents(self) -> Iterator[Transaction]:
        """Every transaction that has a document, oldest first, with its entries, read from the store itself."""
        folder = places.document(0).rsplit("/", 1)[0]
        for path in sorted(stat.path for stat in self._backend.walk(folder)):
            yield documents.load(self._backend.read(path), path)

    def files(self) -> Iterator[Stat]:
        """Every file that lies where some dialect would ask for it, in no promised order."""
        for stat in self._backend.walk():
            if stat.path.count("/") >= 2 and not stat.path.endswith(_NOT_SYMBOLS) and parse_any(stat.path) is not None:
                yield stat

    def displaced(self) -> Iterator[Stat]:
        """What replacements put aside."""
        return self._backend.walk(places.DISPLACED)

    def catch_up(self) -> int:
        """Reads transactions that the index has not seen; returns how many."""
        with self._lock:
            if not self._checked_past:
                if not same_past(self._backend, self.index):
                    logger.warning("the store is not what it was; reading it again", extra={"store": self.url})
                    self.index.clear()
                self._checked_past = True
            return catch_up(self._backend, self.index)

    def reindex(self, progress: Callable[[int], None] = lambda files: None) -> int:
        """Makes the index again from documents, `000Admin` and the files themselves; returns how many files."""
        self._reread()
        count = 0
        batch: list[StoredFile] = []
        for stat in self.files():  # takes long in a large store: whoever asks meanwhile is answered
            known = self.index.at(stat.path)
            if known is None or not known.identities:
                identities = identities_told(self._backend, stat.path)
                batch.append(StoredFile(stat.path, stat.size, stat.sha256, stat.modified_ns, identities))
            count += 1
            if len(batch) >= _INDEX_BATCH:
                self.index.put_files(batch)
                batch.clear()
            progress(count)
        self.index.put_files(batch)
        with self._lock:
            self._generation += 1
        return count

    def _reread(self) -> None:
        with self._lock:
            self.index.clear()
            catch_up(self._backend, self.index)
            self._generation += 1

    def rewrite_admin(self) -> int:
        """Brings `000Admin` and the `refs.ptr` files to what the documents say; returns how many lines that were."""
        self._ensure_format()
        with self._backend.lock(timeout_seconds=self._lock_seconds):
            self._committer.recover()
            self.catch_up()
            count = mend_admin(self._backend, self.index)
            self._backend.sync()
            return count

    def would_free(self, number: int, *, after: Sequence[int] = ()) -> dict[str, bool]:
        """For each home that a live transaction holds: whether nothing would hold it once that was deleted.

        `after` names transactions that are to be deleted before it.
        """
        self._check_live(number)
        return let_go(self._backend, self.index, [number], after=after)

    def search(self, text: str, *, limit: int) -> list[StoredFile]:
        """Files whose name, id (in any spelling), product, version, tag or comment matches."""
        self.catch_up()
        return self.index.search(text, limit)

    def revision(self) -> object:
        """A value that changes when what was found may not be right any more; cheap enough to ask each time."""
        token = self._news()
        if token != self._news_token and self._lock.acquire(blocking=False):  # held: somebody is catching up just now
            try:
                if self.catch_up() or self.local:
                    self._generation += 1
                self._news_token = token
            finally:
                self._lock.release()
        return self._generation

    def admin_file(self, name: str) -> bytes | None:
        """What Sentry's index reader asks of `000Admin`: `lastid.txt`, and each number's list without source paths."""
        return microsoft.for_index_readers(self._backend, name)

    @cached_property
    def care(self) -> Care:
        """What upkeep asks and does."""
        reread = self._reread
        return Care(self._backend, recover=self._committer.recover, reread=reread, lock_seconds=self._lock_seconds)

    @property
    def removes_at_once(self) -> bool:
        """Whether a delete removes files itself; on a bucket they stay for `prune`."""
        return self._backend.shared_lock

    def known_files(self) -> int:
        """How many files the index knows; with none, only paths can be answered."""
        return self.index.counts().files

    def two_tier(self) -> bool:
        """Whether the store says of itself that names lie in folders of their first two letters."""
        return self._backend.stat(places.TWO_TIER) is not None

    def close(self) -> None:
        """Lets go of files, connections and locks."""
        if "index" in self.__dict__:
            self.index.close()
        self._backend.close()

    def _freed(self, transaction: Transaction) -> Mapping[str, bool]:
        self.catch_up()
        return let_go(self._backend, self.index, transaction.deletes)

    def _check_live(self, number: int) -> None:
        self.catch_up()
        if not self.index.live(number):
            raise NoSuchTransaction(f"no live transaction {digits(number)} in {self.url}; 'symsrv history' lists them")

    def _news(self) -> object:
        if self._pingme is None:
            return time.monotonic() // _BUCKET_NEWS_SECONDS
        try:
            stat = os.stat(self._pingme)  # noqa: PTH116 - 2 µs, asked on every request
        except OSError:
            return None
        return (stat.st_mtime_ns, stat.st_ino)

    def _ensure_format(self) -> None:
        if self._backend.stat(places.FORMAT_FILE) is None:
            write_format(self._backend, uuid.UUID(self.id))
