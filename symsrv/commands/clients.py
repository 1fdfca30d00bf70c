"""`symsrv clients`: the lines to paste into each debugger."""

import socket

import click

from symsrv.commands.base import Context, verb
from symsrv.model.errors import UsageError

_EVERYWHERE = ("", "0.0.0.0", "::")


@verb("clients", example="symsrv clients --url http://symbols.example:8390 gdb", answers=True)
@click.option("--url", metavar="URL", help="Where the clients reach the server; without it, by the configured listen.")
@click.argument("names", metavar="[NAME]...", nargs=-1)
def clients(context: Context, url: str | None, names: tuple[str, ...]) -> None:
    """Print the lines to paste into each debugger, profiler and crash reporter, or into those of some NAME."""
    from symsrv.serve.clients import CLIENTS

    address = (url or _listening_url(context.config.listen)).rstrip("/")
    chosen = [one for one in CLIENTS if not names or any(name.lower() in one.name.lower() for name in names)]
    if not chosen:
        known = "; ".join(one.name for one in CLIENTS)
        raise UsageError(f"no client is called {' or '.join(names)}; there are: {known}")
    for number, one in enumerate(chosen):
        lines = one.lines_for(address)
        text = "\n".join([f"{one.name} ({one.where}):", *(f"    {line}" for line in lines)])
        context.answer(
            {"client": one.name, "where": one.where, "lines": list(lines)}, text=f"\n{text}" if number else text
        )


def _listening_url(listen: str) -> str:
    from symsrv.config import host_and_port

    host, port = host_and_port(listen)
    if host in _EVERYWHERE:
        host = socket.gethostname()
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
