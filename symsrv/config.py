"""The configuration: what `symsrv.yaml` may say, where it is looked for, and what it means when it says nothing."""

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import platformdirs
import yaml
from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, field_validator

from symsrv.mirror.forms import form_named
from symsrv.mirror.presets import completed
from symsrv.mirror.settings import SPELLINGS, MirrorOptions, UpstreamOptions
from symsrv.model.errors import UsageError
from symsrv.options import (
    TIME,
    Duration,
    Location,
    Options,
    Size,
    anchored,
    masked,
    number_or_text,
    place_of,
    seconds_or,
)

FILE_NAME = "symsrv.yaml"
_SQLITE = "sqlite:///"

ENVIRONMENT = {
    "SYMSRV_STORE": "store",
    "SYMSRV_STATE": "state",
    "SYMSRV_INDEX": "index",
    "SYMSRV_DATABASE": "database",
    "SYMSRV_LISTEN": "listen",
}
"""Environment variables that go before the file, and the option each one sets."""


def host_and_port(listen: str) -> tuple[str, int]:
    """`127.0.0.1:8390` or `[::1]:8390`, taken apart; raises ValueError."""
    host, colon, port = listen.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if not colon or not port.isascii() or not port.isdecimal() or int(port) > 65535 or (":" in host and not bracketed):
        raise ValueError(f"{listen!r} is not HOST:PORT; write 127.0.0.1:8390, 0.0.0.0:80 or [::1]:8390")
    return host.strip("[]"), int(port)


def _listen(value: str) -> str:
    host_and_port(value)
    return value


def _version(value: str) -> str:
    if "{" in value or "}" in value:
        from symsrv.ingest.watch_version import check

        check(value)
    return value


Poll = Annotated[
    Literal["auto"] | Annotated[float, Field(gt=0, allow_inf_nan=False)],
    BeforeValidator(seconds_or("auto")),
    number_or_text(f"^(auto|{TIME})$"),
]
Listen = Annotated[str, AfterValidator(_listen)]
Version = Annotated[str, AfterValidator(_version)]


class LogOptions(Options):
    """What is logged, and how."""

    format: Literal["auto", "text", "json"] = Field(
        default="auto", description="How log lines look; auto is text on a terminal and JSON otherwise."
    )
    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least important line that serve, watch and up still log."
    )


class WatchFolder(Options):
    """A folder whose build output is published."""

    path: Path = Field(description="The folder; relative to this file.")
    product: str = Field(default="", description="The product that its transactions name.")
    version: Version = Field(
        default="",
        description="The version that its transactions name; {pe} (of the newest program), {file:NAME} (its first "
        "line), {git} (describe) and {date} are filled in.",
    )
    comment: str = Field(default="", description="The comment that its transactions carry.")
    tag: str | None = Field(default=None, description="The group that its transactions belong to.")
    include: tuple[str, ...] = Field(
        default=(), description="Globs of what is published; nothing here means everything."
    )
    exclude: tuple[str, ...] = Field(default=(), description="Globs of what is not published, even if included.")
    replace: bool = Field(
        default=False, description="Whether a file takes the place of somebody else's with the same id."
    )
    quiet: Duration = Field(default=5.0, description="How long a build must not have changed before it is published.")
    pair: Duration = Field(default=10.0, description="How long a program waits for the PDB that it names.")
    sweep: Duration = Field(
        default=30.0, description="How often the whole folder is looked through, whatever events say."
    )
    poll: Poll = Field(
        default="auto",
        description="How often it is looked through without listening to events; auto is 2s on network disks, and not "
        "at all elsewhere.",
    )
    ready_file: str | None = Field(
        default=None, description="A file whose appearance says that the build is finished, instead of the quiet time."
    )


class ServeOptions(Options):
    """How the HTTP front end works."""

    workers: int = Field(default=1, ge=1, le=256, description="How many processes answer requests.")
    io_threads: int = Field(
        default=32, ge=1, le=1024, description="How many requests may wait for a bucket or network disk."
    )
    cpu_threads: int = Field(default=2, ge=1, le=256, description="How many sections may be cut out of files at once.")
    record_misses: bool = Field(
        default=True, description="Whether what clients ask for and do not get is put on the missing list."
    )
    explain: Literal["reason", "full"] = Field(
        default="reason",
        description="What anybody may hear of a miss who accepts JSON: reason words alone, or with names, products, "
        "versions and servers; the missing list itself only in full.",
    )
    accept_dumps: bool = Field(
        default=False, description="Whether anybody may post crash dumps to /-/api/v1/dumps, to hear what they lack."
    )
    dump_limit: Size = Field(default=256 << 20, description="How large a posted dump may be, also when unpacked.")
    dump_timeout: Duration = Field(default=60.0, gt=0, description="How long a posted dump may take to come.")


