"""What the verbs of `symsrv upstream` share: the registry, how an upstream is shown, and the connection test."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symsrv.commands.base import Context, shown

if TYPE_CHECKING:
    from symsrv.mirror.probing import Report
    from symsrv.mirror.registry import Registered, Registry
    from symsrv.mirror.settings import UpstreamOptions


def registry(context: Context) -> "Registry":
    """The upstreams of the store, those of the configuration and those that were added."""
    from symsrv.mirror.registry import Registry

    return Registry(context.config.upstreams, context.assembly().state.upstreams)


def opened(context: Context) -> Any:
    """How an upstream is opened here: with our contact, our store and our state."""
    from functools import partial

    from symsrv.mirror import Surroundings, open_upstream

    assembly = context.assembly()
    around = Surroundings(
        contact=context.config.mirror.contact, store=lambda: assembly.store, state=lambda: assembly.state
    )
    return partial(open_upstream, around=around)


def tested(context: Context, options: "UpstreamOptions") -> "Report":
    """Tests the connection, with a word on what is being done."""
    from symsrv.mirror.probing import probe

    context.say(f"asking {options.name} at {place(options)}")
    return probe(options, opener=opened(context))


def tell(context: Context, report: "Report") -> None:
    """Says what the test found, for people."""
    for finding in report.findings:
        reason = f" ({finding.reason})" if finding.reason else ""
        context.say(f"  {'!' if finding.bad else '-'} {finding.found}: {finding.sentence}{reason}")
    if report.proposes:
        context.say(f"  would suit it: {as_flags(report.proposes)}")


def as_flags(options: Mapping[str, Any]) -> str:
    """Options as one would give them."""
    return " ".join(f"--set {name}={_value(value)}" for name, value in options.items())


def absolute(url: str) -> str:
    """A folder's path as it is meant wherever it is read later; a URL as it is."""
    return url if "://" in url or not url else str(Path(url).expanduser().absolute())


def place(options: "UpstreamOptions") -> str:
    """Where it is, without what may be a secret in its query."""
    return options.url.partition("?")[0] or "our own store"


def record(one: "Registered") -> dict[str, Any]:
    """An upstream in JSON; fields may be added, never renamed."""
    from symsrv.mirror import kind_of
    from symsrv.model.errors import UsageError

    options = one.options
    try:
        kind: str | None = kind_of(options) if not one.fault else None
    except UsageError:
        kind = None
    return {
        "name": options.name,
        "url": place(options),
        "kind": kind,
        "enabled": options.enabled,
        "order": options.order,
        "preset": options.preset,
        "use_allow": options.use_allow,
        "public": options.public,
        "source": one.source.value,
        "hidden": one.hidden,
        "fault": one.fault,
    }


def table(title: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Rows under a title, in columns."""
    cells = [title, *(tuple(shown(cell or "-") for cell in row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in cells)


def size(count: int) -> str:
    """Bytes for people."""
    amount = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TiB"


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"[{','.join(map(str, value))}]" if isinstance(value, list | tuple) else str(value)
