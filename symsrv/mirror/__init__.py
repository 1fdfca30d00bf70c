"""The puller: what is missing is asked of other symbol servers, checked, published, and told to whoever waits.

Kinds of upstreams stand on a shelf: a new one is one file and one line in `UPSTREAMS`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from symsrv.mirror.base import Upstream
from symsrv.mirror.settings import UpstreamOptions
from symsrv.model.errors import UsageError

if TYPE_CHECKING:
    from symsrv.ledger.state import State
    from symsrv.store import SymbolStore


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an upstream may need besides its own options.

    `contact` is whom operators can turn to, for User-Agent; `store` and `state` are our own, for a converter, opened
    when one is.
    """

    contact: str = ""
    store: "Callable[[], SymbolStore] | None" = None
    state: "Callable[[], State] | None" = None


Opener = Callable[[UpstreamOptions, Surroundings], Upstream]


def open_upstream(options: UpstreamOptions, around: Surroundings | None = None) -> Upstream:
    """Opens an upstream of its kind; nothing is asked of it yet. Raises UsageError for what cannot be."""
    return UPSTREAMS[kind_of(options)](options, around or Surroundings())


def kind_of(options: UpstreamOptions) -> str:
    """The kind that the options name, or else the one that the URL says. Raises UsageError for an unknown one."""
    scheme = options.url.partition("://")[0].lower() if "://" in options.url else "file"
    kind = options.kind or _KINDS_BY_SCHEME.get(scheme)
    if not options.url and kind != "convert":
        raise UsageError(f"{options.name}: an upstream needs a url, a preset, or kind: convert")
    if kind not in UPSTREAMS:
        what = f"no kind {kind}" if kind else f"no kind for {scheme}://"
        raise UsageError(f"{options.name}: there is {what}; there are {', '.join(UPSTREAMS)}")
    return kind


def _open_http(options: UpstreamOptions, around: Surroundings) -> Upstream:
    from symsrv.mirror.http import open_http

    return open_http(options, contact=around.contact)


def _open_bucket(options: UpstreamOptions, around: Surroundings) -> Upstream:
    from symsrv.mirror.place import open_bucket

    return open_bucket(options)


def _open_folder(options: UpstreamOptions, around: Surroundings) -> Upstream:
    from symsrv.mirror.place import open_folder

    return open_folder(options)


def _open_convert(options: UpstreamOptions, around: Surroundings) -> Upstream:
    from symsrv.mirror.convert import Convert

    if around.store is None:
        raise UsageError(f"{options.name}: a converter needs the store that it converts from")
    return Convert(options, around.store(), around.state() if around.state is not None else None)


_KINDS_BY_SCHEME = {
    "http": "http",
    "https": "http",
    "s3": "bucket",
    "gs": "bucket",
    "file": "folder",
}

UPSTREAMS: dict[str, Opener] = {
    "http": _open_http,
    "bucket": _open_bucket,
    "folder": _open_folder,
    "convert": _open_convert,
}
"""How each kind is opened."""
