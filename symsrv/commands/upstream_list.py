"""`symsrv upstream list`, `show` and `presets`: what is connected, and what could be."""

from typing import TYPE_CHECKING, Any

import click

from symsrv.commands.base import Context, verb
from symsrv.commands.upstreaming import record, registry, table
from symsrv.model.errors import Exit

if TYPE_CHECKING:
    from symsrv.mirror.presets import Preset


@verb("upstream list", example="symsrv upstream list --store ./symbols", store=True, answers=True)
def upstream_list(context: Context) -> Exit:
    """List the upstreams in the order in which they are asked."""
    found = [record(one) for one in registry(context).all()]
    if context.json:
        for one in found:
            context.answer(one)
    elif found:
        title = ("name", "kind", "state", "order", "from", "url")
        rows = [
            (one["name"], one["kind"] or "", _state(one), str(one["order"]), one["source"], one["url"]) for one in found
        ]
        context.answer({}, text=table(title, rows))
    else:
        context.say(
            "no upstream is connected; 'symsrv upstream presets' lists public ones, 'symsrv upstream add' adds one"
        )
    return Exit.DONE


@verb("upstream show", example="symsrv upstream show mozilla", store=True, answers=True)
@click.argument("name")
def upstream_show(context: Context, name: str) -> Exit:
    """Show all options of an upstream, its preset's and the defaults among them."""
    from symsrv.options import plain

    found = registry(context).get(name)
    if context.json:
        options = found.options.model_dump(mode="json")
        context.answer(record(found) | {"options": options | {"url": record(found)["url"]}})
    else:
        shown = plain(found.options) | {"url": record(found)["url"]}
        context.answer({}, text=f"# {found.source}\n{_as_yaml(shown)}")
    return Exit.DONE


@verb(
    "upstream presets",
    example="symsrv upstream presets\nsymsrv upstream presets mozilla",
    answers=True,
    configured=False,
)
@click.option("--group", type=click.Choice(("vendor", "distribution", "template")), help="Only those of one kind.")
@click.argument("name", required=False)
def upstream_presets(context: Context, name: str | None, group: str | None) -> Exit:
    """List the public servers that symsrv knows of, and templates for others; with a NAME, all that is known of one.

    Recorded from documents, as each says; none of them was contacted. None is asked before it is added.
    """
    from symsrv.mirror.presets import preset, presets

    if name is not None:
        found = preset(name)
        context.answer(_known(name, found), text=_as_yaml({"name": name} | found.model_dump(mode="json")))
        return Exit.DONE
    chosen = {one: found for one, found in presets().items() if group in (None, found.group)}
    if context.json:
        for one, found in chosen.items():
            context.answer(_known(one, found))
    else:
        rows = [(one, found.group, _public(found), found.url, found.title) for one, found in chosen.items()]
        context.answer({}, text=table(("name", "group", "for anybody", "url", "what"), rows))
    return Exit.DONE


def _state(one: dict[str, Any]) -> str:
    if one["fault"]:
        return "broken"
    if one["hidden"]:
        return "hidden"
    return "on" if one["enabled"] else "off"


def _public(found: "Preset") -> str:
    return "yes" if found.options["public"] else "no"


def _known(name: str, found: "Preset") -> dict[str, Any]:
    return {"name": name, "url": found.url} | found.model_dump(mode="json")


def _as_yaml(record: dict[str, Any]) -> str:
    import yaml

    return str(yaml.safe_dump(record, sort_keys=False, allow_unicode=True, width=100)).rstrip()
