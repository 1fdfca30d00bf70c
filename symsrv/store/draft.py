"""What a publisher offers to the store: a draft, which a commit turns into a transaction."""

from dataclasses import dataclass
from pathlib import Path

from symsrv.backends.base import Staged
from symsrv.model.identity import Identity
from symsrv.model.records import Evidence


@dataclass(frozen=True, slots=True)
class Offer:
    """One file offered: where it belongs, what it hashes to, and its staged bytes.

    `home` is its key: the commit finds out where that is in this store, and in which form. `size` and `sha256` are
    those of the file itself.
    `path` is the local file and `source` how the publisher spells it in the record. `staged` is None when the
    publisher saw the same bytes at the home already; should they be gone by the time of the commit, the commit
    stages `path` itself.
    """

    path: Path
    source: str
    home: str
    size: int
    sha256: str
    identities: tuple[Identity, ...]
    staged: Staged | None = None
    evidence: Evidence = Evidence.CONTENT


@dataclass(frozen=True, slots=True)
class Draft:
    """Everything that becomes one transaction. `replace` lets other bytes take a home that is taken.

    `compress` keeps new files as cabinets. A file that is there already stays in the form that it has, and so does one
    that cannot be in a cabinet or has no packed twin.
    """

    offers: tuple[Offer, ...]
    product: str = ""
    version: str = ""
    comment: str = ""
    tag: str | None = None
    who: str | None = None
    replace: bool = False
    compress: bool = False
