"""`symsrv upstream tail`: what upstreams published since is wished for, now."""

import threading
from typing import TYPE_CHECKING

import click

from symsrv.commands.base import Context, outcome, verb
from symsrv.commands.upstreaming import opened, registry
from symsrv.model.errors import Exit, UsageError
from symsrv.model.records import digits

if TYPE_CHECKING:
    from symsrv.mirror.settings import UpstreamOptions
    from symsrv.mirror.tail import Pass


@verb("upstream tail", example="symsrv upstream tail build-farm", store=True, answers=True, exits=(Exit.PARTLY,))
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option(
    "--restart", is_flag=True, help="Read it from its first transaction on; what is here is not wished again."
)
def upstream_tail(context: Context, names: tuple[str, ...], restart: bool) -> Exit:
    """Follow upstreams now: wish for what they published since the last time.

    Those that have the option `tail` are followed anyway while symsrv runs; this makes one pass of each of them, or of
    those that are named, at once. What is wished is fetched by the puller, as by `symsrv pull --missing`.
    """
    from symsrv.mirror.following import Following
    from symsrv.mirror.tail import restart as begin_anew

    chosen = _chosen(context, names)
    assembly = context.assembly()
    following = Following(
        assembly.store,
        assembly.state,
        lambda: chosen,
        opener=opened(context),
        options=lambda: context.config.mirror,
    )
    bad = 0
    for options in chosen:
        if restart:
            begin_anew(assembly.state, options.name)
        done = following.make(options, threading.Event())
        bad += done.reason is not None
        context.answer(done.to_record(), text=_text(done))
    return outcome(good=len(chosen) - bad, bad=bad)


def _chosen(context: Context, names: tuple[str, ...]) -> "list[UpstreamOptions]":
    found = registry(context)
    if names:
        chosen = [found.get(name).options for name in names]
        for one in chosen:
            if one.tail is None:
                raise UsageError(f"{one.name} is not followed; 'symsrv upstream edit {one.name} --set tail={{}}'")
        return chosen
    chosen = [one for one in found.usable() if one.enabled and one.tail is not None]
    if not chosen:
        raise UsageError("no upstream is followed; give one the option 'tail'")
    return chosen


def _text(done: "Pass") -> str:
    if done.reason is not None:
        return f"{done.upstream}: cannot be followed ({done.reason}); read up to {digits(done.number)}"
    parts = [f"{done.upstream}: read up to {digits(done.number)} of {digits(done.last)}", f"{done.wished} wished"]
    parts += [f"{done.present} here already"] if done.present else []
    parts += [f"{count} {reason}" for reason, count in sorted(done.skipped.items())]
    parts += [f"{len(done.deleted)} of ours deleted"] if done.deleted else []
    return ", ".join(parts) + ("" if done.complete else "; there is more for the next pass")
