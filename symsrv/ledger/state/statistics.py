"""Statistics: what an upstream did since it was added, as counters that outlive the log."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil
from typing import Any

from sqlalchemy import Connection, delete, select

from symsrv.ledger.state.base import inserting, maybe_moment, moment
from symsrv.ledger.state.tables import counters
from symsrv.ledger.texts import chunks, original_text, stored_text

_LATENCY = "latency:"
_FAILED = "failed:"
_SINCE = "since"
_LATEST = "last-success"
_PER_DOUBLING = 4  # classes of latency: neighbours differ by a fifth
_CLASSES = 92  # up to more than two hours

Counts = dict[str, dict[str, int]]
"""By upstream and counter."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """What an upstream did since it was added, or first asked.

    `bytes` came over the wire. `ok`, `failed`, `absent`, `skipped` (by a list, a rest, a budget) and `refused` count
    attempts by how they ended, `retried` those that were made again; `failures` are `failed` and `refused` by stage.
    `latency` are the times of answers, as milliseconds and how many took that long: accurate to a tenth.
    """

    upstream: str
    since: datetime
    bytes: int = 0
    ok: int = 0
    failed: int = 0
    absent: int = 0
    skipped: int = 0
    refused: int = 0
    retried: int = 0
    failures: Mapping[str, int] = field(default_factory=dict)
    latency: tuple[tuple[float, int], ...] = ()
    last_success: datetime | None = None

    def percentile(self, percent: float) -> float | None:
        """The time, in milliseconds, within which so many in a hundred answers came; None if there were none."""
        rank = ceil(sum(count for _, count in self.latency) * percent / 100)
        for milliseconds, count in self.latency:
            rank -= count
            if rank <= 0:
                return milliseconds
        return None

    def to_record(self) -> dict[str, Any]:
        """As JSON promises it; fields may be added, never renamed."""
        names = ("upstream", "bytes", "ok", "failed", "absent", "skipped", "refused", "retried")
        return {name: getattr(self, name) for name in names} | {
            "since": self.since.isoformat(),
            "last_success": None if self.last_success is None else self.last_success.isoformat(),
            "failures": dict(self.failures),
            **{f"p{percent}_ms": self.percentile(percent) for percent in (50, 90, 99)},
        }


def latency_class(milliseconds: int) -> int:
    """Which class of latency a time belongs to; a bounded number of them, each a fifth above the one before."""
    found = 0
    while found < _CLASSES - 1 and _bound(found) < milliseconds:
        found += 1
    return found


def add_counts(connection: Connection, counts: Counts, *, now: int) -> None:
    """Adds to counters in the caller's transaction. `last-success` is set."""
    rows = [
        {"upstream": stored_text(upstream), "name": stored_text(name), "value": value}
        for upstream, by_name in sorted(counts.items())
        for name, value in sorted(by_name.items())
    ]
    insert = inserting(connection, counters)
    first = [{"upstream": stored_text(upstream), "name": _SINCE, "value": now} for upstream in sorted(counts)]
    if first:
        connection.execute(insert.on_conflict_do_nothing(), first)
    added = insert.on_conflict_do_update(
        index_elements=["upstream", "name"], set_={"value": counters.c.value + insert.excluded.value}
    )
    newest = insert.on_conflict_do_update(index_elements=["upstream", "name"], set_={"value": insert.excluded.value})
    for statement, chosen in ((added, False), (newest, True)):
        for batch in chunks(row for row in rows if (row["name"] == _LATEST) is chosen):
            connection.execute(statement, batch)


def counts_of(outcome: str, stage: str, *, size: int, milliseconds: int | None, now: int) -> dict[str, int]:
    """What one attempt adds."""
    if stage == "retrying":
        return {"retried": 1, "bytes": size}
    found = {outcome: 1, "bytes": size}
    if outcome in ("failed", "refused"):
        found[f"{_FAILED}{stage}"] = 1
    if outcome in ("ok", "absent") and milliseconds is not None:
        found[f"{_LATENCY}{latency_class(milliseconds):02}"] = 1
    if outcome == "ok":
        found[_LATEST] = now
    return found


def merged(counts: Iterable[tuple[str, dict[str, int]]]) -> Counts:
    """What several attempts add, by upstream."""
    found: Counts = {}
    for upstream, names in counts:
        known = found.setdefault(upstream, {})
        for name, value in names.items():
            known[name] = value if name == _LATEST else known.get(name, 0) + value
    return found


def forget_counts(connection: Connection, upstream: str) -> None:
    """Lets an upstream begin anew."""
    connection.execute(delete(counters).where(counters.c.upstream == stored_text(upstream)))


def selection(upstream: str | None) -> Any:
    """The counters of one upstream or of all."""
    query = select(counters).order_by(counters.c.upstream, counters.c.name)
    return query if upstream is None else query.where(counters.c.upstream == stored_text(upstream))


def statistics_of(rows: Iterable[Any]) -> list[Statistics]:
    """The statistics that counters tell."""
    by_upstream: dict[str, dict[str, int]] = {}
    for row in rows:
        by_upstream.setdefault(original_text(row.upstream), {})[original_text(row.name)] = row.value
    return [_statistics(upstream, values) for upstream, values in by_upstream.items()]


def _statistics(upstream: str, values: Mapping[str, int]) -> Statistics:
    plain = ("bytes", "ok", "failed", "absent", "skipped", "refused", "retried")
    return Statistics(
        upstream=upstream,
        since=moment(values.get(_SINCE, 0)),
        **{name: values.get(name, 0) for name in plain},
        failures={name.removeprefix(_FAILED): count for name, count in values.items() if name.startswith(_FAILED)},
        latency=tuple(
            (_middle(int(name.removeprefix(_LATENCY))), count)
            for name, count in values.items()
            if name.startswith(_LATENCY)
        ),
        last_success=maybe_moment(values.get(_LATEST)),
    )


def _bound(number: int) -> float:
    return float(2 ** (number / _PER_DOUBLING))


def _middle(number: int) -> float:
    return round(float(2 ** ((number - 0.5) / _PER_DOUBLING)), 1) if number else 1.0
