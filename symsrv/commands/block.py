"""`symsrv block`: which names are never fetched."""

import click

from symsrv.commands import listing
from symsrv.commands.base import Context, verb
from symsrv.model.errors import Exit


@verb("block list", example="symsrv block list --upstream mozilla", store=True, answers=True)
@listing.of_upstream
@listing.with_text
@listing.paged
def block_list(context: Context, upstream: str | None, text: str, limit: int, after: int | None) -> Exit:
    """List the names that upstreams are never asked for, with a reason each.

    What an upstream's options say comes first, its preset's among it; then what was listed by hand.
    """
    return listing.show(context, "block", upstream=upstream, text=text, limit=limit, after=after)


@verb(
    "block add",
    example="symsrv block add 'game*.pdb' --reason 'our own, and secret'",
    store=True,
    answers=True,
    dry_run=True,
)
@listing.entering
def block_add(
    context: Context, patterns: tuple[str, ...], upstream: str | None, reason: str, lasts: str | None
) -> Exit:
    """Keep names from being asked for, of an upstream or of all."""
    return listing.add(context, "block", patterns, upstream=upstream, reason=reason, lasts=lasts)


@verb("block remove", example="symsrv block remove 12 'nt*.pdb'", store=True, answers=True)
@listing.of_upstream
@click.argument("words", metavar="NUMBER|GLOB...", nargs=-1, required=True)
def block_remove(context: Context, words: tuple[str, ...], upstream: str | None) -> Exit:
    """Take entries off the block list that were put there by hand."""
    return listing.remove(context, "block", words, upstream=upstream)


@verb("block clear", example="symsrv block clear --upstream mozilla", store=True, answers=True)
@listing.of_upstream
@listing.with_text
def block_clear(context: Context, upstream: str | None, text: str) -> Exit:
    """Take everything off the block list that was put there by hand, of an upstream or of all."""
    return listing.clear(context, "block", upstream=upstream, text=text)
