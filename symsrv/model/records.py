"""What is on record: stored files, transactions, and the entries by which transactions hold files."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from symsrv.model.identity import Identity

CAB = "cab"
"""The one encoding in which files are kept: a cabinet with the file in it, at the packed twin's path (`foo.pd_`)."""


class Status(StrEnum):
    """What became of an entry's file. Only the first three hold it."""

    STORED = "stored"
    PRESENT = "present"
    REPLACED = "replaced"
    CONFLICT = "conflict"

    @property
    def holds(self) -> bool:
        """Whether an entry of this status keeps the file from being removed."""
        return self is not Status.CONFLICT


class Evidence(StrEnum):
    """Why bytes may stand under an id."""

    CONTENT = "content"
    SIBLING = "sibling"
    HASH = "hash"


@dataclass(frozen=True, slots=True)
class StoredFile:
    """Bytes at one home path `<name>/<id>/<file>`, as far as they are known.

    `size` and `sha256` are those of the bytes as they lie there. `sha256` is None for a file that no document
    describes (adopted, copied in by hand). `modified_ns` is the stored file's own time of change when it was recorded:
    other bytes put there behind our back do not match. `encoding` says how the bytes are compressed, None if they are
    plain; `plain_size` and `plain_sha256` are then those of the file itself, as far as they are known.
    """

    home: str
    size: int
    sha256: str | None = None
    modified_ns: int | None = None
    identities: tuple[Identity, ...] = ()
    encoding: str | None = None
    plain_size: int | None = None
    plain_sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A transaction's hold on a stored file, with the hash it offered.

    `source` is where the file came from, as the publisher spelled it. For a conflict, `kept_sha256` is what
    stayed in the store; for a replacement it is what was put aside, and `handle` names the staged bytes that
    take its place.

    `size` and `sha256` are those of the bytes as they lie at the home; with an `encoding` they are compressed, and
    `plain_size` and `plain_sha256` are those of the file that was offered.
    """

    home: str
    source: str
    status: Status
    size: int
    sha256: str | None = None
    modified_ns: int | None = None
    symbol_kind: str = "bin"
    evidence: Evidence = Evidence.CONTENT
    identities: tuple[Identity, ...] = ()
    kept_sha256: str | None = None
    handle: str | None = None
    encoding: str | None = None
    plain_size: int | None = None
    plain_sha256: str | None = None

    @property
    def offered_sha256(self) -> str | None:
        """The hash of the file that was offered, however it is kept."""
        return self.plain_sha256 or self.sha256


@dataclass(frozen=True, slots=True)
class Transaction:
    """One recorded add or delete. `number` counts from 1 and prints as ten digits.

    `when` is UTC; `local_stamp` is `MM/DD/YYYY,HH:MM:SS` in the writer's own zone, as symstore.exe notes it.
    `deletes` names the transactions that a delete took away. `foreign` marks one that another tool wrote. `files`
    counts the entries and `deleted_by` names the delete, where an index says so without listing the entries.
    """

    number: int
    kind: str
    when: datetime
    local_stamp: str
    product: str = ""
    version: str = ""
    comment: str = ""
    tag: str | None = None
    who: str | None = None
    host: str | None = None
    deletes: tuple[int, ...] = ()
    entries: tuple[Entry, ...] = ()
    foreign: bool = False
    files: int = 0
    deleted_by: int | None = None


def digits(number: int) -> str:
    """A transaction's number as it is written everywhere: ten digits."""
    return f"{number:010d}"
