"""`symsrv missing`: what was asked for and not found; what of a dump is not here; what a web server's log misses."""

from pathlib import Path

import click

from symsrv.commands.base import Context, verb
from symsrv.model.ask import Wants
from symsrv.model.errors import Exit, UsageError
from symsrv.model.wants import WantState

_STATES = ("missing", "near", "have", "no-id")
_KINDS = click.Choice([one.value for one in (Wants.CODE, Wants.DEBUG, Wants.SYM)])
_WANTED = click.Choice([one.value for one in WantState])
_PATH = click.Path(path_type=Path)


@verb(
    "missing",
    example="symsrv missing --store ./symbols --name 'nt*.pdb' --since 7d\n"
    "symsrv missing --dump crash.dmp --include 'app*' --only missing --strict\n"
    "symsrv missing --access-log /var/log/nginx/access.log* --prefix /symbols",
    store=True,
    answers=True,
    dry_run=True,
    exits=(Exit.PARTLY,),
)
@click.option("--dump", "dumps", metavar="FILE...", multiple=True, type=_PATH, help="A crash dump: what of it is here?")
@click.option("--only", multiple=True, type=click.Choice(_STATES), help="--dump: only modules of this state.")
@click.option("--include", metavar="PATTERN", multiple=True, help="--dump: only modules whose name matches.")
@click.option("--exclude", metavar="PATTERN", multiple=True, help="--dump: no modules whose name matches.")
@click.option("--strict", is_flag=True, help="--dump: exit code 1 if a listed module is missing or near.")
@click.option(
    "--access-log", "logs", metavar="FILE...", multiple=True, type=_PATH, help="A web server's log to learn from."
)
@click.option("--prefix", metavar="PATH", default="", help="--access-log: the path below which the symbols lie there.")
@click.option("--state", "states", multiple=True, type=_WANTED, help="Only wants of this state.")
@click.option("--kind", "kinds", multiple=True, type=_KINDS, help="Only wants of this kind of file.")
@click.option("--name", metavar="PATTERN", default="", help="Only wants whose name matches, as 'nt*.pdb'.")
@click.option("--who", metavar="WORD", default="", help="Only what this one asked for, or all that begin so: serve:")
@click.option("--since", metavar="TIME", help="Only what was asked for since: 2026-11-28, 7d.")
@click.option("--limit", type=click.IntRange(min=1), help="No more than this many.")
@click.option("--after", metavar="NUMBER", type=click.IntRange(min=1), help="The page behind this want.")
@click.option("--csv", "as_csv", is_flag=True, help="Comma-separated values, with a title.")
@click.option("--retry", is_flag=True, help="Have the chosen ones asked for again at once, those of the skiplist too.")
@click.option("--forget", is_flag=True, help="Take the chosen ones off the list.")
@click.argument("more", metavar="[FILE]...", nargs=-1, type=_PATH)
def missing(
    context: Context,
    dumps: tuple[Path, ...],
    only: tuple[str, ...],
    include: tuple[str, ...],
    exclude: tuple[str, ...],
    strict: bool,
    logs: tuple[Path, ...],
    prefix: str,
    states: tuple[str, ...],
    kinds: tuple[str, ...],
    name: str,
    who: str,
    since: str | None,
    limit: int | None,
    after: int | None,
    as_csv: bool,
    retry: bool,
    forget: bool,
    more: tuple[Path, ...],
) -> Exit:
    """List what clients, dumps and logs asked for and the store does not have, the most wanted first.

    With --dump, say for every module of crash dumps whether a debugger would find its program and its debug file
    here, and put those that are missing on the list. A dump is a minidump or an ELF core; a program stands for itself,
    a folder for all dumps below, an archive for those in it. A module is `have`, `missing`, `near` (only one half of
    it is here, another build, another name) or `no-id` (the dump tells no id to ask by).

    With --access-log, put what a web server's log says was not found there on the list: nginx, Apache, IIS, S3,
    Google Cloud Storage, CloudFront; of buckets also what was forbidden. The same log again changes nothing.
    """
    if sum(map(bool, (dumps, logs, retry, forget))) > 1:
        raise UsageError("one thing at a time: --dump, --access-log, --retry or --forget")
    if dumps:
        from symsrv.commands.missing_dumps import Selection, of_dumps

        chosen = Selection(only=only, include=include, exclude=exclude, strict=strict)
        return of_dumps(context, (*dumps, *more), chosen)
    if logs:
        from symsrv.commands.missing_logs import of_logs

        return of_logs(context, (*logs, *more), prefix=prefix)
    if more:
        raise UsageError("say what the files are: --dump FILE..., or --access-log FILE...")
    from symsrv.commands.missing_list import change, show
    from symsrv.store.missing import NOT_HERE, Chosen
    from symsrv.store.missing import since as moment

    wanted = Chosen(
        states=[WantState(one) for one in states] or NOT_HERE,
        kinds=[Wants(one) for one in kinds],
        name=name,
        who=who,
        since=None if since is None else moment(since),
    )
    if retry or forget:
        narrowed = bool(states or kinds or name or who or since)
        return change(context, wanted, forget=forget, narrowed=narrowed)
    return show(context, wanted, limit=limit, after=after, as_csv=as_csv)
