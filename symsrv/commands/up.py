"""`symsrv up`: the whole thing."""

import threading
from typing import TYPE_CHECKING

import click

from symsrv.commands.answering import answer_wants
from symsrv.commands.base import Context, Ended, verb
from symsrv.commands.signals import Signals
from symsrv.commands.watching import Beside, Reloading, StatusLine, folders_to_watch, tell
from symsrv.model.errors import Exit, SymsrvError

if TYPE_CHECKING:
    from symsrv.commands.mirroring import Mirror
    from symsrv.ingest import Receipt


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
@click.option("--version", help="Its version; {pe}, {file:NAME}, {git} and {date} are filled in.")
def up(
    context: Context, folders: tuple[str, ...], listen: str | None, product: str | None, version: str | None
) -> Exit:
    """Watch build folders, publish what they write, and serve it, with the lines to paste into each debugger.

    What clients miss is fetched from the upstreams that are connected ('symsrv upstream add').
    Without a store configured it is ./symbols; without folders, those of symsrv.yaml are watched. The first signal
    lets answers and a publish under way finish; a hangup (not from a terminal) reads the folders of symsrv.yaml again.
    """
    context.override(listen=listen)
    from symsrv.daemon import watch_and_serve
    from symsrv.ingest import Watcher

    assembly = context.assembly()
    store = assembly.new_store
    example, line = _Example(context), StatusLine()
    given: dict[str, object] = {"product": product, "version": version}

    def published(receipt: "Receipt") -> None:
        line.clear()
        tell(context, receipt)
        example.published(receipt)
        answer_wants(assembly, store, context.warn)

    def ready(url: str, _port: int) -> None:
        _tell_clients(context, url)
        context.say(f"serving {store.url} at {url}")
        example.serving(url)

    with Signals(reloads=True) as signals:
        watcher = Watcher(
            store,
            folders_to_watch(context, folders, given) if folders or context.config.watch else (),
            state=context.config.state_folder(),
            on_receipt=published,
        )
        mirror = _mirror(context)
        reload = Reloading(context, folders, given, mirror=mirror)
        with Beside(watcher, signals, reload, line):
            ended_by = watch_and_serve(
                assembly,
                watcher,
                ready=ready,
                stop=signals.stop,
                ended=signals.came,
                beside={} if mirror is None else mirror.runs,
            )
    if ended_by := ended_by or signals.number:
        raise Ended(ended_by)
    return Exit.DONE


def _mirror(context: Context) -> "Mirror | None":
    """What fetches what is missing; where there can be no state, nothing does."""
    from symsrv.commands.mirroring import Mirror
    from symsrv.commands.pulling import Telling

    try:
        return Mirror(context.assembly(), told=Telling(context, lambda: None, only_here=True))
    except (SymsrvError, OSError) as error:
        if context.config.database is not None:
            raise
        context.warn(f"nothing that is missing is fetched: {error}")
        return None


def _tell_clients(context: Context, url: str) -> None:
    from symsrv.serve.clients import CLIENTS

    for client in CLIENTS:
        context.say(f"{client.name}, {client.where}:")
        for line in client.lines_for(url):
            context.say(f"    {line}")


class _Example:
    """Tells once, when something is published and something serves it, how to fetch it: to see that all works."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._lock = threading.Lock()
        self._url: str | None = None
        self._key: str | None = None
        self._told = False

    def serving(self, url: str) -> None:
        """Notes where files are served."""
        self._tell(url, None)

    def published(self, receipt: "Receipt") -> None:
        """Notes a file that is to be had."""
        self._tell(None, next((one.key for one in receipt.results if one.key and not one.failed), None))

    def _tell(self, url: str | None, key: str | None) -> None:
        with self._lock:
            self._url, self._key = url or self._url, self._key or key
            if self._url and self._key and not self._told:
                self._told = True
                self._context.say(f"see it work: curl -fO {self._url}/{self._key}")
