"""`symsrv add`: publishes files and folders as one transaction."""

from typing import TYPE_CHECKING

import click

from symsrv.commands.answering import answer_wants
from symsrv.commands.base import Context, outcome, verb
from symsrv.model.errors import Exit, NoStore

if TYPE_CHECKING:
    from symsrv.ingest import FileResult
    from symsrv.store import SymbolStore

NOTES = 12
"""Up to so many notes are shown one by one; more are a matter of a build, and counted."""


@verb(
    "add",
    example="\n".join(
        (
            "symsrv add out/ --store ./symbols --product crash --version 1.2",
            "symsrv add app.1.2.snupkg symbols.tar.gz --strict",
            'symsrv add "build/**/*.pdb" @more.txt',
        )
    ),
    store=True,
    answers=True,
    dry_run=True,
    exits=(Exit.PARTLY,),
)
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option("--product", default="", help="The product, for the record.")
@click.option("--version", default="", help="Its version.")
@click.option("--comment", default="", help="Anything else, for the record.")
@click.option("--tag", help="The group that the transaction belongs to.")
@click.option("--include", multiple=True, metavar="GLOB", help="Only files like this; may be given several times.")
@click.option("--exclude", multiple=True, metavar="GLOB", help="No files or folders like this, in archives too.")
@click.option("--replace", is_flag=True, help="Where the store has other bytes under the same key, put these there.")
@click.option("--compress", is_flag=True, help="Keep new files as cabinets (foo.pd_), as symstore.exe /compress does.")
@click.option(
    "--strict",
    is_flag=True,
    help="Fail also for files that are not debug files; take an archive whole or not at all.",
)
def add(
    context: Context,
    paths: tuple[str, ...],
    product: str,
    version: str,
    comment: str,
    tag: str | None,
    include: tuple[str, ...],
    exclude: tuple[str, ...],
    replace: bool,
    compress: bool,
    strict: bool,
) -> Exit:
    """Publish files as one transaction: work out what each is, and file it where debuggers ask for it.

    PATH is a file, a folder (everything below), a pattern with *, ? and **, or @FILE with one path per line. An
    archive (zip, tar, cab and what is like them, by its content) stands for the files in it, and archives in it for
    theirs; a .NET image that embeds its PDB gives that, too. They are unpacked one after the other into the system's
    temporary folder, or the one that TMPDIR names.

    \b
    stored   is in the store now; 'replaced' if it took another file's place
    present  was there already
    ignored  is no debug file, or of no use elsewhere (a FASTLINK PDB, a .idb)
    conflict the store has other bytes under its key and keeps them
    error    is broken or cannot be read; the others are published all the same

    A note under a file says that its other half, PDB or program, is missing. The store is made if there is none.
    """
    from symsrv.ingest import FileStatus, discover, preview, publish

    sources = discover(paths, include=include, exclude=exclude)
    with context.progress("publishing") as line:
        if context.dry_run:
            receipt = preview(_there(context), sources, replace=replace, strict=strict, pairing=True, on_file=line.step)
        else:
            receipt = publish(
                context.assembly().new_store,
                sources,
                product=product,
                version=version,
                comment=comment,
                tag=tag,
                replace=replace,
                compress=compress,
                strict=strict,
                pairing=True,
                on_file=line.step,
            )
            answer_wants(context.assembly(), context.assembly().new_store, context.warn)
    notes = sum(result.note is not None for result in receipt.results)
    for result in receipt.results:
        _tell(context, result, noted=notes <= NOTES)
    if notes > NOTES and not context.json:
        context.say(f"note: {notes} files are here without their other half, PDB or program; --json says which")
    summary = f"dry run, {receipt}" if context.dry_run else str(receipt)
    context.answer(receipt.to_record(), text=summary)
    if not receipt.results:
        context.warn("there is no file to publish")
    passed_over = receipt.count(FileStatus.IGNORED) if strict else 0
    bad = receipt.failed + passed_over + (strict and not receipt.results)
    return outcome(good=receipt.count(FileStatus.STORED) + receipt.count(FileStatus.PRESENT), bad=bad)


def _there(context: Context) -> "SymbolStore | None":
    """The store, if there is one: a dry run makes none."""
    try:
        return context.assembly().store
    except NoStore:
        return None


def _tell(context: Context, result: "FileResult", *, noted: bool) -> None:
    """One line: what is well or passed over is an answer, a failure goes to stderr. A note is a line of its own."""
    if result.failed and not context.json:
        context.say(str(result))
    else:
        context.answer(result.to_record(), text=str(result))
    if result.note and noted and not context.json:
        context.say(f"note     {result.path}: {result.note}")
