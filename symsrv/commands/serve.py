"""`symsrv serve`: the HTTP front end."""

import click

from symsrv.commands.base import Context, Ended, verb
from symsrv.commands.signals import hangups
from symsrv.model.errors import Exit


@verb("serve", example="symsrv serve --store ./symbols --listen 127.0.0.1:8390", store=True, lasting=True)
@click.option("--listen", metavar="HOST:PORT", help="Where to answer.  [default: 127.0.0.1:8390]")
@click.option("--workers", type=click.IntRange(1, 256), help="How many processes answer requests.")
def serve(context: Context, listen: str | None, workers: int | None) -> Exit:
    """Serve a store to every debugger. Works on any folder in symbol-store layout, without records and read-only too.

    The first signal lets answers under way finish, the second stops at once.
    """
    context.override(listen=listen, serve={"workers": workers} if workers else None)
    from symsrv.daemon import serve_store

    store = context.assembly().store
    with hangups(lambda: context.warn("serve reads its configuration when it starts: restart it to change anything")):
        ended_by = serve_store(
            context.assembly(), ready=lambda url, _port: context.say(f"serving {store.url} at {url}")
        )
    if ended_by:
        raise Ended(ended_by)
    return Exit.DONE
