"""What may be said of an upstream, in YAML, on the command line, in a preset: one set of options for all."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, field_validator, model_validator

from symsrv.layouts import LAYOUTS
from symsrv.options import Duration, Options, Secret, Size, masked

SYMBOLD = "symbold"
LAYOUT_NAMES = (*(layout.name for layout in LAYOUTS), SYMBOLD)
"""What may stand in an upstream's `layouts`: every dialect of clients, and how Backtrace's symbold asks."""

KINDS = ("http", "bucket", "folder", "convert")
"""What may stand as an upstream's `kind`."""

SPELLINGS = {"whitelist": "allow", "blacklist": "block", "use_whitelist": "use_allow"}
"""Other spellings of an upstream's options, which users of symbold know."""

_SECRET_HEADER = re.compile(r"auth|cookie|token|key|secret|password|signature", re.IGNORECASE)
_WINDOW = r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$"


def _url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme in ("http", "https") and not parts.hostname:
        raise ValueError(f"{value!r} names no host; write https://host/path")
    if parts.password is not None:
        raise ValueError("a password does not belong into the URL; give user, and password as {env: NAME}")
    return value


def _no_password(value: str) -> str:
    if masked(value) != value:
        raise ValueError("a password does not belong into the URL; give user, and password as {env: NAME}")
    return value


def _headers(headers: dict[str, str | Secret]) -> dict[str, str | Secret]:
    for name, value in headers.items():
        if isinstance(value, str) and _SECRET_HEADER.search(name):
            raise ValueError(f"the value of {name} is a secret; write {{env: NAME}} or {{file: PATH}}")
    return headers


Url = Annotated[str, AfterValidator(_url)]
Headers = Annotated[dict[str, str | Secret], AfterValidator(_headers)]


class Pattern(Options):
    """Names of files that an upstream is asked for, or is not, and why."""

    name: str = Field(description="A glob of file names, as 'nt*.pdb'; case does not matter.")
    reason: str = Field(default="", description="Why it is on the list.")


class Credentials(Options):
    """Who we are to an upstream; secrets lie in the environment or in files."""

    user: str | None = Field(default=None, description="The user of Basic authentication; it may be empty.")
    password: Secret | None = Field(default=None, description="Its password, as {env: NAME} or {file: PATH}.")
    token: Secret | None = Field(default=None, description="A token, sent as a Bearer.")
    headers: Headers = Field(
        default_factory=dict, description="Headers that every request carries; a value may be {env: NAME}."
    )
    access_key: str | None = Field(default=None, description="The key of an S3 bucket; null is where boto3 looks.")
    secret_key: Secret | None = Field(default=None, description="Its secret.")
    role: str | None = Field(default=None, description="The role to take on for an S3 bucket, as an ARN.")
    region: str | None = Field(default=None, description="The region of an S3 bucket.")
    endpoint: Annotated[str, AfterValidator(_no_password)] | None = Field(
        default=None, description="Where a bucket is that is not Amazon's or Google's."
    )
    service_account: Path | None = Field(default=None, description="The key file of a Google service account.")
    ca_bundle: Path | None = Field(default=None, description="A file of certificates to trust besides the system's.")
    client_cert: Path | None = Field(default=None, description="Our own certificate, with its key if both are there.")
    client_key: Path | None = Field(default=None, description="The key of our own certificate.")


class Proxy(Options):
    """The way out to an upstream."""

    url: Annotated[str, AfterValidator(_no_password)] | None = Field(
        default=None,
        description="http://host:port or socks5h://host:port; null is $HTTPS_PROXY and $HTTP_PROXY, '' is none.",
    )
    user: str | None = Field(default=None, description="The proxy's user.")
    password: Secret | None = Field(default=None, description="Its password, as {env: NAME} or {file: PATH}.")
    except_for: tuple[str, ...] = Field(default=(), description="Hosts that are reached without it, as $NO_PROXY.")


class TailOptions(Options):
    """What is fetched of an upstream that publishes its transactions, without waiting until it is asked for."""

    names: tuple[str, ...] = Field(default=(), description="Globs of file names; nothing here means every file.")
    products: tuple[str, ...] = Field(
        default=(), description="Globs of products; with any, nothing is taken where the upstream tells no product."
    )
    versions: tuple[str, ...] = Field(default=(), description="Globs of versions, likewise.")
    every: Duration = Field(default=300.0, description="How often it is looked at.")
    deletions: Literal["keep", "delete"] = Field(
        default="keep", description="What happens here when a transaction is deleted there."
    )


Case = Literal["as-is", "lower", "upper"]


