"""`symsrv upstream test`: what a few requests tell about an upstream."""

import click

from symsrv.commands.base import Context, outcome, verb
from symsrv.commands.upstreaming import place, registry, tell, tested
from symsrv.model.errors import Exit, UsageError


@verb(
    "upstream test",
    example="symsrv upstream test mozilla\nsymsrv upstream test --all --json",
    store=True,
    answers=True,
    exits=(Exit.PARTLY,),
)
@click.option("--all", "everyone", is_flag=True, help="Test every upstream that is switched on.")
@click.argument("names", metavar="[NAME]...", nargs=-1)
def upstream_test(context: Context, names: tuple[str, ...], everyone: bool) -> Exit:
    """Test the connection to upstreams, with at most eight requests each.

    Asks for what cannot exist, to learn how it says no, and for what it has, if a probe_known says what; looks whether
    case counts, whether packed names are answered, and for two tiers. Nothing is kept or changed.
    """
    found = registry(context)
    if not names and not everyone:
        raise UsageError("say which: symsrv upstream test NAME, or --all")
    chosen = [found.get(name).options for name in names] or [one for one in found.usable() if one.enabled]
    good = 0
    for options in chosen:
        report = tested(context, options)
        if not context.json:
            tell(context, report)
        record = {
            "name": options.name,
            "url": place(options),
            "usable": report.usable,
            "milliseconds": round(report.milliseconds, 1),
            "findings": [one.to_record() for one in report.findings],
            "proposes": report.proposes,
        }
        word = "can be used" if report.usable else "cannot be used so"
        context.answer(record, text=f"{options.name} {word}; it answers within {report.milliseconds:.0f} ms")
        good += report.usable
    return outcome(good=good, bad=len(chosen) - good)