class Config(Options):
    """Every option of symsrv."""

    store: str | None = Field(
        default=None,
        description="Where the symbols lie: a folder (relative to this file), s3://bucket/prefix or gs://bucket/prefix.",
    )
    state: Path | None = Field(
        default=None,
        description="The folder for what this machine knows about stores; null is the user's own state folder.",
    )
    index: str | None = Field(
        default=None,
        description="A database for the index that several machines share, as postgresql://user@host/database; "
        "null is a file in the state folder.",
    )
    database: str | None = Field(
        default=None,
        description="A database for what cannot be made again (wants, lists, upstreams), as "
        "postgresql://user@host/database or sqlite:///path; null is a file in the state folder.",
    )
    listen: Listen = Field(default="127.0.0.1:8390", description="The address and port that serve and up answer on.")
    lock_timeout: Duration = Field(
        default=60.0, description="How long a writer waits for another one before it gives up."
    )
    semaphore: bool = Field(
        default=False,
        description="Whether _lockfile.sem is held while writing, for other tools that write to the store.",
    )
    pointer_roots: tuple[Path, ...] = Field(
        default=(),
        description="The folders below which a file.ptr in the store may lead to a file that is served in its place; "
        "nothing here means that none is followed.",
    )
    log: LogOptions = Field(default=LogOptions(), description="What is logged, and how.")
    watch: tuple[WatchFolder, ...] = Field(default=(), description="The folders that watch and up publish from.")
    serve: ServeOptions = Field(default=ServeOptions(), description="How the HTTP front end works.")
    mirror: MirrorOptions = Field(default=MirrorOptions(), description="How what is missing is fetched from upstreams.")
    upstreams: tuple[UpstreamOptions, ...] = Field(
        default=(),
        description="The servers, buckets, folders and converters that are asked for what is missing; "
        "'symsrv upstream add' connects more.",
    )

    @field_validator("watch")
    @classmethod
    def _watched_once(cls, watch: tuple[WatchFolder, ...]) -> tuple[WatchFolder, ...]:
        for at, folder in enumerate(watch):
            if any(folder.path == other.path for other in watch[:at]):
                raise ValueError(f"{folder.path} is listed twice")
        return watch

    @field_validator("mirror")
    @classmethod
    def _told(cls, mirror: MirrorOptions) -> MirrorOptions:
        for one in mirror.tell:
            try:
                form_named(one.form)
            except UsageError as error:
                raise ValueError(f"{one.name}: {error}") from error
        return mirror

    @field_validator("upstreams")
    @classmethod
    def _usable(cls, upstreams: tuple[UpstreamOptions, ...]) -> tuple[UpstreamOptions, ...]:
        names = [one.name for one in upstreams]
        for at, one in enumerate(upstreams):
            if one.name in names[:at]:
                raise ValueError(f"{one.name} is listed twice")
            try:
                completed(one)
            except UsageError as error:
                raise ValueError(str(error)) from error
        return upstreams

    def override(self, **options: Any) -> Self:
        """This configuration with some options set anew (None: not given); raises UsageError.

        A mapping for a part (`serve={"workers": 4}`) changes what it names and leaves the rest of the part.
        """
        given = {key: value for key, value in options.items() if value is not None}
        if not given:
            return self
        current = {key: getattr(self, key) for key in self.model_fields_set}
        for key, value in given.items():
            part = getattr(self, key, None)
            if isinstance(part, Options) and isinstance(value, Mapping):
                given[key] = part.model_dump(exclude_unset=True) | dict(value)
        try:
            return type(self).model_validate(current | given)
        except ValidationError as error:
            raise UsageError(_mistakes(error)[0][1]) from error

    def state_folder(self) -> Path:
        """The state folder that is meant."""
        return self.state or Path(platformdirs.user_state_dir("symsrv", appauthor=False))

    def required_store(self) -> str:
        """The store that is meant; raises UsageError when none was named."""
        if self.store is None:
            raise UsageError("no store is named: give --store URL, set SYMSRV_STORE, or write 'store:' in symsrv.yaml")
        return self.store


def candidates() -> list[Path]:
    """Where the configuration is looked for, after `-c` and `$SYMSRV_CONFIG`; the first that exists is read."""
    user = Path(platformdirs.user_config_dir("symsrv", appauthor=False)) / FILE_NAME
    system = Path(platformdirs.site_config_dir("symsrv", appauthor=False)) / FILE_NAME
    return [Path(FILE_NAME), user, system]


