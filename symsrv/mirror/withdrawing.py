"""Withdrawing: what an upstream deleted goes here, too, as far as it came from there and from nobody else.

A store deletes transactions and not files, and the puller publishes what comes together as one. So of a transaction
that holds other files, too, those are published again first, which copies nothing, and then the whole one is deleted.
"""

import logging
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from symsrv.ingest import FileStatus, Source, publish
from symsrv.layouts import parse_any
from symsrv.mirror.settings import UpstreamOptions
from symsrv.mirror.spellings import address
from symsrv.model.errors import ArchiveError, Missing, NoSuchTransaction
from symsrv.model.records import Entry, digits
from symsrv.model.wants import TAIL, ask_of, want_key
from symsrv.store.homes import plain_name

if TYPE_CHECKING:
    from symsrv.store import SymbolStore

logger = logging.getLogger(__name__)


def withdraw(store: "SymbolStore", options: UpstreamOptions, keys: Iterable[str], *, number: int) -> list[int]:
    """Deletes what came from an upstream of some files, by their `want_key`; returns our transactions that went.

    `number` is the upstream's transaction that was deleted there, for the record. A transaction of ours is the
    upstream's if every file in it came from below its URL. Raises StoreError.
    """
    store.catch_up()
    gone = _homes(store, keys)
    holders = {number for held in store.index.holders(sorted(gone)).values() for number in held}
    deleted = []
    for ours in sorted(holders):
        entries = [entry for entry in store.index.entries(ours) if entry.status.holds]
        if not all(entry.source.startswith(address(options.url, "")) for entry in entries):
            continue
        staying = [entry for entry in entries if entry.home not in gone]
        if not _kept(store, staying, options):
            logger.warning("a transaction stays, as a file in it cannot be read", extra={"transaction": digits(ours)})
            continue
        try:
            said = f"transaction {digits(number)} was deleted at {options.name}"
            store.delete([ours], comment=said, who=f"{TAIL}{options.name}")
        except NoSuchTransaction:
            continue
        deleted.append(ours)
    return deleted


def _homes(store: "SymbolStore", keys: Iterable[str]) -> set[str]:
    """Where the files lie; not those that would only do in their place."""
    found = set()
    for key in keys:
        for file in store.find(ask_of(key)):
            asked = parse_any(file.home)
            if asked is not None and want_key(asked) == key:
                found.add(file.home)
    return found


def _kept(store: "SymbolStore", entries: Sequence[Entry], options: UpstreamOptions) -> bool:
    """Publishes files again under a transaction of their own; whether all of them are in it."""
    sources = []
    for entry in entries:
        stored = store.index.at(entry.home)
        try:
            path = None if stored is None else store.plain(stored)
        except (Missing, ArchiveError):
            path = None
        if path is None:
            return False
        name = plain_name(entry.home)
        sources.append(Source(path, entry.source, name=name, origin=entry.source, sha256=entry.offered_sha256))
    if not sources:
        return True
    receipt = publish(store, sources, product=options.name, comment=options.url, tag=options.tag)
    every = [result for results in receipt.of_sources() for result in results]
    return len(every) >= len(sources) and all(one.status is FileStatus.PRESENT for one in every)
