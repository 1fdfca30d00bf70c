"""From the raw path of a request to what it means. Pure: no file is looked at."""

import re
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from symsrv.layouts import LAYOUTS
from symsrv.model.ask import Ask
from symsrv.serve.answer import Reason

PATH_LIMIT_BYTES = 8192
REMEMBERED_BYTES = 512  # longer paths are parsed each time, so that what is remembered stays small
_REMEMBERED = 8192

_SLASHES = re.compile(r"/{2,}")
_HIDDEN_SEPARATOR = re.compile(rb"%2f|%5c|%00", re.IGNORECASE)
_POINTERS = ("refs.ptr", "file.ptr")
_ADMIN = "000admin/"


class Door(Enum):
    """Who answers."""

    SYMBOL = "symbol"
    FIXED = "fixed"
    PAGE = "page"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Route:
    """What a path means: which door, the decoded path without leading slash, and for symbols the ask."""

    door: Door
    path: str = ""
    layout: str = "none"
    ask: Ask | None = None
    spaced: Ask | None = None
    reason: Reason = Reason.UNKNOWN_PATH

    @property
    def debuginfod(self) -> bool:
        """Whether the client speaks debuginfod's dialect and wants its headers."""
        return self.path.startswith("buildid/")


def route(raw: bytes) -> Route:
    """What a raw, still encoded path without its query means."""
    if len(raw) <= REMEMBERED_BYTES:
        return _remembered(raw)
    if len(raw) > PATH_LIMIT_BYTES:
        return Route(Door.NOBODY, reason=Reason.BAD_PATH)
    return _route(raw)


def decoded(raw: bytes) -> str | None:
    """The path, percent-decoded exactly once, slashes collapsed, without the leading one; None if it means nothing.

    `+` is a plus (clients.md, trap 6). An encoded separator must not become one afterwards (trap 7).
    """
    if b"%" in raw:
        if _HIDDEN_SEPARATOR.search(raw):
            return None
        raw = unquote_to_bytes(raw)
    try:
        path = raw.decode()
    except UnicodeDecodeError:
        return None
    return _SLASHES.sub("/", path).removeprefix("/")


def _route(raw: bytes) -> Route:
    path = decoded(raw)
    if path is None:
        return Route(Door.NOBODY, reason=Reason.BAD_PATH)
    if path == "" or path in ("-", "metrics") or path.startswith("-/"):
        return Route(Door.PAGE, path, "page")
    folded = path.lower()
    if folded in ("pingme.txt", "index2.txt") or folded.startswith(_ADMIN):
        return Route(Door.FIXED, folded, "fixed")
    if folded.startswith(".symsrv/") or folded.rsplit("/", 1)[-1] in _POINTERS:
        return Route(Door.NOBODY, path, "fixed", reason=Reason.HIDDEN)
    for layout in LAYOUTS:
        ask = layout.parse(path)
        if ask is not None:
            # Some broken crash servers send `+` for a space: the plus first, then the space.
            spaced = layout.parse(path.replace("+", " ")) if "+" in path else None
            return Route(Door.SYMBOL, path, layout.name, ask, spaced)
    return Route(Door.NOBODY, path)


_remembered = lru_cache(_REMEMBERED)(_route)
