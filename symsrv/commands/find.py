"""`symsrv find`: searches the index."""

import click

from symsrv.commands.base import Context, verb
from symsrv.model.errors import Exit


@verb(
    "find",
    example="symsrv find crash.pdb --store ./symbols\nsymsrv find 3249D99D-0C40-4931-8610-F4E4FB0B6936",
    store=True,
    answers=True,
)
@click.argument("text")
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, help="At most so many files.")
def find(context: Context, text: str, limit: int) -> Exit:
    """Search by part of a name, an id in any spelling, a product, version, tag or comment.

    Exit code 1 when nothing is found.
    """
    found = list(context.assembly().store.search(text, limit=limit + 1))
    for file in found[:limit]:
        identity = file.identities[0] if file.identities else None
        record = {
            "key": file.home,
            "size": file.size,
            "sha256": file.sha256,
            "format": identity.format if identity else None,
            "debug_id": identity.debug_id if identity else None,
            "code_id": identity.code_id if identity else None,
        }
        context.answer(record, text=f"{file.size:>12}  {file.home}")
    if len(found) > limit:
        context.warn(f"there are more than {limit}; see --limit")
    if not found:
        context.say(f"nothing in {context.config.store} matches {text!r}")
    return Exit.DONE if found else Exit.FAILED
