"""Publishing: many sources, one transaction. Slow work in threads outside any lock, then one commit for all."""

import getpass
import platform
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from dataclasses import replace as replace_fields
from itertools import count
from typing import Any

from symsrv.formats.base import FileReader
from symsrv.formats.loading import pe_version
from symsrv.ingest.companions import Placed, companions
from symsrv.ingest.draft import draft, foresee
from symsrv.ingest.drafting import Drafting, Slot
from symsrv.ingest.pairing import Shelves, unpaired
from symsrv.ingest.results import FileResult, FileStatus
from symsrv.ingest.sources import Source
from symsrv.model.records import Entry, Status, digits
from symsrv.store import Draft, Offer, SymbolStore

THREADS = 4  # more only fight over the interpreter while copying and hashing; see docs/performance.md


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a publish came to: its transaction, if anything was offered, and a result per file in their order.

    An archive has a result for each of its members; `per_source` counts the results of each source.
    """

    transaction: int | None
    results: tuple[FileResult, ...]
    per_source: tuple[int, ...] = ()

    def of_sources(self) -> Iterator[tuple[FileResult, ...]]:
        """The results of each source, in the order of the sources."""
        at = 0
        for many in self.per_source:
            yield self.results[at : at + many]
            at += many

    def count(self, status: FileStatus) -> int:
        """How many files came out so."""
        return sum(result.status is status for result in self.results)

    @property
    def failed(self) -> int:
        """How many files failed; what was ignored did not."""
        return sum(result.failed for result in self.results)

    def to_record(self) -> dict[str, Any]:
        """The summary line of `--json`."""
        counts = Counter(result.status for result in self.results)
        return {
            "type": "summary",
            "transaction": None if self.transaction is None else digits(self.transaction),
            "stored": counts[FileStatus.STORED],
            "present": counts[FileStatus.PRESENT],
            "ignored": counts[FileStatus.IGNORED],
            "conflicts": counts[FileStatus.CONFLICT],
            "errors": counts[FileStatus.ERROR],
        }

    def __str__(self) -> str:
        record = self.to_record()
        counts = ", ".join(f"{record[what]} {what}" for what in ("stored", "present", "ignored"))
        for what in ("conflicts", "errors"):
            if record[what]:
                counts += f", {record[what]} {what if record[what] > 1 else what[:-1]}"
        return f"transaction {record['transaction']}: {counts}" if self.transaction else f"no transaction: {counts}"


def publish(
    store: SymbolStore,
    sources: Iterable[Source],
    *,
    product: str = "",
    version: str = "",
    comment: str = "",
    tag: str | None = None,
    replace: bool = False,
    compress: bool = False,
    strict: bool = False,
    pairing: bool = False,
    threads: int = THREADS,
    on_file: Callable[[], object] | None = None,
    on_result: Callable[[FileResult], object] | None = None,
) -> Receipt:
    """Publishes sources as one transaction, or as none if no file is to be offered.

    One bad file never stops the others: it is in the receipt. `compress` keeps new files as cabinets. With `strict`, an
    archive is taken whole or not at all. With `pairing`, results have a note where the other half of a file is missing.
    A store that refuses (full, locked, gone) stops everything and is raised; nothing is left then but, at the worst,
    staged bytes that the next sweep takes. `on_file` hears of each file that is ready, in any order; `on_result` of
    each result, in the order of the sources, when it is certain: after the commit.
    """
    with Drafting(lambda source: draft(store, source), store.discard, threads=threads, on_file=on_file) as drafting:
        slots = drafting.run(sources)
        drafted = _drafted(slots, strict=strict)
        offers = [outcome for outcome in drafted if isinstance(outcome, Offer)]
        drafting.keep(offers)
        offers = _with_companions(offers)
        notes = unpaired([one.identities for one in offers], Shelves(store)) if pairing else {}
        number: int | None = None
        entries: Iterator[Entry] = iter(())
        if offers:
            made = Draft(
                tuple(offers),
                product=product,
                version=version,
                comment=comment,
                tag=tag,
                who=_who(),
                replace=replace,
                compress=compress,
            )
            transaction = drafting.commit(lambda: store.commit(made))
            number, entries = transaction.number, iter(transaction.entries)
    labels = (slot.label for one in slots for slot in one)
    position = count()
    results = (
        _result(next(entries), label, notes.get(next(position))) if isinstance(outcome, Offer) else outcome
        for outcome, label in zip(drafted, labels, strict=True)
    )
    return Receipt(number, _told(results, on_result), tuple(sum(1 for _ in slot) for slot in slots))


def preview(
    store: SymbolStore | None,
    sources: Iterable[Source],
    *,
    replace: bool = False,
    strict: bool = False,
    pairing: bool = False,
    threads: int = THREADS,
    on_file: Callable[[], object] | None = None,
    on_result: Callable[[FileResult], object] | None = None,
) -> Receipt:
    """What publishing would come to, by the store as it is now (None: an empty one); nothing is written to it."""
    with Drafting(lambda source: foresee(store, source), None, threads=threads, on_file=on_file) as drafting:
        slots = drafting.run(sources)
    drafted = [one for one in _drafted(slots, strict=strict) if isinstance(one, FileResult)]
    results = _foreseen(drafted, replace=replace)
    if pairing:
        notes = unpaired([one.identities for one in results], Shelves(store))
        results = [replace_fields(one, note=notes.get(position)) for position, one in enumerate(results)]
    return Receipt(None, _told(results, on_result), tuple(sum(1 for _ in slot) for slot in slots))


def _drafted(slots: Sequence[Slot], *, strict: bool) -> list[Offer | FileResult]:
    """The outcomes of all slots, in order; if strict, those of an archive with a failed member are failures."""
    outcomes: list[Offer | FileResult] = []
    for slot in slots:
        own = [one.outcome for one in slot if one.outcome is not None]
        if strict and slot.attempts and any(isinstance(one, FileResult) and _broken(one) for one in own):
            own = [_withheld(one.label, one.outcome, slot.label) for one in slot if one.outcome is not None]
        outcomes += own
    return outcomes


def _broken(result: FileResult) -> bool:
    return result.status is FileStatus.ERROR


def _withheld(label: str, outcome: Offer | FileResult, archive: str) -> FileResult:
    """What is left of a member when its archive is not taken: what is wrong with it, or with the others."""
    if isinstance(outcome, FileResult) and outcome.key is None:
        return outcome
    sentence = f"{label} was not published, as other members of {archive} failed; without --strict it would be"
    return FileResult(label, FileStatus.ERROR, reason="archive-incomplete", sentence=sentence)


def _told(results: Iterable[FileResult], listener: Callable[[FileResult], object] | None) -> tuple[FileResult, ...]:
    kept = tuple(results)
    for result in kept:
        if listener is not None:
            listener(result)
    return kept


def _with_companions(offers: list[Offer]) -> list[Offer]:
    """Offers that can be found by the .NET runtime that they serve, too."""

    def version_of(position: int) -> pe_version.Version | None:
        offer = offers[position]
        try:
            with open(offer.path if offer.staged is None else offer.staged.local, "rb") as stream:
                return pe_version.version(FileReader(stream.fileno()))
        except OSError:
            return None

    further = companions([Placed(offer.source, offer.identities) for offer in offers], version_of)
    return [
        replace_fields(offer, identities=offer.identities + further[position]) if position in further else offer
        for position, offer in enumerate(offers)
    ]


def _result(entry: Entry, label: str, note: str | None) -> FileResult:
    statuses = {Status.PRESENT: FileStatus.PRESENT, Status.CONFLICT: FileStatus.CONFLICT}
    status = statuses.get(entry.status, FileStatus.STORED)
    if status is FileStatus.CONFLICT:
        return replace_fields(_conflict(label, entry.home, entry.sha256), note=note)
    replaced = entry.status is Status.REPLACED
    return FileResult(label, status, key=entry.home, sha256=entry.offered_sha256, replaced=replaced, note=note)


def _conflict(label: str, key: str, sha256: str | None) -> FileResult:
    sentence = f"the store has other bytes at {key} and keeps them; --replace would put this file there"
    return FileResult(label, FileStatus.CONFLICT, key, sha256, reason="other-bytes", sentence=sentence)


def _foreseen(results: Iterable[FileResult], *, replace: bool) -> list[FileResult]:
    """Results of a dry run, minding what the files before would have put in place."""
    placed: dict[str, str | None] = {}
    adjusted = []
    for result in results:
        status, key = result.status, result.key
        if key is None:
            adjusted.append(result)
            continue
        if key in placed:
            status = FileStatus.PRESENT if placed[key] == result.sha256 else FileStatus.CONFLICT
        replaced = status is FileStatus.CONFLICT and replace
        if status is FileStatus.STORED or replaced:
            placed[key] = result.sha256
        if status is FileStatus.CONFLICT and not replaced:
            adjusted.append(_conflict(result.path, key, result.sha256))
        else:
            final = FileStatus.STORED if replaced else status
            adjusted.append(replace_fields(result, status=final, replaced=replaced))
    return adjusted


def _who() -> str:
    """Who publishes, as far as the system tells: `user@host`."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container's uid without a name, Windows without variables
        user = "unknown"
    return f"{user}@{platform.node()}"
