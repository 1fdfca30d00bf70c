"""Adding, deleting and asking as symstore.exe does it: a call's work, told in its lines."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from symsrv.commands.answering import answer_wants
from symsrv.commands.base import Context, outcome
from symsrv.commands.symstore_files import NO_MATCH, UNKNOWN, Chosen, choose, sources
from symsrv.commands.symstore_line import Call
from symsrv.commands.symstore_report import Report
from symsrv.ingest import FileResult, FileStatus, preview, publish
from symsrv.model.errors import Exit

if TYPE_CHECKING:
    from symsrv.ingest import Source

STORED, IGNORED, FAILED = "files stored", "files ignored", "errors"
_UNKNOWN_REASONS = frozenset({"unknown-format", "empty"})
_PASSED_OVER = (FileStatus.IGNORED, FileStatus.CONFLICT)


def add(context: Context, call: Call, report: Report) -> Exit:
    """Publishes files by their content as one transaction."""
    found = sources(call)
    assembly = context.assembly()
    store = assembly.new_two_tier_store if call.two_tier else assembly.new_store
    choice = _Choice(choose(call, found, store))
    with context.progress("publishing") as line:
        receipt = publish(
            store,
            choice.tried(),
            product=call.product,
            version=call.version,
            comment=call.comment,
            replace=call.force_copy,
            compress=call.compress,
            on_file=line.step,
        )
    answer_wants(assembly, store, context.warn)
    if receipt.transaction is not None:
        report.identifier(receipt.transaction)
    if not call.refs:
        report.say("-:NOREFS: refs.ptr is written all the same; it costs little, and other tools' del needs it.")
    counts = Counter(_tell_added(report, call, one, results) for one, results in choice.outcomes(receipt.of_sources()))
    report.counters({what: counts[what] for what in (STORED, FAILED, IGNORED)})
    return outcome(good=counts[STORED], bad=counts[FAILED] + (not counts[STORED] + counts[IGNORED]))


def query(context: Context, call: Call, report: Report) -> Exit:
    """Says of each file whether the store has it."""
    found = sources(call)
    store = context.assembly().store
    choice = _Choice(choose(call, found))
    receipt = preview(store, choice.tried())
    counts = Counter(_tell_found(report, call, one, results) for one, results in choice.outcomes(receipt.of_sources()))
    told = ("files found", "files found with other bytes", "files not found", FAILED, IGNORED)
    report.counters({what: counts[what] for what in told})
    return outcome(good=counts[told[0]], bad=counts[told[1]] + counts[told[2]] + counts[FAILED])


def delete(context: Context, call: Call, report: Report) -> Exit:
    """Deletes a transaction."""
    store = context.assembly().store
    homes = store.would_free(call.transaction)
    (transaction,) = store.delete([call.transaction], comment=call.comment)
    report.identifier(transaction.number)
    for home, free in homes.items():
        report.say(
            f"Deleting {_place(call.store, home)}" if free else f"Keeping {_place(call.store, home)}, still held"
        )
    freed = sum(homes.values())
    report.counters({"files deleted": freed, "files kept": len(homes) - freed, FAILED: 0})
    return Exit.DONE


class _Choice:
    """Files on their way through a publish: those that are tried, and afterwards what became of all, in order."""

    def __init__(self, chosen: Iterable[Chosen]) -> None:
        self._ahead = chosen
        self._all: list[Chosen] = []

    def tried(self) -> "Iterator[Source]":
        """The sources to publish, noted as they are taken."""
        for one in self._ahead:
            self._all.append(one)
            if _is_tried(one):
                yield one.source

    def outcomes(self, results: Iterable[Sequence[FileResult]]) -> Iterator[tuple[Chosen, Sequence[FileResult]]]:
        """Each file with its results, of which those that were not tried have none."""
        ahead = iter(results)
        for one in self._all:
            yield one, next(ahead) if _is_tried(one) else ()


def _is_tried(one: Chosen) -> bool:
    return one.skipped is None and (one.source.problem is None or one.source.problem.reason != NO_MATCH)


def _tell_added(report: Report, call: Call, one: Chosen, results: Sequence[FileResult]) -> str:
    """Tells of one file, and of what it embeds; returns what it counts as."""
    if not results:
        return _tell_untried(report, one)
    for result in results:
        if result.status in (FileStatus.STORED, FileStatus.PRESENT):
            target = _place(call.store, result.key or "")
            report.copying(result.path, target, force=call.force_copy, compress=call.compress)
        elif result.status in _PASSED_OVER:
            report.skipping(result.path, _why(result))
        else:
            report.error(_sentence(result))
    return _counted(results)


def _tell_found(report: Report, call: Call, one: Chosen, results: Sequence[FileResult]) -> str:
    if not results:
        return _tell_untried(report, one)
    result = results[0]
    place = _place(call.store, result.key or "")
    if result.status is FileStatus.PRESENT:
        report.line(f"SYMSTORE: {result.path} is stored as {place}")
        return "files found"
    if result.status is FileStatus.CONFLICT:
        report.line(f"SYMSTORE: {result.path} is stored with other bytes, as {place}")
        return "files found with other bytes"
    if result.status is FileStatus.STORED:
        report.line(f"SYMSTORE: {result.path} is not stored; it would be {place}")
        return "files not found"
    if result.status is FileStatus.IGNORED:
        report.skipping(result.path, _why(result))
        return IGNORED
    report.error(_sentence(result))
    return FAILED


def _tell_untried(report: Report, one: Chosen) -> str:
    """Tells of a file that was left out, or of a pattern without files, which counts as nothing."""
    if one.skipped is None:
        report.line(f"SYMSTORE: {one.source.problem}")
        return NO_MATCH
    report.skipping(one.source.label, one.skipped)
    return IGNORED


def _counted(results: Sequence[FileResult]) -> str:
    """A file counts once, with what it embeds: as an error if anything failed, else as what became of itself."""
    if any(result.status is FileStatus.ERROR for result in results):
        return FAILED
    return IGNORED if results[0].status in _PASSED_OVER else STORED


def _why(result: FileResult) -> str:
    if result.status is FileStatus.CONFLICT:
        return f"the store has other bytes as {result.key}, and -:NOFORCECOPY keeps them"
    return UNKNOWN if result.reason in _UNKNOWN_REASONS else f"{result.sentence or result.reason}"


def _sentence(result: FileResult) -> str:
    """What went wrong, by the file's name: some sentences have it already."""
    sentence = result.sentence or ""
    return sentence if result.path in sentence else f"{result.path}: {sentence}"


def _place(store: str, home: str) -> str:
    """Where a stored file lies, under the store as the caller spelled it."""
    separator = "\\" if "\\" in store or store[1:2] == ":" else "/"
    return separator.join((store.rstrip("/\\"), *home.split("/")))
