"""SymbolStore: the one face of a store; everybody above asks here and nobody touches a backend."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from symsrv.backends.base import Opened, Staged, Stat
from symsrv.model.ask import Ask
from symsrv.model.records import StoredFile, Transaction
from symsrv.store.draft import Draft


class SymbolStore:
    """A symbol store on any backend."""

    url: str

    def find(self, ask: Ask) -> Sequence[StoredFile]:
        """The files that answer an ask, best first; empty on a miss."""
        raise NotImplementedError

    def open(self, file: StoredFile, start: int = 0, length: int | None = None) -> Opened:
        """Opens a stored file; raises Missing when it has gone meanwhile."""
        raise NotImplementedError

    def look(self, home: str) -> Stat | None:
        """What lies at a home now."""
        raise NotImplementedError

    def holds_same(self, home: str, *, size: int, sha256: str) -> bool:
        """Whether the bytes at a home are these; reads them where no hash is kept beside them."""
        raise NotImplementedError

    def stage(self, path: Path) -> Staged:
        """Copies a file durably to where no reader looks, and hashes the copy; raises SourceError."""
        raise NotImplementedError

    def discard(self, staged: Staged) -> None:
        """Drops staged bytes that will not be committed."""
        raise NotImplementedError

    def commit(self, draft: Draft) -> Transaction:
        """Makes a draft one transaction, durable when it returns; the entries are in the order of the offers."""
        raise NotImplementedError

    def delete(self, numbers: Sequence[int], *, comment: str = "") -> Sequence[Transaction]:
        """Deletes transactions: one delete each, as symstore.exe records them; files nobody holds any more go."""
        raise NotImplementedError

    def history(self) -> Iterator[Transaction]:
        """Every transaction, oldest first, without its entries."""
        raise NotImplementedError

    def catch_up(self) -> int:
        """Reads transactions that the index has not seen; returns how many."""
        raise NotImplementedError

    def close(self) -> None:
        """Lets go of files, connections and locks."""
        raise NotImplementedError
