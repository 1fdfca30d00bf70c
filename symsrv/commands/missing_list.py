"""The missing list as `symsrv missing` shows and changes it."""

import csv
import io
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from symsrv.commands.base import Context, shown
from symsrv.model.errors import Exit, UsageError
from symsrv.model.wants import Want, WantState

if TYPE_CHECKING:
    from symsrv.store.missing import Chosen

LISTED = 100  # on a terminal, where nobody says how many
_NONE = "-"
_TITLE = ("name", "id", "kind", "path", "version", "first", "last", "count", "who", "state", "reason")
_AT_ONCE = 500


def show(context: Context, chosen: "Chosen", *, limit: int | None, after: int | None, as_csv: bool) -> Exit:
    """Lists wants as a table, as JSON lines or as CSV; the table has a page of them if nobody says how many."""
    from symsrv.mirror.arrivals import settle
    from symsrv.store.missing import listed

    assembly = context.assembly()
    store, state = assembly.store, assembly.state_if_made
    found: Iterator[Want] = iter(())
    if state is not None:
        settle(store, state)
        found = listed(state, chosen, limit=limit, after=after)
    if context.json:
        for want in found:
            context.answer(want.to_record())
    elif as_csv:
        _write_csv(found)
    else:
        page = list(islice(found, limit or LISTED))
        rest = next(found, None) is not None
        context.answer({}, text=_text(page))
        if rest:
            context.say(f"there are more: --limit, or --after {page[-1].id} for the next page")
    return Exit.DONE


def change(context: Context, chosen: "Chosen", *, forget: bool, narrowed: bool) -> Exit:
    """Forgets the wants that are chosen, or wakes those of them that rest or were given up; says how many."""
    from symsrv.store.missing import listed

    if forget and not narrowed:
        raise UsageError("say what is to be forgotten: --name, --state, --kind, --who, --since; --name '*' is all")
    state = context.assembly().state
    asleep = (WantState.RESTING, WantState.GIVEN_UP)
    found = listed(state, chosen)
    numbers = [one.id for one in found if forget or one.state in asleep]
    count = len(numbers)
    if not context.dry_run:
        act = state.wants.forget if forget else state.wants.wake
        count = sum(act(numbers=numbers[at : at + _AT_ONCE]) for at in range(0, len(numbers), _AT_ONCE))
    word = "forgotten" if forget else "woken"
    would = "would be " if context.dry_run else ""
    context.answer({word: count, "dry_run": context.dry_run}, text=f"{count} {would}{word}")
    return Exit.DONE


def _cells(want: Want) -> Iterator[Any]:
    record = want.to_record()
    for name in _TITLE:
        value = record[name]
        yield " ".join(value) if isinstance(value, list) else value


def _write_csv(wants: Iterable[Want]) -> None:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(_TITLE)
    for want in wants:
        writer.writerow([shown(str(cell)) if isinstance(cell, str) else cell for cell in _cells(want)])
        click.echo(stream.getvalue(), nl=False)
        stream.seek(0)
        stream.truncate()
    click.echo(stream.getvalue(), nl=False)


def _text(page: list[Want]) -> str:
    if not page:
        return "nothing is missing that anybody asked for"
    rows = [_TITLE, *(tuple(map(_shown, zip(_TITLE, _cells(want), strict=True))) for want in page)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def _shown(cell: tuple[str, Any]) -> str:
    name, value = cell
    if name in ("first", "last"):
        value = str(value)[:16].replace("T", " ")
    return shown(str(value)) if value not in (None, "") else _NONE
