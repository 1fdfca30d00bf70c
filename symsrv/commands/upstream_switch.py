"""`symsrv upstream enable`, `disable` and `remove`: whether an upstream is asked."""

import click

from symsrv.commands.base import Context, verb
from symsrv.commands.upstreaming import registry
from symsrv.model.errors import Exit

_names = click.argument("names", metavar="NAME...", nargs=-1, required=True)


@verb("upstream enable", example="symsrv upstream enable mozilla", store=True, answers=True, dry_run=True)
@_names
def upstream_enable(context: Context, names: tuple[str, ...]) -> Exit:
    """Let upstreams be asked again, at once, even if their host failed so often that it is left alone."""
    from symsrv.mirror.gates import breakers_of

    done = _switched(context, names, enabled=True)
    for name in names:
        if not context.dry_run:
            for one in breakers_of(registry(context).get(name).options):
                context.assembly().state.breakers.clear(one)
    return done


@verb("upstream disable", example="symsrv upstream disable mozilla citrix", store=True, answers=True, dry_run=True)
@_names
def upstream_disable(context: Context, names: tuple[str, ...]) -> Exit:
    """Let upstreams rest until they are enabled; what they gave stays."""
    return _switched(context, names, enabled=False)


@verb("upstream remove", example="symsrv upstream remove citrix", store=True, answers=True, dry_run=True)
@_names
def upstream_remove(context: Context, names: tuple[str, ...]) -> Exit:
    """Forget upstreams, with their lists and what they were found not to have. The symbols that they gave stay."""
    found = registry(context)
    for name in names:
        found.edited(name, {})  # all of them can be removed, or none is
    for name in names:
        if not context.dry_run:
            found.remove(name)
        word = "would be removed" if context.dry_run else "removed"
        context.answer({"name": name, "removed": not context.dry_run}, text=f"{name} {word}; its symbols stay")
    return Exit.DONE


def _switched(context: Context, names: tuple[str, ...], *, enabled: bool) -> Exit:
    found = registry(context)
    there = [name for name in names if found.get(name).options.enabled != enabled]
    given = {name: found.edited(name, {"enabled": enabled}) for name in there}
    for name in names:
        if name in given and not context.dry_run:
            found.change(given[name])
        word = ("would be " if context.dry_run else "") + ("enabled" if enabled else "disabled")
        context.answer({"name": name, "enabled": enabled, "saved": not context.dry_run}, text=f"{name} {word}")
    return Exit.DONE
