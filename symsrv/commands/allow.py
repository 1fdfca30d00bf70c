"""`symsrv allow`: which names upstreams with an allow list are asked for."""

import click

from symsrv.commands import listing
from symsrv.commands.base import Context, verb
from symsrv.model.errors import Exit


@verb("allow list", example="symsrv allow list --upstream mozilla", store=True, answers=True)
@listing.of_upstream
@listing.with_text
@listing.paged
def allow_list(context: Context, upstream: str | None, text: str, limit: int, after: int | None) -> Exit:
    """List the names that upstreams with an allow list are asked for, with a reason each.

    What an upstream's options say comes first, its preset's among it; then what was listed by hand.
    """
    return listing.show(context, "allow", upstream=upstream, text=text, limit=limit, after=after)


@verb(
    "allow add",
    example="symsrv allow add 'nt*.pdb' --upstream microsoft --reason 'kernels we debug'",
    store=True,
    answers=True,
    dry_run=True,
)
@listing.entering
def allow_add(
    context: Context, patterns: tuple[str, ...], upstream: str | None, reason: str, lasts: str | None
) -> Exit:
    """Let names be asked for, of an upstream or of all, where they use an allow list (use_allow)."""
    return listing.add(context, "allow", patterns, upstream=upstream, reason=reason, lasts=lasts)


@verb("allow remove", example="symsrv allow remove 12 'nt*.pdb'", store=True, answers=True)
@listing.of_upstream
@click.argument("words", metavar="NUMBER|GLOB...", nargs=-1, required=True)
def allow_remove(context: Context, words: tuple[str, ...], upstream: str | None) -> Exit:
    """Take entries off the allow list that were put there by hand."""
    return listing.remove(context, "allow", words, upstream=upstream)


@verb("allow clear", example="symsrv allow clear --upstream mozilla", store=True, answers=True)
@listing.of_upstream
@listing.with_text
def allow_clear(context: Context, upstream: str | None, text: str) -> Exit:
    """Take everything off the allow list that was put there by hand, of an upstream or of all."""
    return listing.clear(context, "allow", upstream=upstream, text=text)