class UpstreamOptions(Options):
    """A server, bucket, folder or converter that is asked for what is missing."""

    name: str = Field(min_length=1, max_length=64, description="What it is called here.")
    url: Url = Field(
        default="",
        description="https://host/path, s3://bucket/prefix, gs://bucket/prefix, a folder; '' of a converter.",
    )
    kind: str | None = Field(default=None, description="http, bucket, folder or convert; null is what the URL says.")
    preset: str | None = Field(default=None, description="The preset it was made from; see 'symsrv upstream presets'.")
    layouts: tuple[str, ...] = Field(
        default=("symstore", "ssqp"),
        description="How its paths are made, best first: symstore, ssqp, two-tier, breakpad, debuginfod, unified, "
        "native, lldb, slashsymbols, symbold.",
    )
    name_case: Case = Field(default="as-is", description="The case of names in its paths.")
    id_case: Case = Field(default="as-is", description="The case of ids in its paths.")
    packed: bool = Field(default=True, description="Whether foo.pd_ is asked for where foo.pdb is not.")
    pointers: bool = Field(default=False, description="Whether file.ptr is asked for, and followed below the URL.")
    credentials: Credentials = Field(default=Credentials(), description="Who we are to it.")
    proxy: Proxy = Field(default=Proxy(), description="The way out to it.")
    concurrency: int = Field(default=4, ge=1, le=64, description="How many files are downloaded from it at once.")
    tries: int = Field(default=3, ge=1, le=20, description="How often a request is made that fails and may go later.")
    pause: Duration = Field(default=1.0, description="How long before the second try; doubles, up to 30s, with jitter.")
    connect_timeout: Duration = Field(default=5.0, description="How long connecting may take.")
    first_byte_timeout: Duration = Field(default=30.0, description="How long it may take to begin an answer.")
    idle_timeout: Duration = Field(default=30.0, description="How long it may send nothing; there is no total limit.")
    size_limit: Size | None = Field(default=None, description="What is larger is not fetched; null is no limit.")
    rate: float | None = Field(default=None, gt=0, description="How many requests a second it gets at most.")
    order: int = Field(default=100, description="When it is asked: lower numbers first, equal ones at the same time.")
    enabled: bool = Field(default=True, description="Whether it is asked at all.")
    use_allow: bool = Field(default=False, description="Whether only what its allow list names is asked for.")
    allow: tuple[Pattern, ...] = Field(
        default=(),
        description="What may be asked for, if use_allow is on; symbold's words whitelist and blacklist are read as "
        "allow and block.",
    )
    block: tuple[Pattern, ...] = Field(default=(), description="What is never asked for.")
    keep_original: bool = Field(default=True, description="Whether a file is kept that was only fetched to convert.")
    on_arrival: bool = Field(
        default=False, description="Of a converter: whether it converts each debug file that arrives, asked or not."
    )
    cpu_limit: Duration = Field(
        default=3600.0,
        description="Of a converter: how much processor time one file may cost; idle_timeout holds, too.",
    )
    memory_limit: Size = Field(default=8 << 30, description="Of a converter: how much memory it may take.")
    forbidden_is_absent: bool = Field(
        default=False, description="Whether 403 means that there is no such file, as buckets say that are not listed."
    )
    private_addresses: bool = Field(
        default=False, description="Whether it may be at a private address; one that the URL itself names may."
    )
    tags: tuple[str, ...] = Field(default=(), description="The wants it is asked for: of these tags; none is all.")
    tag: str | None = Field(default=None, description="The group that its files are published under.")
    public: bool = Field(default=True, description="Whether its files may be served to anybody.")
    note: str = Field(default="", description="A licence, a quirk, a reason.")
    miss_ttl: Duration = Field(default=3600.0, description="How long it is not asked again for what it has not.")
    daily_limit: Size | None = Field(
        default=None, description="How many bytes it gives a day at most; null is no limit."
    )
    window: str | None = Field(
        default=None, pattern=_WINDOW, description="When it is asked, as 22:00-06:00 local time."
    )
    tail: TailOptions | None = Field(
        default=None, description="What is fetched of it without being asked for, as it publishes it; null is nothing."
    )
    probe_known: str | None = Field(default=None, description="A path that it has, for the connection test.")
    probe_absent: str | None = Field(
        default=None, description="A path that it cannot have, likewise; null is one made up."
    )

    @model_validator(mode="before")
    @classmethod
    def _spelled(cls, data: Any) -> Any:
        if not isinstance(data, Mapping) or not SPELLINGS.keys() & data.keys():
            return data
        found = {name: value for name, value in data.items() if name not in SPELLINGS}
        for other, name in SPELLINGS.items():
            if other in data and name in data:
                raise ValueError(f"{name} is written twice, once as {other}")
            if other in data:
                found[name] = data[other]
        return found

    @field_validator("kind")
    @classmethod
    def _known(cls, kind: str | None) -> str | None:
        if kind is not None and kind not in KINDS:
            raise ValueError(f"{kind!r} is no kind of upstream; there are {', '.join(KINDS)}")
        return kind

    @field_validator("layouts")
    @classmethod
    def _some(cls, layouts: tuple[str, ...]) -> tuple[str, ...]:
        if not layouts:
            raise ValueError("an upstream speaks one layout at least")
        for name in layouts:
            if name not in LAYOUT_NAMES:
                raise ValueError(f"{name!r} is no layout; there are {', '.join(LAYOUT_NAMES)}")
        return layouts


