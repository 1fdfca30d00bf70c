"""`symsrv skiplist`: what is not tried again for a while, or for good, and how it is tried after all."""

import click

from symsrv.commands import listing
from symsrv.commands.base import Context, verb
from symsrv.commands.upstreaming import registry
from symsrv.model.errors import Exit, UsageError

_misses = click.option(
    "--misses", is_flag=True, help="Also what upstreams said lately that they have not, rounds or not."
)


@verb("skiplist list", example="symsrv skiplist list --upstream mozilla --misses", store=True, answers=True)
@listing.of_upstream
@listing.with_text
@_misses
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, help="At most N of each kind.")
@click.option("--after", nargs=2, metavar="UPSTREAM KEY", help="The page after the last one of the page before.")
def skiplist_list(
    context: Context, upstream: str | None, text: str, misses: bool, limit: int, after: tuple[str, str] | None
) -> Exit:
    """List what is not tried again: after several rounds without success, or since somebody said so.

    An entry holds for a while that doubles each time, or for good, as `skip_for` says.
    """
    return _shown(context, upstream=upstream, text=text, misses=misses, limit=limit, after=after)


@verb("skiplist find", example="symsrv skiplist find xul", store=True, answers=True)
@listing.of_upstream
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, help="At most N of each kind.")
@click.argument("text")
def skiplist_find(context: Context, text: str, upstream: str | None, limit: int) -> Exit:
    """Find by a part of a name or an id what is skipped, or was said lately not to be there."""
    return _shown(context, upstream=upstream, text=text, misses=True, limit=limit, after=None)


@verb(
    "skiplist add",
    example="symsrv skiplist add 'nv*.pdb' --upstream nvidia --for 30d",
    store=True,
    answers=True,
    dry_run=True,
)
@listing.entering
def skiplist_add(
    context: Context, patterns: tuple[str, ...], upstream: str | None, reason: str, lasts: str | None
) -> Exit:
    """Put names on the skiplist, for a while or for good."""
    return listing.add(context, "skip", patterns, upstream=upstream, reason=reason, lasts=lasts)


@verb("skiplist remove", example="symsrv skiplist remove xul.pdb", store=True, answers=True)
@listing.of_upstream
@click.argument("names", metavar="NAME|KEY|NUMBER...", nargs=-1, required=True)
def skiplist_remove(context: Context, names: tuple[str, ...], upstream: str | None) -> Exit:
    """Take files off the skiplist, so that they are tried again at once; also what upstreams said they have not."""
    from symsrv.ledger.state import Which
    from symsrv.mirror.lists import release, unlist

    state = context.assembly().state
    removed = unlist(state, Which.SKIP, names, upstream=upstream)
    removed += release(state, names=names, upstream=upstream, skip_only=False)
    if not removed:
        raise UsageError("nothing like that is on the skiplist; 'symsrv skiplist find' looks for parts of names")
    listing.said_removed(context, removed)
    return Exit.DONE


@verb(
    "skiplist clear",
    example="symsrv skiplist clear --text xul\nsymsrv skiplist clear --upstream mozilla --misses",
    store=True,
    answers=True,
)
@listing.of_upstream
@listing.with_text
@_misses
def skiplist_clear(context: Context, upstream: str | None, text: str, misses: bool) -> Exit:
    """Take everything off the skiplist, of an upstream or of all, so that it is tried again."""
    from symsrv.ledger.state import Which
    from symsrv.mirror.lists import release

    state = context.assembly().state
    listed = state.lists.clear(Which.SKIP, upstream=upstream, text=text)
    released = release(state, upstream=upstream, text=text, skip_only=not misses)
    count = listed + len(released)
    context.answer({"list": "skip", "removed": count}, text=f"{count} taken off the skiplist")
    return Exit.DONE


def _shown(
    context: Context, *, upstream: str | None, text: str, misses: bool, limit: int, after: tuple[str, str] | None
) -> Exit:
    from symsrv.ledger.state import Which
    from symsrv.mirror.lists import listed_entries, rest_entries

    if upstream is not None:
        registry(context).get(upstream)
    state = context.assembly().state
    listed = [] if after else listed_entries(state, Which.SKIP, upstream=upstream, text=text, limit=limit)
    rests = rest_entries(state, upstream=upstream, text=text, skip_only=not misses, limit=limit, after=after)
    listing.answer(context, [*listed, *rests])
    if len(rests) == limit:
        context.say(f"there may be more: --after {rests[-1].upstream} '{rests[-1].key}'")
    return Exit.DONE
