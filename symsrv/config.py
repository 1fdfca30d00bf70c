"""The configuration: what `symsrv.yaml` may say, where it is looked for, and what it means when it says nothing."""

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

import platformdirs
import yaml
from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, field_validator

from symsrv.mirror.presets import completed
from symsrv.mirror.settings import MirrorOptions, UpstreamOptions
from symsrv.model.errors import SymsrvError, UsageError
from symsrv.options import TIME, Duration, Options, masked, number_or_text, seconds

FILE_NAME = "symsrv.yaml"
_FILES = ("file", "ca_bundle", "client_cert", "client_key", "service_account")

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


def _poll(value: object) -> object:
    if value == "auto":
        return value
    try:
        return seconds(value)
    except ValueError as error:
        raise ValueError(f"{error}, or auto") from error


Poll = Annotated[
    Literal["auto"] | Annotated[float, Field(gt=0, allow_inf_nan=False)],
    BeforeValidator(_poll),
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
    mirror: MirrorOptions = Field(default=MirrorOptions(), description="How what is missing is fetched.")
    upstreams: tuple[UpstreamOptions, ...] = Field(
        default=(),
        description="The servers, buckets, folders and converters that are asked for what is missing; "
        "'symsrv upstream add' connects others.",
    )

    @field_validator("watch")
    @classmethod
    def _watched_once(cls, watch: tuple[WatchFolder, ...]) -> tuple[WatchFolder, ...]:
        for at, folder in enumerate(watch):
            if any(folder.path == other.path for other in watch[:at]):
                raise ValueError(f"{folder.path} is listed twice")
        return watch

    @field_validator("upstreams")
    @classmethod
    def _usable(cls, upstreams: tuple[UpstreamOptions, ...]) -> tuple[UpstreamOptions, ...]:
        names = [one.name for one in upstreams]
        for at, one in enumerate(upstreams):
            if one.name in names[:at]:
                raise ValueError(f"{one.name} is listed twice")
            try:
                completed(one)
            except SymsrvError as error:
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
            raise UsageError(_sentence(error.errors()[0])) from error

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
        mistakes = [f"{origin}:{_line(root, one['loc'])}: {_sentence(one)}" for one in error.errors()]
        raise UsageError("; ".join(mistakes)) from error
    for option in ("index", "database"):
        url = getattr(config, option)
        if url and masked(url) != url:
            line = _line(root, (option,))
            mend = f"set SYMSRV_{option.upper()} to the whole URL, or PGPASSWORD, or use a password file"
            raise UsageError(f"{origin}:{line}: {option}: a password does not belong into the configuration; {mend}")
    return config


def _anchored(data: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Makes the file's relative folders absolute, so that it means the same from wherever it is read."""
    anchored = dict(data)
    for key in ("store", "state"):
        if isinstance(anchored.get(key), str) and "://" not in anchored[key]:
            anchored[key] = str(folder / Path(anchored[key]).expanduser())
    if isinstance(anchored.get("pointer_roots"), list):
        anchored["pointer_roots"] = [
            str(folder / Path(item).expanduser()) if isinstance(item, str) else item
            for item in anchored["pointer_roots"]
        ]
    if isinstance(anchored.get("watch"), list):
        anchored["watch"] = [_below(item, folder, ("path",)) for item in anchored["watch"]]
    if isinstance(anchored.get("upstreams"), list):
        anchored["upstreams"] = [_anchored_upstream(item, folder) for item in anchored["upstreams"]]
    if isinstance(anchored.get("mirror"), dict):
        anchored["mirror"] = _secrets_below(anchored["mirror"], folder)
    return anchored


def _anchored_upstream(item: Any, folder: Path) -> Any:
    found = _secrets_below(item, folder)
    is_folder = isinstance(found, dict) and isinstance(found.get("url"), str) and "://" not in found["url"]
    return _below(found, folder, ("url",)) if is_folder and found["url"] else found


def _secrets_below(value: Any, folder: Path) -> Any:
    """The same with every file of a secret or a certificate made absolute, however deep."""
    if isinstance(value, dict):
        inner = {name: _secrets_below(part, folder) for name, part in value.items()}
        return _below(inner, folder, _FILES)
    return [_secrets_below(item, folder) for item in value] if isinstance(value, list) else value


def _below(item: Any, folder: Path, names: tuple[str, ...]) -> Any:
    if not isinstance(item, dict):
        return item
    paths = {name: str(folder / Path(item[name]).expanduser()) for name in names if isinstance(item.get(name), str)}
    return {**item, **paths}


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


def _line(node: Any, location: tuple[int | str, ...]) -> int:
    """The line of the YAML where an option stands, or of the nearest part above it."""
    line = node.start_mark.line if node is not None else 0
    for step in location:
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == str(step)), None)
            if found is None:
                break
            line, node = found[0].start_mark.line, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = node.start_mark.line
    return int(line) + 1


def _sentence(error: Mapping[str, Any]) -> str:
    """What is wrong with an option, and what would mend it."""
    location = tuple(error["loc"])
    name = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location).lstrip(".")
    if error["type"] == "extra_forbidden":
        known = _known_keys(location)
        near = difflib.get_close_matches(str(location[-1]).lower().replace("-", "_"), known, n=1, cutoff=0.5)
        mend = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(known)}"
        return f"unknown key {name!r}; {mend}"
    message = str(error["msg"]).removeprefix("Value error, ")
    return f"{name}: {message[:1].lower()}{message[1:]}"


def _known_keys(location: tuple[int | str, ...]) -> list[str]:
    model: type[Options] = Config
    for step in location[:-1]:
        if isinstance(step, str) and step in model.model_fields:
            model = _part(model.model_fields[step].annotation) or model
    return list(model.model_fields)


def _part(annotation: Any) -> type[Options] | None:
    """The kind of part that an option is, or that it is many of."""
    if isinstance(annotation, type) and issubclass(annotation, Options):
        return annotation
    return next((found for one in get_args(annotation) if (found := _part(one)) is not None), None)
