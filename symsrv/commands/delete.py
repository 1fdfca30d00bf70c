"""`symsrv delete`: undoes transactions."""

import click

from symsrv.commands.base import Context, verb
from symsrv.model.errors import Exit, NoSuchTransaction, UsageError
from symsrv.model.records import digits


@verb(
    "delete",
    example="symsrv delete 0000000007 --store ./symbols",
    store=True,
    answers=True,
    dry_run=True,
    exits=(Exit.NO_TRANSACTION,),
)
@click.argument("transactions", metavar="TRANSACTION...", nargs=-1, required=True)
@click.option("--comment", default="", help="Why, for the record.")
def delete(context: Context, transactions: tuple[str, ...], comment: str) -> Exit:
    """Undo transactions: files that nothing else holds are removed, files that another build shipped too stay."""
    numbers = list(dict.fromkeys(map(_number, transactions)))
    store = context.assembly().store
    if context.dry_run:
        for place, number in enumerate(numbers):
            for home, free in store.would_free(number, after=numbers[:place]).items():
                status = "would be removed" if free else "stays, another transaction holds it"
                context.answer({"transaction": digits(number), "key": home, "removed": free}, text=f"{home}: {status}")
        return Exit.DONE
    for number, transaction in zip(numbers, store.delete(numbers, comment=comment), strict=True):
        context.answer(
            {"transaction": digits(transaction.number), "deleted": digits(number)},
            text=f"transaction {digits(transaction.number)}: deleted {digits(number)}",
        )
    return Exit.DONE


def _number(text: str) -> int:
    if not text.isascii() or not text.isdecimal():
        raise UsageError(f"{text!r} is not a transaction's number; 'symsrv history' lists them")
    if not 0 < int(text) < 10**10:
        raise NoSuchTransaction(f"transactions are numbered 0000000001 to 9999999999, there is no {text}")
    return int(text)
