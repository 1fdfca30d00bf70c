"""Pointers of upstreams: where below its own URL a `file.ptr` leads, and nowhere else."""

import os
import posixpath
from collections.abc import Callable, Iterator
from dataclasses import replace
from urllib.parse import unquote, urlsplit

from symsrv.mirror.base import Absent, Fetched, FetchError, Refused, Try
from symsrv.mirror.spellings import address, inside
from symsrv.model.names import fold
from symsrv.store import parse_pointer

LIMIT_BYTES = 64 << 10
_MESSAGE_CHARACTERS = 200


def follow(data: bytes, one: Try, *, url: str, folder: str | None = None) -> tuple[Try, ...]:
    """The requests for what a pointer says, as it is and packed; `one` is the Try that brought the pointer.

    A relative path counts from the pointer's own folder; an absolute one has to be a URL below the upstream's, or a
    path below its `folder`, on this machine or a share. Raises Absent (`pointer-message`, `pointer-empty`) and
    Refused (`pointer-elsewhere`).
    """
    pointer = parse_pointer(data[:LIMIT_BYTES])
    if pointer.message:
        text = "".join(one for one in pointer.message if one.isprintable())[:_MESSAGE_CHARACTERS]
        raise Absent("pointer-message", f"its pointer says: {text}")
    if not pointer.path:
        raise Absent("pointer-empty", "its pointer says nothing")
    path = _below(pointer.path, one, url=url, folder=folder)
    found = tuple(_tries(path, one, url=url)) if path is not None else ()
    if not found:
        raise _elsewhere()
    return found


def brought(
    fetched: Fetched, one: Try, fetch: Callable[[Try], Fetched], *, url: str, folder: str | None = None
) -> Fetched:
    """What the pointer that was fetched leads to, fetched; the packed one where the plain one is absent."""
    with fetched.path.open("rb") as file:
        exact, *twins = follow(file.read(LIMIT_BYTES), one, url=url, folder=folder)
    try:
        return fetch(exact)
    except Absent:
        if not twins:
            raise
        return fetch(twins[0])


def _tries(path: str, one: Try, *, url: str) -> Iterator[Try]:
    for spelled, packed in ((path, False), (f"{path[:-1]}_", True)):
        if inside(path) and (not packed or spelled != path):
            yield replace(one, path=spelled, address=address(url, spelled), packed=packed, pointer=False)


def _below(text: str, one: Try, *, url: str, folder: str | None) -> str | None:
    """The path below the URL, or None if it leads elsewhere."""
    parts = urlsplit(url)
    if parts.scheme in ("http", "https") and fold(text).startswith(f"{parts.scheme}://"):
        return _after(unquote(text), unquote(f"{parts.scheme}://{parts.netloc}{parts.path}"), any_case=False)
    slashed = text.replace("\\", "/")
    if slashed.startswith("/") or slashed[1:2] == ":":
        return None if folder is None else _after(slashed, folder.replace("\\", "/"), any_case=os.name == "nt")
    own = one.path.rpartition("/")[0]
    path = posixpath.normpath(f"{own}/{slashed}")
    return None if path.startswith("..") else path


def _after(path: str, base: str, *, any_case: bool) -> str | None:
    base = base.rstrip("/") + "/"
    matches = fold(path).startswith(fold(base)) if any_case else path.startswith(base)
    return path[len(base) :] if matches else None


def _elsewhere() -> FetchError:
    return Refused("pointer-elsewhere", "its pointer leads to no place below its own URL")
