"""`symsrv tell`: tells receivers now what they have not heard yet, or sends them a test."""

from typing import TYPE_CHECKING

import click

from symsrv.commands.base import Context, outcome, verb
from symsrv.model.errors import Exit, SymsrvError, UsageError

if TYPE_CHECKING:
    from symsrv.mirror.telling import Receiver


@verb(
    "tell",
    example="symsrv tell --test ci\nsymsrv tell --dry-run",
    store=True,
    answers=True,
    dry_run=True,
    exits=(Exit.PARTLY,),
)
@click.option("--test", "test", metavar="NAME", help="Send a test to the receiver of this name, and nothing else.")
@click.argument("names", metavar="[NAME]...", nargs=-1)
def tell(context: Context, names: tuple[str, ...], test: str | None) -> Exit:
    """Tell receivers what arrived and which reports are complete; the configuration names them (mirror: tell:).

    What runs all the time does this by itself. Here each NAME (all, if none is given) is told what it has not heard
    yet, once. With --dry-run only what the next call would tell is shown.
    """
    from symsrv.mirror.telling import announce

    if test is not None and names:
        raise UsageError("--test names the one receiver that is told")
    receivers = _receivers(context, [test] if test is not None else names)
    if test is None and not context.dry_run:
        announce(context.assembly().state)
    good = bad = 0
    for one in receivers:
        try:
            _tell(context, one, test=test is not None)
            good += 1
        except SymsrvError as error:
            bad += 1
            name = one.options.name
            context.answer({"receiver": name, "error": str(error), "reason": error.reason})
            if not context.json:
                context.warn(f"{error} ({error.reason})")
    return outcome(good=good, bad=bad)


def _tell(context: Context, receiver: "Receiver", *, test: bool) -> None:
    name = receiver.options.name
    if context.dry_run:
        news = receiver.test() if test else receiver.pending(keep=False)
        told = {} if news is None else {"type": news.kind, "key": news.key, "events": list(news.events)}
        what = "nothing" if news is None else f"{news.kind}: {news.body().decode()}"
        context.answer({"receiver": name, **told}, text=f"{name} would be told {what}")
        return
    if test:
        receiver.deliver(receiver.test())
        context.answer({"receiver": name, "type": "test", "calls": 1}, text=f"{name} was told a test")
        return
    calls = 0
    while receiver.tell():
        calls += 1
    text = f"{name} was told in {calls} call{'s' if calls > 1 else ''}" if calls else f"{name} has heard everything"
    context.answer({"receiver": name, "calls": calls}, text=text)


def _receivers(context: Context, names: tuple[str, ...] | list[str]) -> "list[Receiver]":
    from symsrv.mirror.telling import Receiver, describing

    configured = {one.name: one for one in context.config.mirror.tell}
    for name in names:
        if name not in configured:
            known = ", ".join(configured) or "none"
            raise UsageError(f"no receiver is called {name}; the configuration names {known} (mirror: tell:)")
    assembly = context.assembly()
    chosen = [configured[name] for name in names] if names else [one for one in configured.values() if one.enabled]
    origin = assembly.store.id
    return [Receiver(one, assembly.state, describing(assembly.store), origin=origin) for one in chosen]
