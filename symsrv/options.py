"""What options are made of: durations, sizes, secrets that lie elsewhere, parts that are strict about their keys."""

import os
import re
from collections.abc import Callable, Iterable
from functools import partial, wraps
from inspect import unwrap
from pathlib import Path
from typing import Annotated, Any, Self, get_args, get_origin
from urllib.parse import urlsplit, urlunsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from symsrv.model.errors import UsageError

Location = tuple[int | str, ...]

_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
_BYTES = {"": 1, "B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_BYTES |= {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}


def seconds(value: object) -> object:
    """`30s`, `1h30m`, `500ms` or a number as seconds; other types are left to the model to refuse."""
    if not isinstance(value, str):
        return value
    parts = re.findall(r"(\d+(?:\.\d+)?)\s*(ms|min|[smhd])", value)
    if not parts or "".join(number + unit for number, unit in parts) != "".join(value.split()):
        raise ValueError(f"{value!r} is not a duration; write 30s, 5m, 1h30m or 500ms")
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)


def size(value: object) -> object:
    """`2GiB`, `64KiB`, `10MB` or a number as bytes; other types are left to the model to refuse."""
    if not isinstance(value, str):
        return value
    units = {unit.lower(): factor for unit, factor in _BYTES.items()}
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", value.strip().lower())
    if not match or match[2] not in units:
        raise ValueError(f"{value!r} is not a size; write 2GiB, 64KiB or 10MB")
    return int(float(match[1]) * units[match[2]])


def seconds_or(word: str) -> Callable[[object], object]:
    """As `seconds`, and one word besides."""

    @wraps(seconds)
    def read(value: object) -> object:
        try:
            return value if value == word else seconds(value)
        except ValueError as error:
            raise ValueError(f"{error}, or {word}") from error

    return read


def masked(url: str) -> str:
    """A URL that may be shown: a password in it becomes stars."""
    parts = urlsplit(url) if "://" in url else None
    if parts is None or parts.password is None:
        return url
    user = f"{parts.username}:***@" if parts.username else "***@"
    return urlunsplit(parts._replace(netloc=user + parts.netloc.rpartition("@")[2]))


def unsigned(url: str) -> str:
    """The same of an address whose query may be a signature: of a web address only the path is shown."""
    parts = urlsplit(masked(url)) if url.startswith(("http://", "https://")) else None
    return masked(url) if parts is None or not parts.query else urlunsplit(parts._replace(query="***"))


def plain(options: "Options") -> dict[str, Any]:
    """The options as a YAML file would write them: durations with their unit, secrets masked."""
    fields = type(options).model_fields
    return {
        name: _plain(getattr(options, name), unit=_unit(field.annotation, field.metadata))
        for name, field in fields.items()
    }


def _unit(annotation: Any, metadata: Iterable[Any]) -> object:
    """What a number of this type is read with, `seconds` or `size`; None for a plain one."""
    for one in metadata:
        if isinstance(one, BeforeValidator) and (unit := unwrap(one.func)) in (seconds, size):
            return unit
    found = (_unit(part, getattr(part, "__metadata__", ())) for part in get_args(annotation))
    return next((unit for unit in found if unit is not None), None)


def _timed(value: float) -> str:
    for letter, length in (("d", 86400), ("h", 3600)):
        if value >= length and value % length == 0:
            return f"{value / length:.15g}{letter}"
    return f"{value:.15g}s" if value >= 1 or not value else f"{value * 1000:.12g}ms"


def _sized(value: int) -> int | str:
    for unit in ("TiB", "GiB", "MiB", "KiB"):
        if value and value % _BYTES[unit] == 0:
            return f"{value // _BYTES[unit]}{unit}"
    return value


def _plain(value: Any, *, unit: Any = None) -> Any:
    if isinstance(value, Options):
        return plain(value)
    if isinstance(value, tuple):
        return [_plain(item, unit=unit) for item in value]
    if isinstance(value, dict):
        return {name: _plain(item, unit=unit) for name, item in value.items()}
    if isinstance(value, float) and unit is seconds:
        return _timed(value)
    if isinstance(value, int) and unit is size:
        return _sized(value)
    if isinstance(value, str):
        return unsigned(value)
    return str(value) if isinstance(value, Path) else value