class TellOptions(Options):
    """Who is told of what arrives: an HTTP receiver, or a program of this machine."""

    name: str = Field(min_length=1, max_length=64, description="What it is called here.")
    url: Url | None = Field(default=None, description="Where it is told, as https://host/path.")
    exec: tuple[str, ...] = Field(
        default=(), description="The program that is run instead, with its arguments; it gets JSON on its input."
    )
    events: tuple[Literal["arrived", "report"], ...] = Field(
        default=("arrived", "report"),
        description="What it is told: arrived (files, many at once), report (a dump has all of its symbols, one call).",
    )
    form: str = Field(default="generic", description="How it is told: generic, sentry, socorro.")
    secret: Secret | None = Field(default=None, description="What calls are signed with (Standard Webhooks).")
    token: Secret | None = Field(default=None, description="What a form shows for us to be let in.")
    headers: Headers = Field(
        default_factory=dict, description="Headers that every call carries; a value may be {env: NAME}."
    )
    every: Duration = Field(default=5.0, gt=0, description="How often it is told of what came meanwhile.")
    batch: int = Field(default=100, ge=1, le=1000, description="Of how many arrivals one call tells at most.")
    timeout: Duration = Field(default=30.0, gt=0, description="How long one call may take.")
    pause: Duration = Field(default=1.0, gt=0, description="How long before a second try; doubles, up to 10m.")
    patience: Duration = Field(
        default=3 * 86400.0, description="How long it is tried to tell one thing before it is given up."
    )
    proxy: Proxy = Field(default=Proxy(), description="The way out to it.")
    ca_bundle: Path | None = Field(default=None, description="A file of certificates to trust besides the system's.")
    enabled: bool = Field(default=True, description="Whether it is told at all.")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.url is None) == (not self.exec):
            raise ValueError("say where it is told, by url or by exec")
        if self.url is not None and urlsplit(self.url).scheme not in ("http", "https"):
            raise ValueError(f"{self.url!r} is no address to post to; write https://host/path")
        if self.exec and self.form != "generic":
            raise ValueError(f"the form {self.form} is one of HTTP; a program is told in the generic one")
        return self


class MirrorOptions(Options):
    """How what is missing is fetched."""

    downloads: int = Field(default=16, ge=1, le=256, description="How many files are downloaded at once, in all.")
    every: Duration = Field(default=10.0, description="How often the queue is looked at when nothing is urgent.")
    race: bool = Field(default=False, description="Whether all upstreams are asked at once, whatever their order.")
    rounds: int = Field(
        default=3, ge=1, description="After how many rounds without success a want goes on the skiplist."
    )
    skip_for: Duration | Literal["never"] = Field(
        default=43200.0, description="How long it stays there; doubles each time up to 7d; never means for good."
    )
    daily_limit: Size | None = Field(default=None, description="How many bytes are fetched a day; null is no limit.")
    window: str | None = Field(
        default=None,
        pattern=_WINDOW,
        description="When anything is fetched, as 22:00-06:00 local time.",
    )
    keep_free: Size = Field(default=1 << 30, description="Nothing is fetched while the disk has less room than this.")
    with_program: bool = Field(default=True, description="Whether a PDB's program is fetched beside it.")
    keep_log: Duration = Field(default=30 * 86400.0, description="How long attempts are kept in the log.")
    fetch_through: bool = Field(
        default=False, description="Whether serve lets a client wait while what it asks for is fetched."
    )
    fetch_through_wait: Duration = Field(default=10.0, description="How long it lets it wait before it says 404.")
    fetch_through_allow: tuple[str, ...] = Field(
        default=(), description="Globs of the names that anybody may have fetched so; nothing here means none."
    )
    contact: str = Field(
        default="", description="A URL or address for upstreams' operators, sent as part of User-Agent."
    )
    tell: tuple[TellOptions, ...] = Field(default=(), description="Who is told of what arrives.")

    @field_validator("tell")
    @classmethod
    def _told_once(cls, tell: tuple[TellOptions, ...]) -> tuple[TellOptions, ...]:
        for at, one in enumerate(tell):
            if any(one.name == other.name for other in tell[:at]):
                raise ValueError(f"two receivers are called {one.name}")
        return tell
