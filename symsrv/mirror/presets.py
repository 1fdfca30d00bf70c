"""Presets: the public symbol servers, and templates for common ones, as data that was recorded from documents.

A preset is a YAML file in `presets/`, called by its file's name; they differ in data only. None of these servers was
contacted when they were written; `upstream test` tells how one is today.
"""

import difflib
import functools
import re
from collections.abc import Mapping
from datetime import date
from importlib.resources import files
from typing import Any, Literal

from pydantic import Field, ValidationError

from symsrv.mirror.settings import Pattern, UpstreamOptions
from symsrv.model.errors import UsageError
from symsrv.options import Options

_FOLDER = files("symsrv.mirror") / "presets"
_ENDING = ".yaml"
_PLACE = re.compile(r"<([a-z]+)>")
_PLAIN_HTTP = "plain http: anybody on the way could put another file in its place"


class Preset(Options):
    """What is known of a server. `options` are those of an upstream made from it, `placeholders` what to fill in."""

    title: str = Field(description="Whose it is, and what of.")
    group: Literal["vendor", "distribution", "template"] = Field(description="What kind of server it is.")
    licence: str = Field(description="What may be done with its files.")
    options: dict[str, Any] = Field(description="Options of an upstream.")
    no_probe: str = Field(default="", description="Why no path is known that it has.")
    placeholders: dict[str, str] = Field(default_factory=dict, description="What in the URL has to be filled in.")
    allow: tuple[str, ...] = Field(description="Globs of what it may be asked for.")
    quirks: tuple[str, ...] = Field(description="What is particular about it.")
    recorded_from: tuple[str, ...] = Field(min_length=1, description="The documents that say so.")
    recorded: date = Field(description="When they were read.")
    contacted: bool = Field(description="Whether the server itself was asked.")

    @property
    def url(self) -> str:
        """Where it is, with placeholders in angle brackets."""
        return str(self.options["url"])


def presets() -> Mapping[str, Preset]:
    """Every preset by name, in order of names."""
    return {name: _read(name) for name in _names()}


def preset(name: str) -> Preset:
    """The preset of this name. Raises UsageError, with those that there are, if there is none."""
    if name not in _names():
        near = difflib.get_close_matches(name, _names(), n=1)
        mend = f"did you mean {near[0]}?" if near else f"there are {', '.join(_names())}"
        raise UsageError(f"there is no preset {name}; {mend}")
    return _read(name)


@functools.cache
def _names() -> tuple[str, ...]:
    found = (one.name for one in _FOLDER.iterdir())
    return tuple(sorted(name.removesuffix(_ENDING) for name in found if name.endswith(_ENDING)))


@functools.cache
def _read(name: str) -> Preset:
    import yaml

    return Preset(**yaml.safe_load((_FOLDER / f"{name}{_ENDING}").read_text("utf-8")))


def filled(name: str, /, *, places: Mapping[str, str] | None = None, **more: Any) -> UpstreamOptions:
    """Options made from a preset, with its placeholders filled in and `more` laid over it. Raises UsageError."""
    found, places = preset(name), places or {}
    unknown = set(places) - set(found.placeholders)
    if unknown:
        known = ", ".join(found.placeholders) or "none"
        raise UsageError(f"the preset {name} has no placeholder {min(unknown)}; it has {known}")
    options = {"name": name, "preset": name, "note": _note(found), "allow": _allowed(found)} | found.options | more
    options["url"] = _PLACE.sub(lambda match: places.get(match[1], match[0]), str(options["url"]))
    left = _PLACE.search(options["url"])
    if left:
        what = found.placeholders.get(left[1], "")
        raise UsageError(f"the preset {name} needs {left[1]}, {what}: give --place {left[1]}=…, or the whole url")
    try:
        return UpstreamOptions(**options)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"{where}: {first['msg'].removeprefix('Value error, ')}") from error


def completed(options: UpstreamOptions) -> UpstreamOptions:
    """The options with what they leave open taken from their preset, if they name one. Raises UsageError."""
    if options.preset is None:
        return options
    given = {name: getattr(options, name) for name in options.model_fields_set if name != "preset"}
    return filled(options.preset, **given)


def _allowed(found: Preset) -> tuple[Pattern, ...]:
    return tuple(Pattern(name=name, reason=f"common: {found.title}") for name in found.allow)


def _note(found: Preset) -> str:
    plain = f" {_PLAIN_HTTP}" if found.url.startswith("http://") and "127.0.0.1" not in found.url else ""
    return found.licence + plain