def number_or_text(pattern: str, kind: str = "number") -> WithJsonSchema:
    """What an editor is told of a number that may be written with its unit."""
    return WithJsonSchema({"anyOf": [{"type": kind, "minimum": 0}, {"type": "string", "pattern": pattern}]})


TIME = r"(\s*\d+(\.\d+)?\s*(ms|min|[smhd]))+\s*"

Duration = Annotated[float, BeforeValidator(seconds), Field(ge=0, allow_inf_nan=False), number_or_text(f"^{TIME}$")]
Size = Annotated[
    int, BeforeValidator(size), Field(ge=0), number_or_text(r"^\s*\d+(\.\d+)?\s*([kKmMgGtT]?[iI]?[bB])?\s*$", "integer")
]


class Options(BaseModel):
    """What every part of the configuration has in common: frozen, strict about keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


def part_of(annotation: Any) -> type[Options] | None:
    """The part that an option of this type has, or has several of; None for a plain value."""
    if isinstance(annotation, type) and issubclass(annotation, Options):
        return annotation
    found = (part_of(one) for one in get_args(annotation)) if get_origin(annotation) is not dict else ()
    return next((one for one in found if one is not None), None)


def place_of(model: type[Options], location: Location, *, unknown: bool = False) -> tuple[Location, list[str]]:
    """Where a mistake stands, without the names of types that pydantic adds to it, and the keys that are known there.

    `unknown`: the last step is a key that there is not.
    """
    annotation: Any = model
    place: list[int | str] = []
    for at, step in enumerate(location):
        part = part_of(annotation)
        if isinstance(step, int) or (unknown and at == len(location) - 1):
            place.append(step)
        elif part is not None and step in part.model_fields:
            place.append(step)
            annotation = part.model_fields[step].annotation
        elif get_origin(annotation) is dict:
            place.append(step)
            annotation = get_args(annotation)[1]
    part = part_of(annotation)
    return tuple(place), [] if part is None else list(part.model_fields)


def anchored(model: type[Options], data: Any, *, folder: Path) -> Any:
    """What a file says, with its relative paths made absolute: it means the same from wherever it is read."""
    if not isinstance(data, dict):
        return data
    found = dict(data)
    for name, field in model.model_fields.items():
        if name not in data:
            continue
        by_name = get_origin(field.annotation) is dict
        part = part_of(get_args(field.annotation)[1] if by_name else field.annotation)
        if part is not None and by_name and isinstance(data[name], dict):
            found[name] = {key: anchored(part, value, folder=folder) for key, value in data[name].items()}
        elif part is not None:
            found[name] = _each(data[name], partial(anchored, part, folder=folder))
        elif Path in (field.annotation, *get_args(field.annotation)):
            found[name] = _each(data[name], partial(_anchored, folder=folder))
    return found


def _each(value: Any, change: Callable[[Any], Any]) -> Any:
    return [change(one) for one in value] if isinstance(value, list) else change(value)


def _anchored(value: Any, *, folder: Path) -> Any:
    return str(folder / Path(value).expanduser()) if isinstance(value, str) else value


class Secret(Options):
    """Where a secret lies; it is never written down itself, neither in YAML nor in a database."""

    env: str | None = Field(default=None, description="The environment variable that has it.")
    file: Path | None = Field(default=None, description="The file whose first line it is.")

    @model_validator(mode="before")
    @classmethod
    def _not_itself(cls, data: object) -> object:
        if isinstance(data, str):
            raise ValueError("a secret is not written down here; write {env: NAME} or {file: PATH}")
        return data

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.env is None) == (self.file is None):
            raise ValueError("a secret lies in one place: write {env: NAME} or {file: PATH}")
        return self

    def value(self) -> str:
        """The secret itself; raises UsageError where it cannot be had. Not for logs."""
        if self.env is not None:
            found = os.environ.get(self.env)
            if not found:
                raise UsageError(f"the environment variable {self.env}, which has a secret, is not set")
            return found
        try:
            return Path(str(self.file)).read_text(encoding="utf-8").split("\n", 1)[0].strip()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{self.file}, which has a secret, cannot be read: {error}") from error
