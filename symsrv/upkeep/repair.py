"""Repair: mends what `verify` names, as far as the store itself tells how; nothing is invented, no bytes are lost."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from symsrv.ledger.index import Index
from symsrv.store import SymbolStore


@dataclass(frozen=True, slots=True)
class Repair:
    """Something that was mended, or that a dry run would mend."""

    path: str
    sentence: str


def repair(store: SymbolStore, *, dry_run: bool = False, scratch: str | None = None) -> Iterator[Repair]:
    """Yields every step, taken already; a second run finds nothing to do. A dry run takes none, and may see less:
    what only a step before it shows.

    `scratch` is a database URL for the index that it reads into; a temporary file by default.
    """
    with tempfile.TemporaryDirectory(prefix="symsrv-repair-", ignore_cleanup_errors=True) as folder:
        index = Index(scratch or f"sqlite:///{Path(folder) / 'index.sqlite'}")
        try:
            for mend in store.care.repair(index, dry_run=dry_run):
                yield Repair(mend.path, mend.sentence)
        finally:
            index.close()
