"""`symsrv status`: the queue in numbers, the upstreams with what is wrong with them, today's bytes."""

from typing import TYPE_CHECKING, Any

from symsrv.commands.base import Context, verb
from symsrv.commands.upstreaming import record, registry, size, table
from symsrv.model.errors import Exit

if TYPE_CHECKING:
    from symsrv.ledger.state import Breaker
    from symsrv.mirror.registry import Registered


@verb("status", example="symsrv status --store ./symbols", store=True, answers=True)
def status(context: Context) -> Exit:
    """Tell how fetching goes: what is wanted and in which state, who is asked, who is left alone, today's bytes."""
    state = context.assembly().state
    counts = {word.value: count for word, count in state.wants.counts().items()}
    today = state.spending.today()
    breakers = {one.host: one for one in state.breakers.list()}
    upstreams = [_upstream(one, today, breakers) for one in registry(context).all()]
    waiting = len(state.reports.complete())
    if context.json:
        context.answer({"type": "queue", "bytes_today": sum(today.values()), "reports_complete": waiting} | counts)
        for one in upstreams:
            context.answer({"type": "upstream"} | one)
        return Exit.DONE
    lines = ["wants: " + ", ".join(f"{count} {word}" for word, count in counts.items())]
    lines.append(f"today: {size(sum(today.values()))} fetched")
    if upstreams:
        title = ("upstream", "state", "host", "until", "why", "today")
        lines.append(table(title, [_row(one) for one in upstreams]))
    context.answer({}, text="\n".join(lines))
    return Exit.DONE


def _upstream(one: "Registered", today: dict[str, int], breakers: "dict[str, Breaker]") -> dict[str, Any]:
    from symsrv.mirror.gates import breakers_of

    host, ours = breakers_of(one.options)
    its = [found for found in (breakers.get(host), breakers.get(ours)) if found is not None]
    breaker = next((found for found in its if found.state != "closed"), its[0] if its else None)
    until = breaker.until if breaker else None
    return record(one) | {
        "host": host,
        "breaker": breaker.state.value if breaker else "closed",
        "breaker_until": until.isoformat() if until else None,
        "breaker_reason": breaker.reason if breaker else None,
        "bytes_today": today.get(one.options.name, 0),
    }


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    asked = "on" if one["enabled"] and not one["hidden"] else "off"
    word = "broken" if one["fault"] else asked if one["breaker"] == "closed" else one["breaker"]
    until = (one["breaker_until"] or "")[:16].replace("T", " ")
    return (
        one["name"],
        word,
        one["host"],
        until,
        one["fault"] or one["breaker_reason"] or "",
        size(one["bytes_today"]),
    )
