"""`symsrv reindex`: makes what is derived again."""

import click

from symsrv.commands.base import Context, verb
from symsrv.model.errors import Exit


@verb("reindex", example="symsrv reindex --store ./symbols", store=True, answers=True)
@click.option("--admin", is_flag=True, help="Also add what is missing in 000Admin and the refs.ptr files.")
def reindex(context: Context, admin: bool) -> Exit:
    """Make the index again, from the transaction documents, 000Admin, and the files' own headers.

    Needed after files were copied into the store by hand; nothing else is lost with an index.
    """
    store = context.assembly().store
    with context.progress("indexing") as line:
        files = store.reindex(lambda _count: line.step())
    lines = store.rewrite_admin() if admin else 0
    context.answer(
        {"files": files, "admin_lines": lines},
        text=f"{files} files indexed" + (f", {lines} lines added to 000Admin and refs.ptr" if admin else ""),
    )
    return Exit.DONE
