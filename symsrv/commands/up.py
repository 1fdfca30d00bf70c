"""`symsrv up`: the whole thing."""

import click

from symsrv.commands.base import Context, Ended, verb
from symsrv.commands.watching import folders_to_watch, tell
from symsrv.model.errors import Exit


@verb(
    "up",
    example="symsrv up path/to/build",
    store=True,
    lasting=True,
    default_store="./symbols",
)
@click.argument("folders", metavar="[DIR]...", nargs=-1)
@click.option("--listen", metavar="HOST:PORT", help="Where to answer.  [default: 127.0.0.1:8390]")
@click.option("--product", help="The product that is published.")
@click.option("--version", help="Its version.")
def up(
    context: Context, folders: tuple[str, ...], listen: str | None, product: str | None, version: str | None
) -> Exit:
    """Watch build folders, publish what they write, and serve it, with the lines to paste into each debugger.

    Without a store configured it is ./symbols. Folders named in symsrv.yaml are watched too.
    """
    context.override(listen=listen)
    from symsrv.daemon import watch_and_serve
    from symsrv.ingest import Watcher
    from symsrv.serve.clients import CLIENTS

    assembly = context.assembly()
    store = assembly.new_store
    watcher = None
    if folders or context.config.watch:
        watcher = Watcher(
            store,
            folders_to_watch(context, folders, {"product": product, "version": version}),
            state=context.config.state_folder(),
            on_receipt=lambda receipt: tell(context, receipt),
        )

    def ready(url: str, _port: int) -> None:
        context.say(f"serving {store.url} at {url}")
        for client in CLIENTS:
            context.say(f"\n{client.name}, {client.where}:")
            for line in client.lines_for(url):
                context.say(f"    {line}")

    ended_by = watch_and_serve(assembly, watcher, ready=ready)
    if ended_by:
        raise Ended(ended_by)
    return Exit.DONE
