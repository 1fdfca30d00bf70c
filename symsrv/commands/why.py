"""`symsrv why`: why a symbol is or is not to be had from a store."""

from typing import TYPE_CHECKING

import click

from symsrv.commands.base import Context, shown, verb
from symsrv.model.errors import Exit
from symsrv.model.records import digits

if TYPE_CHECKING:
    from symsrv.store.whereabouts import Sight, Whereabouts


@verb(
    "why",
    example="symsrv why crash.pdb 3249D99D-0C40-4931-8610-F4E4FB0B6936-1\n"
    "symsrv why http://symbols.example/crash.pdb/3249D99D0C4049318610F4E4FB0B69361/crash.pdb",
    store=True,
    answers=True,
)
@click.argument("name", metavar="NAME|KEY")
@click.argument("symbol_id", metavar="[ID]", required=False)
def why(context: Context, name: str, symbol_id: str | None) -> Exit:
    """Say why a symbol is or is not to be had from this store, and what would mend it.

    It is named by its file name and its id in any spelling, or by a path or address as a client asks for it.
    Exit code 1 when a client would get nothing.
    """
    from symsrv.commands.asking import asked
    from symsrv.store.whereabouts import Whereabouts, Why, whereabouts

    ask = asked(name, symbol_id)
    store = context.assembly().store
    if ask is None:
        found = Whereabouts(Why.UNKNOWN_PATH)
    else:
        store.catch_up()
        found = whereabouts(store, ask)
    text = name if symbol_id is None else f"{name} {symbol_id}"
    context.answer({"asked": text, **found.to_record()}, text=_text(text, found))
    return Exit.DONE if found.here else Exit.FAILED


def _text(asked: str, found: "Whereabouts") -> str:
    lines = [f"{asked}: {found.sentence} ({found.reason})", *map(_line, found.sights)]
    return "\n".join([*lines, f"  {'to mend it':<10}  {found.mend}"] if found.mend else lines)


def _line(sight: "Sight") -> str:
    size = "" if sight.size is None else f"{sight.size} bytes"
    number = "" if sight.transaction is None else f"transaction {digits(sight.transaction)}"
    day = "" if sight.when is None else f"{sight.when:%Y-%m-%d}"
    what = " ".join(filter(None, (sight.product, sight.version)))
    gone = f"deleted by {digits(sight.deleted_by)}" if sight.deleted_by else ""
    return f"  {sight.reason:<10}  {'  '.join(filter(None, (shown(sight.key), size, number, day, shown(what), gone)))}"
