"""Everything that can go wrong, in one tree; each error writes its own sentence and names its exit code.

    SymsrvError                 never raised itself
    ├── UsageError              wrong usage or configuration
    ├── NotIdentified           this is not a debug file we can file (with a reason word)
    ├── BadName                 a name that must not become part of a path
    ├── SourceError             a file that was to be published could not be read as one piece
    ├── ArchiveError            an archive or a member of one that cannot be unpacked
    └── StoreError
        ├── NoStore             nothing there that could be a store
        ├── StoreLocked         somebody else is writing (try again)
        ├── NoSuchTransaction
        ├── AlreadyThere        create-only met something
        ├── Missing             asked to open what is not there
        ├── DamagedDocument     a transaction document cannot be what its writer wrote
        ├── NewerFormat         written by a later version of symsrv
        └── BackendError        disk or bucket refused (`transient` says whether to try again)

The reason words are part of the JSON answers: they may be added to, never renamed. Two have no error: `other-bytes`,
known only after the commit, of a file that `add` did not put in place because the store has others there; and
`archive-incomplete`, of a whole member of an archive that `add --strict` does not take since others failed.
"""

from enum import IntEnum
from typing import ClassVar


class Exit(IntEnum):
    """Exit codes; the help texts are made from this table. 128+n: ended by signal n."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    PARTLY = 3
    NO_STORE = 10
    LOCKED = 11
    NO_TRANSACTION = 12


EXIT_MEANING: dict[Exit, str] = {
    Exit.DONE: "done",
    Exit.FAILED: "failed",
    Exit.USAGE: "wrong usage or configuration",
    Exit.PARTLY: "done, but some files failed",
    Exit.NO_STORE: "no store",
    Exit.LOCKED: "store locked by another writer",
    Exit.NO_TRANSACTION: "no such transaction",
}


class SymsrvError(Exception):
    """The root of the tree: carries a reason word, an exit code, and whether trying again helps."""

    reason: str = "failed"
    exit_code: ClassVar[Exit] = Exit.FAILED
    transient: bool = False


class UsageError(SymsrvError):
    """The command line or the configuration cannot be obeyed; the message says what would mend it."""

    reason = "usage"
    exit_code = Exit.USAGE


class NotIdentified(SymsrvError):
    """The file is not one of ours, or is broken.

    Reasons: `unknown-format` (not a debug file), `truncated` (ends before its own headers say),
    `malformed` (headers contradict each other), `too-complex` (identifying it would read more
    than the budget), `no-id` (a debug file that carries no identifier), `not-symbols` (a core,
    a minidump), `empty`; and of a file that has ids and is of no use elsewhere, `fastlink` (a PDB).
    """

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


class BadName(SymsrvError):
    """A name from outside that must not become part of a path, here or on Windows."""

    reason = "bad-name"

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name[:80]!r} cannot be a file name in a store: {why}")


class SourceError(SymsrvError):
    """A file to be published could not be read whole: gone, unreadable, or changed while it was read.

    Reasons: `vanished`, `changed`, `unreadable`, `no-such-file` (nothing has the name that was given), `not-a-file`
    (a folder, a device, a pipe), `dangling-link` (a link to nothing), `disk-full` (no room to unpack it).
    """

    def __init__(self, reason: str, sentence: str, *, transient: bool = False) -> None:
        super().__init__(sentence)
        self.reason = reason
        self.transient = transient


class ArchiveError(SymsrvError):
    """An archive, or a member of one, that cannot be unpacked.

    Reasons: `archive-damaged` (cut, a wrong checksum, tables that contradict each other), `archive-encrypted`,
    `archive-unsupported` (a method of compression that symsrv does not know), `archive-limit` (too many members, too
    many bytes, too well compressed), `archive-depth` (an archive in an archive in an archive), `bad-name` (a member's
    name leads out of the archive), `not-a-file` (a link, a device).
    """

    reason = "archive-damaged"

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


class StoreError(SymsrvError):
    """Something about the store itself."""

    reason = "store"


class NoStore(StoreError):
    """There is no symbol store at this place."""

    reason = "no-store"
    exit_code = Exit.NO_STORE


class StoreLocked(StoreError):
    """Another writer holds the store, and still held it when the wait was over."""

    reason = "locked"
    exit_code = Exit.LOCKED
    transient = True


class NoSuchTransaction(StoreError):
    """No live transaction has this number."""

    reason = "no-transaction"
    exit_code = Exit.NO_TRANSACTION


class AlreadyThere(StoreError):
    """Create-only met a path that exists."""

    reason = "exists"

    def __init__(self, path: str) -> None:
        super().__init__(f"{path} is there already")
        self.path = path


class Missing(StoreError):
    """Nothing at this path."""

    reason = "missing"

    def __init__(self, path: str) -> None:
        super().__init__(f"{path} is not there")
        self.path = path


class BackendError(StoreError):
    """The disk or the bucket refused. Reasons: `disk-full`, `no-access`, `unavailable`, `backend`."""

    def __init__(self, reason: str, sentence: str, *, transient: bool = False) -> None:
        super().__init__(sentence)
        self.reason = reason
        self.transient = transient


class DamagedDocument(StoreError):
    """A transaction document that cannot be what its writer wrote."""

    reason = "damaged-document"

    def __init__(self, path: str, why: str) -> None:
        super().__init__(
            f"{path} is damaged ({why}); restore it from a backup, or move it away and run 'symsrv verify'"
        )
        self.path = path
        self.why = why


class NewerFormat(StoreError):
    """The store was written by a later version of symsrv."""

    reason = "newer-format"

    def __init__(self, what: str, found: object, known: int) -> None:
        super().__init__(
            f"{what} has format {found}, and this symsrv knows {known}; use the version that wrote it, or a later one"
        )
