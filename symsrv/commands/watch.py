"""`symsrv watch`: publishes what a build writes, when it is finished."""

import threading
from typing import TYPE_CHECKING

import click

from symsrv.commands.base import Context, outcome, verb
from symsrv.commands.watching import folders_to_watch, seconds_of, tell
from symsrv.model.errors import Exit

if TYPE_CHECKING:
    from symsrv.ingest import Watcher

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
@click.option("--poll", metavar="DURATION", help="Look this often and listen to no events, as for network disks.")
@click.option("--ready-file", metavar="NAME", help="Publish when this file appears in DIR, instead of by quiet.")
@click.option("--product", help="The product, for the record.")
@click.option("--version", help="Its version.")
@click.option("--comment", help="Anything else, for the record.")
@click.option("--tag", help="The group that the transactions belong to.")
@click.option("--include", multiple=True, metavar="GLOB", help="Only files like this; may be given several times.")
@click.option("--exclude", multiple=True, metavar="GLOB", help="No files or folders like this.")
def watch(context: Context, folders: tuple[str, ...], once: bool, poll: str | None, **given: object) -> Exit:
    """Publish what a build writes, when it is finished: each quiet period of a folder is one transaction.

    Without DIR, the folders under 'watch:' in the configuration. A file that changes later is published again.
    """
    from symsrv.ingest import Watcher

    watched = folders_to_watch(context, folders, given)
    watcher = Watcher(
        context.assembly().new_store,
        watched,
        poll_seconds=seconds_of("--poll", poll),
        state=context.config.state_folder(),
        on_receipt=lambda receipt: tell(context, receipt),
    )
    if not once:
        _until_stopped(watcher)
        return Exit.DONE
    receipts = watcher.once()
    return outcome(
        good=sum(len(receipt.results) - receipt.failed for receipt in receipts),
        bad=sum(receipt.failed for receipt in receipts),
    )


def _until_stopped(watcher: "Watcher") -> None:
    """Watches in a thread, so that a signal does not fall into a publish: it is finished first."""
    stop = threading.Event()
    failures: list[BaseException] = []

    def work() -> None:
        try:
            watcher.run(stop)
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=work, name="watch")
    thread.start()
    try:
        while thread.is_alive():
            thread.join(_JOIN_SECONDS)
    finally:
        stop.set()
        thread.join()
    for error in failures:
        raise error
