"""What `symsrv allow`, `block` and `skiplist` have in common: listing, adding and removing by hand."""

import getpass
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import click

from symsrv.commands.base import Context
from symsrv.commands.upstreaming import registry, table
from symsrv.model.errors import Exit, UsageError

if TYPE_CHECKING:
    from symsrv.ledger.state import Which
    from symsrv.mirror.lists import Entry

_Function = TypeVar("_Function", bound=Callable[..., Any])

of_upstream = click.option("--upstream", metavar="NAME", help="Of this upstream only; otherwise of all.")
with_text = click.option("--text", metavar="TEXT", default="", help="Only what has this in its name.")


def paged(function: _Function) -> _Function:
    """Adds `--limit` and `--after`."""
    function = click.option("--after", type=int, help="The page after this number, the last of the page before.")(
        function
    )
    limit = click.IntRange(1, 10_000)
    return click.option("--limit", type=limit, default=100, show_default=True, help="At most N entries.")(function)


def entering(function: _Function) -> _Function:
    """Adds what an entry is made with."""
    function = click.argument("patterns", metavar="GLOB...", nargs=-1, required=True)(function)
    function = click.option(
        "--for", "lasts", metavar="TIME", help="How long it is to hold, as 30d; otherwise for good."
    )(function)
    return click.option("--reason", metavar="TEXT", default="", help="Why it is on the list.")(of_upstream(function))


def show(context: Context, which: str, *, upstream: str | None, text: str, limit: int, after: int | None) -> Exit:
    """Lists what upstreams' options say, on the first page, and what was listed by hand."""
    from symsrv.mirror.lists import listed_entries, options_entries

    word, found = _which(which), registry(context)
    if upstream is not None:
        found.get(upstream)
    entries: list[Entry] = []
    if after is None:
        entries += options_entries(word, found.usable(), upstream=upstream, text=text)
    listed = listed_entries(context.assembly().state, word, upstream=upstream, text=text, limit=limit, after=after)
    answer(context, [*entries, *listed])
    if len(listed) == limit:
        context.say(f"there may be more: --after {listed[-1].id}")
    return Exit.DONE


def add(
    context: Context, which: str, patterns: tuple[str, ...], *, upstream: str | None, reason: str, lasts: str | None
) -> Exit:
    """Puts globs of names on a list."""
    if upstream is not None and not registry(context).get(upstream).options.use_allow and which == "allow":
        context.warn(f"{upstream} does not use its allow list: 'symsrv upstream edit {upstream} --use-allow'")
    until = _until(lasts)
    for pattern in patterns:
        number = None
        if not context.dry_run:
            number = context.assembly().state.lists.add(
                _which(which), pattern, upstream=upstream, reason=reason, who=_who(), expires=until
            )
        where = f" of {upstream}" if upstream else " of all upstreams"
        would = "would be put" if context.dry_run else "is"
        record = {"list": which, "pattern": pattern, "upstream": upstream, "id": number, "saved": number is not None}
        context.answer(record, text=f"{pattern} {would} on the {_called(which)}{where}")
    return Exit.DONE


def remove(context: Context, which: str, words: tuple[str, ...], *, upstream: str | None) -> Exit:
    """Takes entries off a list that were put there by hand, by number or glob."""
    from symsrv.mirror.lists import unlist

    removed = unlist(context.assembly().state, _which(which), words, upstream=upstream)
    if not removed:
        raise UsageError(f"nothing like that was put on the {_called(which)}; options are changed by 'upstream edit'")
    said_removed(context, removed)
    return Exit.DONE


def clear(context: Context, which: str, *, upstream: str | None, text: str) -> Exit:
    """Takes everything off a list that was put there by hand."""
    count = context.assembly().state.lists.clear(_which(which), upstream=upstream, text=text)
    context.answer({"list": which, "removed": count}, text=f"{count} taken off the {_called(which)}")
    return Exit.DONE


def answer(context: Context, entries: "list[Entry]") -> None:
    """Prints entries, as a table or as JSON lines."""
    if context.json:
        for entry in entries:
            context.answer(entry.to_record())
    elif entries:
        title = ("number", "upstream", "name", "from", "until", "reason")
        context.answer({}, text=table(title, [_row(entry) for entry in entries]))


def said_removed(context: Context, entries: "list[Entry]") -> None:
    """Says what was taken off."""
    for entry in entries:
        where = f" at {entry.upstream}" if entry.upstream else ""
        context.answer(entry.to_record() | {"removed": True}, text=f"{entry.pattern}{where} was taken off")


def _row(entry: "Entry") -> tuple[str, ...]:
    until = "" if entry.until is None else entry.until.isoformat(sep=" ", timespec="minutes")[:16]
    number = "" if entry.id is None else str(entry.id)
    return (number, entry.upstream or "all", entry.pattern, entry.origin.value, until or "for good", entry.reason)


def _until(lasts: str | None) -> datetime | None:
    from symsrv.options import seconds

    if lasts is None:
        return None
    try:
        duration = seconds(lasts)
    except ValueError as error:
        raise UsageError(f"--for: {error}") from error
    return datetime.now(UTC) + timedelta(seconds=float(str(duration)))


def _which(which: str) -> "Which":
    from symsrv.ledger.state import Which

    return Which(which)


def _called(which: str) -> str:
    return {"allow": "allow list", "block": "block list"}.get(which, "skiplist")


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
