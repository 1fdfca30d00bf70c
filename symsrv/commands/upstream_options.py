"""The options of `symsrv upstream add` and `edit`: what can be said of an upstream, as flags."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from symsrv.model.errors import UsageError

_Function = TypeVar("_Function", bound=Callable[..., Any])
_SECRET_HEADERS = ("authorization", "proxy-authorization", "cookie")


@dataclass(frozen=True, slots=True)
class Flag:
    """A flag, and the option that it sets: `credentials.user` is `user` in the part `credentials`."""

    name: str
    option: str
    help: str
    metavar: str | None = None
    kind: Any = str
    many: bool = False
    made: Callable[[Any], Any] | None = None

    @property
    def parameter(self) -> str:
        """What click calls it."""
        return self.name.partition("/")[0].lstrip("-").replace("-", "_")

    def decorator(self) -> Callable[[_Function], _Function]:
        """The flag as click has it."""
        if "/" in self.name:
            return click.option(self.name, self.parameter, default=None, help=self.help)
        kind = self.kind if not self.many else str
        return click.option(
            self.name, self.parameter, metavar=self.metavar, type=kind, multiple=self.many, default=None, help=self.help
        )


def _env(name: str) -> dict[str, str]:
    return {"env": name}


def _file(path: str) -> dict[str, str]:
    return {"file": str(Path(path).expanduser().absolute())}


def _path(path: str) -> str:
    return str(Path(path).expanduser().absolute())


def _patterns(names: tuple[str, ...]) -> list[dict[str, str]]:
    return [{"name": name} for name in names]


def _headers(pairs: tuple[str, ...]) -> dict[str, str]:
    found = dict(_pair(pair, "--header") for pair in pairs)
    for name in found:
        if name.lower() in _SECRET_HEADERS:
            raise UsageError(f"the header {name} is a secret: give --header-env {name}=VARIABLE or --header-file")
    return found


def _env_headers(pairs: tuple[str, ...]) -> dict[str, dict[str, str]]:
    return {name: _env(value) for name, value in (_pair(pair, "--header-env") for pair in pairs)}


def _file_headers(pairs: tuple[str, ...]) -> dict[str, dict[str, str]]:
    return {name: _file(value) for name, value in (_pair(pair, "--header-file") for pair in pairs)}


def _pair(text: str, flag: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise UsageError(f"{flag} {text}: write NAME=VALUE")
    return name, value


def _secret(flag: str, option: str, what: str) -> tuple[Flag, Flag]:
    return (
        Flag(f"--{flag}-env", option, f"The environment variable that has {what}.", "NAME", made=_env),
        Flag(f"--{flag}-file", option, f"The file whose first line is {what}.", "PATH", made=_file),
    )


_CASE = click.Choice(("as-is", "lower", "upper"))

FLAGS: tuple[Flag, ...] = (
    Flag("--kind", "kind", "http, bucket, folder or convert; the URL says it otherwise.", "KIND"),
    Flag("--layout", "layouts", "How its paths are made, best first; may be given several times.", "NAME", many=True),
    Flag("--name-case", "name_case", "The case of names in its paths.", kind=_CASE),
    Flag("--id-case", "id_case", "The case of ids in its paths.", kind=_CASE),
    Flag("--packed/--no-packed", "packed", "Whether foo.pd_ is asked for where foo.pdb is not."),
    Flag("--pointers/--no-pointers", "pointers", "Whether file.ptr is asked for, and followed below the URL."),
    Flag("--user", "credentials.user", "The user of Basic authentication; it may be empty.", "NAME"),
    *_secret("password", "credentials.password", "its password"),
    *_secret("token", "credentials.token", "a token, sent as a Bearer"),
    Flag(
        "--header",
        "credentials.headers",
        "A header that every request carries.",
        "NAME=VALUE",
        many=True,
        made=_headers,
    ),
    Flag(
        "--header-env",
        "credentials.headers",
        "One whose value is in the environment.",
        "NAME=VARIABLE",
        many=True,
        made=_env_headers,
    ),
    Flag(
        "--header-file",
        "credentials.headers",
        "One whose value is in a file.",
        "NAME=PATH",
        many=True,
        made=_file_headers,
    ),
    Flag("--access-key", "credentials.access_key", "The key of an S3 bucket; '' asks unsigned.", "KEY"),
    *_secret("secret-key", "credentials.secret_key", "its secret"),
    Flag("--role", "credentials.role", "The role to take on for an S3 bucket.", "ARN"),
    Flag("--region", "credentials.region", "The region of an S3 bucket.", "NAME"),
    Flag("--endpoint", "credentials.endpoint", "Where a bucket is that is not Amazon's or Google's.", "URL"),
    Flag(
        "--service-account",
        "credentials.service_account",
        "The key file of a Google service account.",
        "PATH",
        made=_path,
    ),
    Flag(
        "--ca-bundle",
        "credentials.ca_bundle",
        "A file of certificates to trust besides the system's.",
        "PATH",
        made=_path,
    ),
    Flag(
        "--client-cert",
        "credentials.client_cert",
        "Our own certificate, with its key if both are there.",
        "PATH",
        made=_path,
    ),
    Flag("--client-key", "credentials.client_key", "The key of our own certificate.", "PATH", made=_path),
    Flag("--proxy", "proxy.url", "http://host:port or socks5h://host:port; '' is none.", "URL"),
    Flag("--proxy-user", "proxy.user", "The proxy's user.", "NAME"),
    *_secret("proxy-password", "proxy.password", "the proxy's password"),
    Flag("--no-proxy", "proxy.except_for", "A host that is reached without it, as in $NO_PROXY.", "HOST", many=True),
    Flag("--concurrency", "concurrency", "How many files are downloaded from it at once.", "N", kind=int),
    Flag("--tries", "tries", "How often a request is made that fails and may go later.", "N", kind=int),
    Flag("--pause", "pause", "How long before the second try, as 1s.", "TIME"),
    Flag("--connect-timeout", "connect_timeout", "How long connecting may take.", "TIME"),
    Flag("--first-byte-timeout", "first_byte_timeout", "How long it may take to begin an answer.", "TIME"),
    Flag("--idle-timeout", "idle_timeout", "How long it may send nothing.", "TIME"),
    Flag("--size-limit", "size_limit", "What is larger is not fetched, as 4GiB.", "SIZE"),
    Flag("--rate", "rate", "How many requests a second it gets at most.", "N", kind=float),
    Flag("--order", "order", "When it is asked: lower numbers first.", "N", kind=int),
    Flag("--enabled/--disabled", "enabled", "Whether it is asked at all."),
    Flag("--use-allow/--no-use-allow", "use_allow", "Whether only what its allow list names is asked for."),
    Flag(
        "--allow",
        "allow",
        "A glob of names that may be asked for; in place of its preset's.",
        "GLOB",
        many=True,
        made=_patterns,
    ),
    Flag("--block", "block", "A glob of names that are never asked for.", "GLOB", many=True, made=_patterns),
    Flag("--keep-original/--no-keep-original", "keep_original", "Whether a file is kept that was fetched to convert."),
    Flag("--forbidden-is-absent/--no-forbidden-is-absent", "forbidden_is_absent", "Whether 403 means no such file."),
    Flag(
        "--private-addresses/--no-private-addresses", "private_addresses", "Whether it may lead to private addresses."
    ),
    Flag(
        "--for-tag", "tags", "It is asked for the wants of this tag only; may be given several times.", "TAG", many=True
    ),
    Flag("--tag", "tag", "The group that its files are published under.", "TAG"),
    Flag("--public/--private", "public", "Whether its files may be served to anybody."),
    Flag("--note", "note", "A licence, a quirk, a reason.", "TEXT"),
    Flag("--miss-ttl", "miss_ttl", "How long it is not asked again for what it has not.", "TIME"),
    Flag("--daily-limit", "daily_limit", "How many bytes it gives a day at most.", "SIZE"),
    Flag("--window", "window", "When it is asked, as 22:00-06:00.", "TIMES"),
    Flag("--probe-known", "probe_known", "A path that it has, for the connection test.", "PATH"),
    Flag("--probe-absent", "probe_absent", "A path that it cannot have, likewise.", "PATH"),
)


def upstream_options(function: _Function) -> _Function:
    """Adds every flag, and `--set` for what has none."""
    function = click.option(
        "--set",
        "settings",
        metavar="OPTION=VALUE",
        multiple=True,
        help="Any option by its name in the configuration, its value as YAML: tail.products=[Engine].",
    )(function)
    for flag in reversed(FLAGS):
        function = flag.decorator()(function)
    return function


def given(flags: Mapping[str, Any], settings: tuple[str, ...]) -> dict[str, Any]:
    """The options that were given, part in part, as a YAML file would have them. Raises UsageError."""
    found: dict[str, Any] = {}
    for flag in FLAGS:
        value = flags.get(flag.parameter)
        if value is None or (flag.many and not value):
            continue
        if flag.made is not None:
            value = flag.made(value)
        _lay(found, flag.option, list(value) if isinstance(value, tuple) else value)
    for text in settings:
        option, value = _pair(text, "--set")
        _lay(found, option, _yaml(value, option))
    return found


def _lay(options: dict[str, Any], name: str, value: Any) -> None:
    """Puts a value at `part.option`; headers of several flags are put together."""
    *parts, last = name.split(".")
    for part in parts:
        inner = options.setdefault(part, {})
        if not isinstance(inner, dict):
            raise UsageError(f"{name}: {part} is no part with options of its own here")
        options = inner
    old = options.get(last)
    options[last] = old | value if isinstance(old, dict) and isinstance(value, dict) else value


def _yaml(text: str, option: str) -> Any:
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UsageError(f"--set {option}={text}: the value is not YAML") from error
