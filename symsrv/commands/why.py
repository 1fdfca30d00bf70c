"""`symsrv why`: why a symbol is or is not to be had from a store."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from symsrv.commands.base import Context, shown, verb
from symsrv.model.errors import Exit, SymsrvError
from symsrv.model.records import digits

if TYPE_CHECKING:
    from symsrv.model.ask import Ask
    from symsrv.model.wants import Want
    from symsrv.store.prospects import Prospects
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
    """Say why a symbol is or is not to be had from this store, what is done about it, and what would mend it.

    It is named by its file name and its id in any spelling, or by a path or address as a client asks for it.
    Of what is not here it also says who asked for it and how often, which servers said what and when, and when they
    are asked again. Exit code 1 when a client would get nothing.
    """
    from symsrv.layouts.asking import asked
    from symsrv.store.whereabouts import Whereabouts, Why, whereabouts

    ask, done = asked(name, symbol_id), None
    store = context.assembly().store
    if ask is None:
        found = Whereabouts(Why.UNKNOWN_PATH)
    else:
        store.catch_up()
        found = whereabouts(store, ask)
        done = None if found.here else _prospects(context, ask)
    text = name if symbol_id is None else f"{name} {symbol_id}"
    record = {"asked": text, **found.to_record()} | ({} if done is None else {"wanted": done.to_record()})
    context.answer(record, text=_text(text, found, done))
    return Exit.DONE if found.here else Exit.FAILED


def _prospects(context: Context, ask: "Ask") -> "Prospects | None":
    """What is done about it; None where nothing is kept about that."""
    from symsrv.mirror.arrivals import settle
    from symsrv.store.prospects import Prospect, Prospects, prospects

    try:
        assembly = context.assembly()
        state = assembly.state_if_made
        if state is None:
            return Prospects(Prospect.NEVER_WANTED)
        settle(assembly.store, state)
        return prospects(state, ask, assembly.refusals)
    except (SymsrvError, OSError) as error:
        context.warn(f"what is done about it cannot be read: {error}")
        return None


def _text(asked: str, found: "Whereabouts", done: "Prospects | None") -> str:
    lines = [f"{asked}: {found.sentence} ({found.reason})", *map(_line, found.sights)]
    mends = [found.mend]
    if done is not None:
        lines += _done_lines(done)
        mends.append(done.mend)
    return "\n".join([*lines, *(f"  {'to mend it':<10}  {one}" for one in mends if one)])


def _done_lines(done: "Prospects") -> Iterator[str]:
    yield f"  {done.reason:<10}  {done.sentence}{_wanted(done.want)}"
    for entry in done.lists:
        where = f" for {entry.upstream}" if entry.upstream else ""
        because = f": {entry.reason}" if entry.reason else ""
        yield f"  {entry.which:<10}  {shown(entry.pattern)}{where}{shown(because)}"
    for upstream, reason, sentence in done.refusals:
        yield f"  {'not asked':<10}  {shown(upstream)}  {shown(sentence)} ({reason})"
    for rest in done.rests:
        until = "for good" if rest.until is None else f"until {rest.until:%Y-%m-%d %H:%M}"
        yield f"  {'rests':<10}  {shown(rest.upstream)}  {rest.reason}, {until}  {shown(rest.answer)}".rstrip()
    for one in done.tries:
        when = "" if one.at is None else f"{one.at:%Y-%m-%d %H:%M}"
        words = (shown(one.upstream), when, one.outcome, one.reason, one.status, shown(one.address))
        yield f"  {'tried':<10}  {'  '.join(str(word) for word in words if word)}"


def _wanted(want: "Want | None") -> str:
    if want is None:
        return ""
    times = f"{want.count} time" + ("" if want.count == 1 else "s")
    who = f", by {', '.join(map(shown, want.who))}" if want.who else ""
    due = "" if want.due is None else f"; again at {want.due:%Y-%m-%d %H:%M}"
    return f"; asked for {times} since {want.first:%Y-%m-%d}, last {want.last:%Y-%m-%d}{who}{due}"


def _line(sight: "Sight") -> str:
    size = "" if sight.size is None else f"{sight.size} bytes"
    number = "" if sight.transaction is None else f"transaction {digits(sight.transaction)}"
    day = "" if sight.when is None else f"{sight.when:%Y-%m-%d}"
    what = " ".join(filter(None, (sight.product, sight.version)))
    gone = f"deleted by {digits(sight.deleted_by)}" if sight.deleted_by else ""
    return f"  {sight.reason:<10}  {'  '.join(filter(None, (shown(sight.key), size, number, day, shown(what), gone)))}"
