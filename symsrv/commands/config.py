"""`symsrv config`: checks the configuration and prints what is in effect."""

import json
from typing import Any

import click

from symsrv.commands.base import Context, verb
from symsrv.model.errors import UsageError


@verb("config", example="symsrv config --check -c symsrv.yaml", answers=True, configured=True)
@click.option("--check", is_flag=True, help="Only say whether the configuration is right.")
@click.option("--schema", is_flag=True, help="Print a JSON schema, for editors.")
@click.option("--show", is_flag=True, help="Print the effective configuration as YAML (the default).")
def config(context: Context, check: bool, schema: bool, show: bool) -> None:
    """Check the configuration, and print what is in effect, secrets masked.

    Where it comes from: -c FILE, or $SYMSRV_CONFIG, or the first symsrv.yaml in the working folder, the user's and
    the system's configuration folder; $SYMSRV_STORE, _STATE, _INDEX and _LISTEN go before the file.
    """
    if check + schema + show > 1:
        raise UsageError("--check, --schema and --show exclude each other")
    if schema:
        from symsrv.config import Config

        click.echo(json.dumps(Config.model_json_schema(), indent=2, ensure_ascii=False))
        return
    from symsrv.config import locate

    found = locate(context.config_file)
    origin = str(found) if found else None
    if check:
        context.answer({"file": origin, "ok": True}, text=f"{origin or 'no file, defaults only'}: ok")
        return
    context.say(f"read from {origin or 'no file: these are the defaults'}")
    effective = _shown(context.config.model_dump(mode="json"))
    if context.json:
        context.answer(effective)
    else:
        import yaml

        click.echo(yaml.safe_dump(effective, sort_keys=False, allow_unicode=True), nl=False)


def _shown(effective: dict[str, Any]) -> dict[str, Any]:
    from symsrv.config import masked

    return {key: masked(value) if key in ("store", "index") and value else value for key, value in effective.items()}