def locate(named: Path | None = None) -> Path | None:
    """The configuration file to read, or None; raises UsageError when a named one is not there."""
    for origin, path in (("-c", named), ("SYMSRV_CONFIG", os.environ.get("SYMSRV_CONFIG"))):
        if path:
            if not Path(path).is_file():
                raise UsageError(f"{path} (named by {origin}) is not a file")
            return Path(path)
    return next((path for path in candidates() if path.is_file()), None)


def load(named: Path | None = None) -> Config:
    """Reads the configuration that `locate` finds, then lays the environment over it; raises UsageError."""
    path = locate(named)
    config = parse(path.read_bytes(), origin=path) if path else Config()
    for variable, option in ENVIRONMENT.items():
        if value := os.environ.get(variable):
            try:
                config = config.override(**{option: value})
            except UsageError as error:
                raise UsageError(f"${variable}: {error}") from error
    return config


def parse(text: bytes | str, *, origin: Path) -> Config:
    """The configuration that a YAML text means; relative folders are relative to `origin`. Raises UsageError."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        data = {} if root is None else yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{origin}:{mark.line + 1}" if mark else f"{origin}"
        raise UsageError(f"{where}: not YAML: {getattr(error, 'problem', None) or error}") from error
    if not isinstance(data, dict):
        raise UsageError(f"{origin}: a configuration is 'key: value' lines; see 'symsrv config --show'")
    _refuse_twins(root, origin)
    try:
        config = Config.model_validate(_anchored(data, origin.resolve().parent))
    except ValidationError as error:
        mistakes = (f"{origin}:{_line(root, place)}: {sentence}" for place, sentence in _mistakes(error))
        raise UsageError("; ".join(mistakes)) from error
    for option in ("index", "database"):
        url = getattr(config, option)
        if url and masked(url) != url:
            line = _line(root, (option,))
            mend = f"set SYMSRV_{option.upper()} to the whole URL, or PGPASSWORD, or use a password file"
            raise UsageError(f"{origin}:{line}: {option}: a password does not belong into the configuration; {mend}")
    return config


def _anchored(data: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Makes the file's relative paths absolute, also where a URL may stand in their place."""
    found: dict[str, Any] = anchored(Config, data, folder=folder)
    for part, key in ((found, "store"), *((one, "url") for one in _mappings(found.get("upstreams")))):
        if isinstance(part.get(key), str) and part[key] and "://" not in part[key]:
            part[key] = str(folder / Path(part[key]).expanduser())
    for key in ("index", "database"):
        path = str(found.get(key)).partition(_SQLITE)[2]
        if path and path != ":memory:":
            found[key] = _SQLITE + str(folder / Path(path).expanduser())
    return found


def _mappings(items: object) -> list[dict[str, Any]]:
    return [one for one in items if isinstance(one, dict)] if isinstance(items, list) else []


def _refuse_twins(node: Any, origin: Path) -> None:
    """Raises UsageError for a key written twice, of which YAML would silently drop the first."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                raise UsageError(f"{origin}:{key.start_mark.line + 1}: {key.value!r} is written twice")
            seen.add(key.value)
            _refuse_twins(value, origin)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _refuse_twins(item, origin)


def _line(node: Any, location: Location) -> int:
    """The line of the YAML where an option stands, or of the nearest part above it."""
    line = node.start_mark.line if node is not None else 0
    for step in location:
        if isinstance(node, yaml.MappingNode):
            spelled = ((SPELLINGS.get(key.value, key.value), key, value) for key, value in node.value)
            found = next(((key, value) for name, key, value in spelled if str(step) in (name, key.value)), None)
            if found is None:
                break
            line, node = found[0].start_mark.line, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = node.start_mark.line
    return int(line) + 1


def _mistakes(error: ValidationError) -> list[tuple[Location, str]]:
    """Where each mistake stands, and what it is, with what would mend it. What may be of several types is told once."""
    found: dict[tuple[Location, str], list[str]] = {}
    for one in error.errors():
        unknown = one["type"] == "extra_forbidden"
        place, known = place_of(Config, tuple(one["loc"]), unknown=unknown)
        name = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place).lstrip(".")
        if unknown:
            near = difflib.get_close_matches(str(place[-1]).lower().replace("-", "_"), known, n=1, cutoff=0.5)
            mend = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(known)}"
            found.setdefault((place, f"unknown key {name!r}; {mend}"), [])
        else:
            message = str(one["msg"]).removeprefix("Value error, ")
            sentences = found.setdefault((place, f"{name}: "), [])
            sentences += [f"{message[:1].lower()}{message[1:]}"]
    return [(place, said + ", or ".join(dict.fromkeys(messages))) for (place, said), messages in found.items()]
