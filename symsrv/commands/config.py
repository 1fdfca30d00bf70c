"""`symsrv config`: checks the configuration and prints what is in effect."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, get_origin

import click

from symsrv.commands.base import Context, verb
from symsrv.model.errors import UsageError

if TYPE_CHECKING:
    from symsrv.config import Config
    from symsrv.options import Options

EXAMPLE_HEAD = """\
# symsrv.yaml: every option with its default; a file needs only what differs. Found by -c, $SYMSRV_CONFIG, in the
# working folder, in the user's and in the system's configuration folder. Durations: 30s, 5m, 1h30m, 500ms. Secrets
# do not belong here: they come from the environment. 'symsrv config --check' finds mistakes, --schema is for editors.
"""


@verb("config", example="symsrv config --check -c symsrv.yaml\nsymsrv config --example > symsrv.yaml", answers=True)
@click.option("--check", is_flag=True, help="Only say whether the configuration is right.")
@click.option("--schema", is_flag=True, help="Print a JSON schema, for editors.")
@click.option("--example", is_flag=True, help="Print a file with every option, its default and what it is for.")
@click.option("--show", is_flag=True, help="Print the effective configuration as YAML (the default).")
def config(context: Context, check: bool, schema: bool, example: bool, show: bool) -> None:
    """Check the configuration, and print what is in effect, secrets masked.

    It comes from -c FILE, or $SYMSRV_CONFIG, or the first symsrv.yaml in the working folder, the user's and the
    system's configuration folder. $SYMSRV_STORE, $SYMSRV_STATE, $SYMSRV_INDEX, $SYMSRV_DATABASE and
    $SYMSRV_LISTEN go before the file.
    """
    from symsrv.config import Config, locate
    from symsrv.options import plain

    if check + schema + example + show > 1:
        raise UsageError("--check, --schema, --example and --show exclude each other")
    if schema:
        dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
        click.echo(json.dumps(dialect | Config.model_json_schema(), indent=2, ensure_ascii=False))
        return
    if example:
        click.echo(example_yaml(), nl=False)
        return
    found = locate(context.config_file)
    if check:
        where = str(found) if found else "no file, only defaults and the environment"
        doubts = _doubts(context.config)
        for doubt in doubts:
            context.warn(doubt)
        record: dict[str, object] = {"file": str(found) if found else None, "ok": True}
        context.answer(record | ({"warnings": doubts} if doubts else {}), text=f"{where}: ok")
        return
    context.say(f"read from {found}" if found else "read from no file")
    if context.json:
        context.answer(plain(context.config))
    else:
        click.echo(_yaml(plain(context.config)), nl=False)


def _doubts(config: "Config") -> list[str]:
    """What is no mistake and may be meant, but most likely is not."""
    doubts = [
        f"watch: {folder.path} is not a folder; it is waited for" for folder in config.watch if not folder.path.is_dir()
    ]
    if config.watch and config.store is None:
        doubts.append("watch: there are folders to publish from, and no store to publish to; set 'store:'")
    if config.upstreams and config.store is None:
        doubts.append("upstreams: there are upstreams to fetch from, and no store to publish to; set 'store:'")
    if config.mirror.fetch_through and not config.mirror.fetch_through_allow:
        doubts.append("mirror: fetch_through is on, and fetch_through_allow names nothing that may be fetched so")
    return doubts + [f"{place}: {error}" for place, error in _lost_secrets(config, "")]


def _lost_secrets(value: object, place: str) -> Iterator[tuple[str, UsageError]]:
    """Secrets that do not lie where they should, and where they are named."""
    from symsrv.options import Options, Secret

    if isinstance(value, Secret):
        try:
            value.value()
        except UsageError as error:
            yield place.lstrip("."), error
    elif isinstance(value, Options):
        for name in type(value).model_fields:
            yield from _lost_secrets(getattr(value, name), f"{place}.{name}")
    elif isinstance(value, Mapping):
        for name, one in value.items():
            yield from _lost_secrets(one, f"{place}.{name}")
    elif isinstance(value, tuple):
        for at, one in enumerate(value):
            yield from _lost_secrets(one, f"{place}[{at}]")


def example_yaml() -> str:
    """The text of `config/symsrv.yaml`, made from the options themselves."""
    from symsrv.config import Config

    return EXAMPLE_HEAD + "".join(f"\n{part}" for part in _shown(Config(), ""))


def _shown(options: "Options", indent: str) -> Iterator[str]:
    """Each option with what it is for. A part that is not there by default stands behind it, commented out."""
    from symsrv.options import Options, plain

    values = plain(options)
    for name, field in type(options).model_fields.items():
        value = getattr(options, name)
        head = f"{indent}# {field.description}\n"
        if isinstance(value, Options):
            yield f"{head}{indent}{name}:\n" + "".join(_shown(value, f"{indent}  "))
            continue
        line = _yaml({name: values[name]}, short=bool(values[name]) and isinstance(values[name], list | dict))
        yield f"{head}{indent}{line}" + _commented(name, field.annotation, indent=indent)


def _commented(name: str, annotation: object, *, indent: str) -> str:
    from symsrv.options import part_of

    example = _examples().get(part_of(annotation))
    if example is None:
        return ""
    many = isinstance(annotation, type) or get_origin(annotation) is tuple
    block = "".join(_shown(example, "    " if many else "  "))
    if many:
        first = f"    {next(iter(type(example).model_fields))}:"
        block = block.replace(first, first.replace("    ", "  - ", 1), 1)
    return "".join(f"{indent}# {line}\n" for line in f"{name}:\n{block}".splitlines())


def _examples() -> "dict[type[Options] | None, Options]":
    """One of each part of which there may be none or many."""
    from symsrv.config import WatchFolder
    from symsrv.mirror.settings import Pattern, TailOptions, TellOptions, UpstreamOptions

    examples = (
        WatchFolder(path=Path("build/output")),
        UpstreamOptions(name="build", url="https://build.example/symbols"),
        TellOptions(name="ci", url="https://ci.example/hook"),
        Pattern(name="nt*.pdb"),
        TailOptions(),
    )
    return {type(one): one for one in examples}


def _yaml(data: dict[str, object], *, short: bool = False) -> str:
    import yaml

    flow = None if short else False  # None writes lists of plain values on one line
    return str(yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=1000, default_flow_style=flow))
