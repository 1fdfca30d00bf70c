"""`symsrv upstream stats` and `log`: what upstreams gave since they were added, and what became of each request."""

from typing import TYPE_CHECKING, Any

import click

from symsrv.commands.base import Context, verb
from symsrv.commands.upstreaming import size, table
from symsrv.model.errors import Exit

if TYPE_CHECKING:
    from symsrv.ledger.state import Attempt, Statistics

_OUTCOMES = ("ok", "absent", "failed", "skipped", "refused")


@verb("upstream stats", example="symsrv upstream stats mozilla", store=True, answers=True)
@click.argument("name", required=False)
def upstream_stats(context: Context, name: str | None) -> Exit:
    """Tell what each upstream gave since it was added: bytes, successes, failures by stage, how fast it answers."""
    found = context.assembly().state.attempts.statistics(name)
    today = context.assembly().state.spending.today()
    if context.json:
        for one in found:
            context.answer(one.to_record() | {"bytes_today": today.get(one.upstream, 0)})
    elif found:
        title = (
            "name",
            "since",
            "ok",
            "failed",
            "absent",
            "refused",
            "skipped",
            "bytes",
            "today",
            "p50",
            "p90",
            "p99",
            "last success",
        )
        context.answer({}, text="\n".join([table(title, [_row(one, today) for one in found]), *_failures(found)]))
    else:
        context.say("nothing was asked of anybody yet")
    return Exit.DONE


@verb(
    "upstream log",
    example="symsrv upstream log mozilla --outcome failed --text xul\nsymsrv upstream log --json --after 5200",
    store=True,
    answers=True,
)
@click.option("--text", metavar="TEXT", default="", help="Only what has this in its name, its id or its address.")
@click.option("--outcome", type=click.Choice(_OUTCOMES), help="Only what ended so.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, help="At most N lines.")
@click.option("--after", type=int, help="The page after this number, the last one's of the page before.")
@click.argument("name", required=False)
def upstream_log(
    context: Context,
    name: str | None,
    text: str,
    outcome: str | None,
    limit: int,
    after: int | None,
) -> Exit:
    """List what was asked of upstreams and what came of it, newest first.

    Downloads, retries, conversions, and what was not asked since a list, a rest or a budget was in the way.
    """
    found = context.assembly().state.attempts.list(upstream=name, text=text, outcome=outcome, limit=limit, after=after)
    if context.json:
        for one in found:
            context.answer(one.to_record())
    elif found:
        title = ("number", "at", "upstream", "stage", "outcome", "reason", "bytes", "ms", "name", "address")
        context.answer({}, text=table(title, [_line(one) for one in found]))
        if len(found) == limit:
            context.say(f"there may be more: --after {found[-1].id}")
    return Exit.DONE


def _row(one: "Statistics", today: dict[str, int]) -> tuple[str, ...]:
    counts = (one.ok, one.failed, one.absent, one.refused, one.skipped)
    waits = (_milliseconds(one.percentile(percent)) for percent in (50, 90, 99))
    moments = (_moment(one.since), _moment(one.last_success))
    amounts = (size(one.bytes), size(today.get(one.upstream, 0)))
    return (one.upstream, moments[0], *map(str, counts), *amounts, *waits, moments[1])


def _failures(found: "list[Statistics]") -> list[str]:
    return [
        f"{one.upstream}: failed while "
        + ", ".join(f"{stage} {count}" for stage, count in sorted(one.failures.items()))
        for one in found
        if one.failures
    ]


def _line(one: "Attempt") -> tuple[str, ...]:
    status = f" {one.status}" if one.status else ""
    took = "" if one.milliseconds is None else str(one.milliseconds)
    words = (str(one.id), _moment(one.at), one.upstream, one.stage, one.outcome, f"{one.reason}{status}")
    return (*words, size(one.bytes) if one.bytes else "", took, one.name, one.address)


def _milliseconds(value: float | None) -> str:
    return "" if value is None else f"{value:.0f} ms"


def _moment(value: Any) -> str:
    return "" if value is None else value.isoformat(sep=" ", timespec="seconds")[:19]
