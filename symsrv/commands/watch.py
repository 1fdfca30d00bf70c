"""`symsrv watch`: publishes what a build writes, when it is finished."""

import threading
from contextlib import nullcontext
from typing import TYPE_CHECKING

import click

from symsrv.commands.answering import answer_wants
from symsrv.commands.base import Context, Ended, outcome, verb
from symsrv.commands.signals import Signals
from symsrv.commands.watching import Beside, Reloading, StatusLine, folders_to_watch, tell
from symsrv.model.errors import Exit

if TYPE_CHECKING:
    from symsrv.ingest import Receipt, Watcher

_JOIN_SECONDS = 0.5  # on Windows no signal is seen while waiting without an end


@verb(
    "watch",
    example="symsrv watch build/out --store ./symbols --product crash\nsymsrv watch --once build/out",
    store=True,
    answers=True,
    lasting=True,
    exits=(Exit.PARTLY,),
)
@click.argument("folders", metavar="[DIR]...", nargs=-1)
@click.option("--once", is_flag=True, help="Wait until the folders are quiet, publish, and exit.")
@click.option("--quiet", metavar="DURATION", help="How long nothing may have changed before a build is published (5s).")
@click.option("--sweep", metavar="DURATION", help="How often everything is looked at, whatever events say (30s).")
@click.option("--poll", metavar="DURATION", help="Look this often and listen to no events; network disks: 2s.")
@click.option("--pair", metavar="DURATION", help="How long a program waits for the PDB that it names (10s).")
@click.option("--ready-file", metavar="NAME", help="Publish when this file appears in DIR, instead of by quiet.")
@click.option("--product", help="The product, for the record.")
@click.option("--version", help="Its version; {pe}, {file:NAME}, {git} and {date} are filled in.")
@click.option("--comment", help="Anything else, for the record.")
@click.option("--tag", help="The group that the transactions belong to.")
@click.option("--replace", is_flag=True, help="A file takes the place of somebody else's with the same id.")
@click.option("--include", multiple=True, metavar="GLOB", help="Only files like this; may be given several times.")
@click.option("--exclude", multiple=True, metavar="GLOB", help="No files or folders like this.")
def watch(context: Context, folders: tuple[str, ...], once: bool, **given: object) -> Exit:
    """Publish what a build writes, when it is finished: each quiet period of a folder is one transaction.

    Without DIR, the folders under 'watch:' in the configuration. A file that changes later is published again. The
    first signal finishes the publish under way, the second stops at once; a hangup (not from a terminal) reads the
    configuration again.
    """
    from symsrv.ingest import Watcher

    with Signals(reloads=True) if not once else nullcontext() as signals:
        line = StatusLine()

        assembly = context.assembly()
        store = assembly.new_store

        def published(receipt: "Receipt") -> None:
            line.clear()
            tell(context, receipt)
            answer_wants(assembly, store, context.warn)

        watcher = Watcher(
            store,
            folders_to_watch(context, folders, given),
            state=context.config.state_folder(),
            on_receipt=published,
        )
        if signals is not None:
            with Beside(watcher, signals, Reloading(context, folders, given), line):
                _until_stopped(watcher, signals)
            if signals.number is not None:
                raise Ended(signals.number)
            return Exit.DONE
    receipts = watcher.once()
    return outcome(
        good=sum(len(receipt.results) - receipt.failed for receipt in receipts),
        bad=sum(receipt.failed for receipt in receipts),
    )


def _until_stopped(watcher: "Watcher", signals: Signals) -> None:
    """Watches in a thread, so that a signal does not fall into a publish: it is finished first."""
    failures: list[BaseException] = []

    def work() -> None:
        try:
            watcher.run(signals.stop)
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=work, name="watch")
    thread.start()
    try:
        while thread.is_alive():
            thread.join(_JOIN_SECONDS)
    finally:
        signals.stop.set()
        thread.join()
    for error in failures:
        raise error
