"""`symsrv upstream add` and `edit`: connecting a server, and changing what is said of it."""

from typing import TYPE_CHECKING, Any

import click

from symsrv.commands.base import Context, verb
from symsrv.commands.upstream_options import given, upstream_options
from symsrv.commands.upstreaming import absolute, place, registry, tell, tested
from symsrv.model.errors import Exit

if TYPE_CHECKING:
    from symsrv.mirror.probing import Report
    from symsrv.mirror.settings import UpstreamOptions


@verb(
    "upstream add",
    example="symsrv upstream add mozilla\n"
    "symsrv upstream add build https://build.corp/symbols --user ci --password-env BUILD_PASSWORD\n"
    "symsrv upstream add games s3://game-symbols/prod --access-key AKIA… --secret-key-file /run/secrets/s3",
    store=True,
    answers=True,
    dry_run=True,
)
@click.option("--preset", metavar="NAME", help="The preset to begin with; a name that is a preset's means it.")
@click.option(
    "--place", "places", metavar="NAME=VALUE", multiple=True, help="What a template leaves open, as org=contoso."
)
@click.option("--no-test", is_flag=True, help="Save it without asking it anything.")
@click.option("--adopt", is_flag=True, help="Take over the options that the test proposes.")
@upstream_options
@click.argument("name")
@click.argument("url", required=False)
def upstream_add(
    context: Context,
    name: str,
    url: str | None,
    preset: str | None,
    places: tuple[str, ...],
    no_test: bool,
    adopt: bool,
    settings: tuple[str, ...],
    **flags: Any,
) -> Exit:
    """Connect a symbol server, a bucket, a folder or a converter, to be asked for what is missing.

    The connection is tested before it is saved: how it says no, whether case counts, what it has. Where the test finds
    that it cannot be used, nothing is saved. Secrets are never given themselves, but by where they lie.
    """
    from symsrv.mirror.presets import filled, presets

    options = given(flags, settings) | {"name": name}
    if url is not None:
        options["url"] = absolute(url)
    if preset is None and url is None and name in presets() and not options.get("kind"):
        preset = name
    if preset is not None:
        options["preset"] = preset
        made_of_it = filled(preset, places=_places(places), **options)
        if presets()[preset].placeholders:
            options["url"] = made_of_it.url
    elif places:
        raise click.UsageError("--place fills in what a preset leaves open: give --preset")
    return _saved(context, options, test=not no_test, adopt=adopt, create=True)


@verb(
    "upstream edit",
    example="symsrv upstream edit build --concurrency 8 --first-byte-timeout 10s\n"
    "symsrv upstream edit mozilla --unset concurrency",
    store=True,
    answers=True,
    dry_run=True,
)
@click.option("--url", metavar="URL", help="Where it is.")
@click.option("--unset", metavar="OPTION", multiple=True, help="Make an option its preset's or the default again.")
@click.option(
    "--test/--no-test", default=None, help="Test the connection first; else only where it is other than it was."
)
@click.option("--adopt", is_flag=True, help="Take over the options that the test proposes.")
@upstream_options
@click.argument("name")
def upstream_edit(
    context: Context,
    name: str,
    url: str | None,
    unset: tuple[str, ...],
    test: bool | None,
    adopt: bool,
    settings: tuple[str, ...],
    **flags: Any,
) -> Exit:
    """Change what is said of an upstream that was added.

    What the configuration file names is changed there. The connection is tested before it is saved if the change has to
    do with it: the URL, the layouts, the credentials, the proxy.
    """
    changes = given(flags, settings)
    if url is not None:
        changes["url"] = absolute(url)
    options = registry(context).edited(name, changes, unset=unset)
    touches = {"url", "kind", "layouts", "credentials", "proxy", "name_case", "id_case"}
    asked = bool(touches & (set(changes) | set(unset))) if test is None else test
    return _saved(context, options, test=asked, adopt=adopt, create=False)


def _saved(context: Context, given: dict[str, Any], *, test: bool, adopt: bool, create: bool) -> Exit:
    """Tests what is to be saved, and saves it if it can be used; answers how it is now."""
    from symsrv.mirror.registry import made, merged

    found = registry(context)
    options = made(given)
    if create:
        found.check_free(options.name)
    report = tested(context, options) if test and not context.dry_run else None
    if report is not None:
        tell(context, report)
        if not report.usable:
            context.answer(_record(options, report, saved=False), text=f"{options.name} was not saved; see --no-test")
            return Exit.FAILED
        if adopt and report.proposes:
            given = merged(given, report.proposes)
    if not context.dry_run:
        options = found.add(given) if create else found.change(given)
    saved = not context.dry_run
    done = ("added" if create else "changed") if saved else ("would be added" if create else "would be changed")
    context.answer(_record(options, report, saved=saved), text=f"{options.name} {done}: {place(options)}")
    return Exit.DONE


def _record(options: "UpstreamOptions", report: "Report | None", *, saved: bool) -> dict[str, Any]:
    return {
        "name": options.name,
        "url": place(options),
        "enabled": options.enabled,
        "saved": saved,
        "usable": report.usable if report is not None else None,
        "findings": [one.to_record() for one in report.findings] if report is not None else [],
        "proposes": report.proposes if report is not None else {},
    }


def _places(pairs: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise click.UsageError(f"--place {pair}: write NAME=VALUE")
        found[name] = value
    return found
