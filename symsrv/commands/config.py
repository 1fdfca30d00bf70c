"""`symsrv config`: checks the configuration and prints what is in effect."""

import json
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

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
    return doubts


def example_yaml() -> str:
    """The text of `config/symsrv.yaml`, made from the options themselves."""
    from symsrv.config import Config, WatchFolder
    from symsrv.mirror.settings import UpstreamOptions
    from symsrv.options import plain

    lines = [EXAMPLE_HEAD]
    defaults = Config()
    many: dict[str, Options] = {
        "watch": WatchFolder(path=Path("build/output")),
        "upstreams": UpstreamOptions(name="build", url="https://build.example/symbols"),
    }
    for name, field in Config.model_fields.items():
        lines.append(f"\n# {field.description}\n")
        if name in many:
            lines += [f"{name}: []\n", f"# {name}:\n"]
            first, second, *rest = "".join(_commented(many[name], "    ")).splitlines()
            lines += [f"# {line}\n" for line in (first, f"  - {second.lstrip()}", *rest)]
        elif part := _part(getattr(defaults, name)):
            lines += [f"{name}:\n", *_commented(part, "  ")]
        else:
            lines.append(_yaml({name: plain(defaults)[name]}))
    return "".join(lines)


def _part(value: object) -> "Options | None":
    from symsrv.options import Options

    return value if isinstance(value, Options) else None


def _commented(options: "Options", indent: str) -> list[str]:
    from symsrv.options import plain

    shown = plain(options)
    lines = []
    for name, field in type(options).model_fields.items():
        lines.append(f"{indent}# {field.description}\n")
        if part := _part(getattr(options, name)):
            lines += [f"{indent}{name}:\n", *_commented(part, indent + "  ")]
        else:
            lines.append(textwrap.indent(_yaml({name: shown[name]}), indent))
    return lines


def _yaml(data: dict[str, object]) -> str:
    import yaml

    return str(yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=1000))
