"""`symsrv fake-upstream`: a test server with quirks."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

import click

from symsrv.commands.base import Context, Ended, verb
from symsrv.commands.signals import Signals
from symsrv.model.errors import Exit, UsageError

if TYPE_CHECKING:
    from symsrv.mirror.faking import Quirk


@verb(
    "fake-upstream",
    example="symsrv fake-upstream ./symbols --quirk reset=2 --quirk no-validator --log requests.jsonl\n"
    "symsrv fake-upstream --list",
    answers=True,
    configured=False,
)
@click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--quirk", "quirks", multiple=True, metavar="NAME[=VALUE]", help="What is odd about it; see --list.")
@click.option("--listen", default="127.0.0.1:0", show_default=True, metavar="HOST:PORT", help="Where to answer.")
@click.option("--log", metavar="FILE", type=click.Path(path_type=Path), help="Writes a JSON line for each request.")
@click.option(
    "--ca", metavar="FILE", type=click.Path(path_type=Path), help="Writes the certificate to trust with --quirk tls."
)
@click.option("--list", "listed", is_flag=True, help="List the quirks, each with what it does.")
def fake_upstream(
    context: Context,
    folder: Path | None,
    quirks: Sequence[str],
    listen: str,
    log: Path | None,
    ca: Path | None,
    listed: bool,
) -> Exit:
    """Serve a folder as a symbol server would that has quirks, to test what asks it.

    Prints its URL, and runs until it is stopped. The same requests get the same answers each time. Not for symbols that
    matter: it has no access control.
    """
    from symsrv.config import host_and_port
    from symsrv.mirror.faking import QUIRKS, FakeUpstream
    from symsrv.mirror.faking.certificate import AUTHORITY

    if listed:
        for name, quirk in QUIRKS.items():
            record = {"quirk": name, "does": quirk.help, "default": quirk.value or None}
            default = f" [{quirk.value}]" if quirk.value else ""
            context.answer(record, text=f"{name:<18}{quirk.help}{default}")
        return Exit.DONE
    if folder is None:
        raise UsageError("name a folder to serve, or --list the quirks")
    chosen = [_chosen(one, QUIRKS) for one in quirks]
    try:
        host, port = host_and_port(listen)
    except ValueError as error:
        raise UsageError(str(error)) from error
    if ca is not None:
        ca.write_text(AUTHORITY, encoding="ascii")
    with ExitStack() as stack:
        signals = stack.enter_context(Signals())
        file = stack.enter_context(log.open("a", encoding="utf-8")) if log is not None else None
        try:
            server = stack.enter_context(FakeUpstream(folder, chosen, host=host, port=port, log=file))
        except OSError as error:
            raise UsageError(f"it cannot listen at {listen}: {error.strerror}; --listen takes another place") from error
        context.answer({"url": server.url}, text=server.url)
        signals.stop.wait()
    if signals.number:
        raise Ended(signals.number)
    return Exit.DONE


def _chosen(text: str, quirks: "Mapping[str, Quirk]") -> "tuple[Quirk, str]":
    """A quirk and its value. Whether the value will do shows when it is tried on a request for nothing."""
    from symsrv.mirror.faking.base import Got, Reply

    name, _, value = text.partition("=")
    quirk = quirks.get(name)
    if quirk is None:
        near = get_close_matches(name, quirks, 1)
        raise UsageError(f"there is no quirk {name!r}" + (f"; is it {near[0]!r}?" if near else "; see --list"))
    try:
        quirk.act(Got("GET", "/", "", {}), lambda _got: Reply(404), value or quirk.value)
    except ValueError as error:
        raise UsageError(f"{value!r} is no value for the quirk {name}: {error}") from error
    return quirk, value or quirk.value
