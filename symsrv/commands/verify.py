"""`symsrv verify`: proves a store, and with `--repair` mends it."""

import dataclasses

import click

from symsrv.commands.base import Context, verb
from symsrv.model.errors import Exit


@verb("verify", example="symsrv verify --store ./symbols", store=True, answers=True, dry_run=True)
@click.option("--headers", is_flag=True, help="Do not read whole files: ids and sizes only.")
@click.option(
    "--repair",
    is_flag=True,
    help="First mend what can be mended from what the store itself tells; what is in doubt is put aside.",
)
def verify(context: Context, headers: bool, repair: bool) -> Exit:
    """Read every file again and hold it to its id, its record and the store's invariants.

    Without --repair it changes nothing. Exit code 1 when there is a fault; each one is named with what would mend it.
    What --repair puts aside lies under .symsrv/displaced in the store. Repair when no symstore.exe is writing to it.
    """
    from symsrv.upkeep.verify import Tally
    from symsrv.upkeep.verify import verify as faults_of

    if repair:
        _repair(context)
    tally = Tally()
    faults = 0
    with context.progress("verifying") as line:
        for fault in faults_of(context.assembly().store, tally, content=not headers, progress=lambda _: line.step()):
            faults += 1
            mend = f"; {fault.mend}" if fault.mend else ""
            context.answer(dataclasses.asdict(fault), text=f"{fault.kind}: {fault.path}: {fault.sentence}{mend}")
    summary = {"type": "summary", **dataclasses.asdict(tally), "faults": faults}
    context.answer(
        summary,
        text=f"{tally.files} files, {tally.bytes} bytes, {tally.transactions} transactions: {faults or 'no'} faults"
        + (f" ({tally.unrecorded} files have no record)" if tally.unrecorded else ""),
    )
    return Exit.FAILED if faults else Exit.DONE


def _repair(context: Context) -> None:
    from symsrv.upkeep.repair import repair as repairs_of

    word = "would repair" if context.dry_run else "repaired"
    for one in repairs_of(context.assembly().store, dry_run=context.dry_run):
        record = {"type": "repair", "path": one.path, "sentence": one.sentence, "done": not context.dry_run}
        context.answer(record, text=f"{word}: {one.path}: {one.sentence}")
