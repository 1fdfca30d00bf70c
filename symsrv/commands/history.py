"""`symsrv history`: the transactions of a store."""

from typing import Any

import click

from symsrv.commands.base import Context, verb
from symsrv.model.errors import Exit
from symsrv.model.records import Transaction, digits


@verb("history", example="symsrv history --store ./symbols --last 5", store=True, answers=True)
@click.option("--last", type=click.IntRange(min=1), help="Only the newest N transactions.")
def history(context: Context, last: int | None) -> Exit:
    """List the transactions of a store, oldest first."""
    from collections import deque

    for transaction in deque(context.assembly().store.history(), maxlen=last):
        record = _record(transaction)
        context.answer(record, text=_text(record))
    return Exit.DONE


def _record(transaction: Transaction) -> dict[str, Any]:
    return {
        "transaction": digits(transaction.number),
        "type": transaction.kind,
        "time": transaction.when.isoformat(),
        "product": transaction.product,
        "version": transaction.version,
        "comment": transaction.comment,
        "tag": transaction.tag,
        "who": transaction.who,
        "files": transaction.files,
        "deletes": [digits(number) for number in transaction.deletes],
        "deleted_by": digits(transaction.deleted_by) if transaction.deleted_by else None,
    }


def _text(record: dict[str, Any]) -> str:
    when = record["time"][:19].replace("T", " ")
    if record["type"] == "del":
        return f"{record['transaction']}  {when}  deleted {', '.join(record['deletes'])}"
    what = " ".join(filter(None, (record["product"], record["version"])))
    more = "".join(f"  {text}" for text in (record["comment"] and f"“{record['comment']}”", record["tag"]) if text)
    gone = f"  (deleted by {record['deleted_by']})" if record["deleted_by"] else ""
    return f"{record['transaction']}  {when}  {record['files']:>6} files  {what}{more}{gone}"
