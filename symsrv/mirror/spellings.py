"""Spellings: the requests that may bring a file from an upstream, by its layouts and its rules of case. Pure.

The order is that of the best clients: every exact name, then the packed twins (`foo.pd_`), then `file.ptr`. What a
layout prints only for clients that ask oddly (lldb's decimal age) is not asked of others.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote, urlsplit, urlunsplit

from symsrv.layouts import LAYOUTS
from symsrv.layouts.grammar import WHOLE_FILES, file_name
from symsrv.mirror.base import Try
from symsrv.mirror.settings import SYMBOLD, UpstreamOptions
from symsrv.model.ask import Ask, Wants
from symsrv.model.ids import BUILD, CORECLR_BUILD, CORECLR_UUID, DEBUG, MSFZ, PE, UUID, WASM, SymbolId, printed
from symsrv.model.names import NAME_LIMIT_BYTES, fold
from symsrv.model.wants import wanted

_LAYOUTS = {layout.name: layout for layout in LAYOUTS}
_POINTER = "file.ptr"
_CHECKSUM = "SymbolChecksum"
_UNSAFE = re.compile(r"[\x00-\x1f\x7f\\:\ud800-\udfff]")
_CASES: dict[str, Callable[[str], str]] = {"as-is": str, "lower": str.lower, "upper": str.upper}

_PACKED = (DEBUG, PE, MSFZ)  # what Windows' tools compress; nobody else does

# What a file's ending says about which readings of a hexadecimal id can be meant; other names rule nothing out.
_WINDOWS_CODE = ("exe", "dll", "sys", "ocx", "drv", "cpl", "scr", "efi", "acm", "ax", "mui", "node", "winmd")
_KINDS_BY_ENDING = (
    {"pdb": (DEBUG, MSFZ, PE), "dbg": (PE,), "wasm": (WASM, BUILD)}
    | dict.fromkeys(("so", "debug"), (BUILD, CORECLR_BUILD))
    | dict.fromkeys(("dylib", "dwarf"), (UUID, CORECLR_UUID))
    | dict.fromkeys(_WINDOWS_CODE, (PE, DEBUG, CORECLR_BUILD, CORECLR_UUID))
)


@dataclass(frozen=True, slots=True)
class _Segments:
    """Which segments of a layout's paths are names and which are ids; None where the path has no names at all."""

    tiers: int = 0
    pointers: bool = False


_NAMED = {
    "symstore": _Segments(pointers=True),
    "ssqp": _Segments(pointers=True),
    "two-tier": _Segments(tiers=1, pointers=True),
    "breakpad": _Segments(),
    "slashsymbols": _Segments(),
    SYMBOLD: _Segments(pointers=True),
}
"""Layouts whose paths are `<name>/<id>/<file>`; in all others the segments of hexadecimal digits are the id."""


def tries(ask: Ask, options: UpstreamOptions, *, checksum: str | None = None) -> tuple[Try, ...]:
    """The requests that may bring what is wanted, best first; empty if the upstream's layouts have no path for it.

    `checksum` is what the program's PDB checksum says, `SHA256:<hex>`: it goes along as the header `SymbolChecksum`
    where a debug file is wanted.
    """
    ask = _meant(ask)
    exact, packed, pointers = [], [], []
    for layout in options.layouts:
        segments = _NAMED.get(layout)
        found = [_cased(path, segments, options=options) for path in _paths(layout, ask)]
        exact += found
        if options.packed and segments is not None:
            twin = replace(ask, ids=tuple(one for one in ask.ids if one.kind in _PACKED), packed=True)
            packed += [_cased(path, segments, options=options) for path in _paths(layout, twin)]
        if options.pointers and segments is not None and segments.pointers and ask.wants in WHOLE_FILES:
            pointers += [_pointer(path) for path in found if path.count("/") == 2 + segments.tiers]
    headers = ((_CHECKSUM, checksum),) if checksum and ask.wants in (Wants.DEBUG, Wants.EITHER) else ()
    return tuple(_distinct(exact, packed, pointers, options=options, headers=headers))


def address(url: str, path: str) -> str:
    """What is below a URL as a URL that may be shown: percent-encoded once, without the query, which may be a secret.

    A bucket's key and a folder's path are shown as they are.
    """
    return _below(url, path, query="")


def location(url: str, path: str) -> str:
    """The URL that is really asked: as `address`, with the query of the upstream's own (a signature). Not for logs."""
    return _below(url, path, query=urlsplit(url).query)


def inside(path: str) -> bool:
    """Whether a path stays below the URL. Names were checked when an ask was made, but asks lie in databases, too."""
    return all(_is_plain(segment) for segment in path.split("/"))


def _below(url: str, path: str, *, query: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        return f"{url.rstrip('/')}/{path}"
    quoted = "/".join(quote(segment, safe="") for segment in path.split("/"))
    return urlunsplit((parts.scheme, parts.netloc, f"{parts.path.rstrip('/')}/{quoted}", query, ""))


def _meant(ask: Ask) -> Ask:
    """The ask for a whole file, without the readings of its id that its name rules out."""
    if ask.wants is Wants.SECTION:
        ask = wanted(ask)
    ask = replace(ask, packed=False)
    name = fold(ask.name or "")
    kinds = _KINDS_BY_ENDING.get("so" if ".so." in name else name.rpartition(".")[2], ())
    if ask.wants is Wants.SYM:
        kinds = (DEBUG, PE)
    ids = tuple(one for one in ask.ids if one.kind in kinds)
    return replace(ask, ids=ids) if ids else ask


def _paths(layout: str, ask: Ask) -> list[str]:
    if layout == SYMBOLD:
        return _symbold(ask)
    rule = _LAYOUTS[layout]
    if layout not in _NAMED:
        return list(rule.paths(ask))
    return [path for one in ask.ids for path in _usual(rule.paths(replace(ask, ids=(one,))), one, layout)]


def _usual(paths: Sequence[str], one: SymbolId, layout: str) -> Iterator[str]:
    """Without what no store files by: lldb's decimal age, and a program by its bare build id as rust-minidump asks.

    Two tiers are those of Windows, where case makes no difference, and one folder for the first letters is enough.
    """
    seen: set[str] = set()
    for path in paths:
        segments = path.split("/")
        bare = segments[-2].lower() == one.value
        odd = bare if one.kind in (BUILD, UUID) and layout in ("ssqp", "two-tier") else False
        decimal = one.kind == DEBUG and not bare
        below = fold("/".join(segments[1:])) if layout == "two-tier" else path
        if not odd and not decimal and below not in seen:
            seen.add(below)
            yield path


def _symbold(ask: Ask) -> list[str]:
    """Backtrace's service: `<name>/<id>/` and the name, its packed twin, or `.sym` in place of the ending.

    It asks so for a module's debug file by debug id, and for its code file by code id and by debug id: that are an
    ask for DEBUG, one for CODE with both ids, and one for SYM, whose paths together are its nine.
    """
    if ask.name is None:
        return []
    if ask.wants is Wants.SYM:
        return list(_LAYOUTS["breakpad"].paths(ask))
    file = file_name(ask.name, packed=ask.packed)
    texts = dict.fromkeys(printed(one) for one in ask.ids if one.kind in (DEBUG, PE, BUILD, UUID))
    return [] if file is None else [f"{ask.name}/{text}/{file}" for text in texts]


def _cased(path: str, segments: _Segments | None, *, options: UpstreamOptions) -> str:
    name, digits = _CASES[options.name_case], _CASES[options.id_case]
    parts = path.split("/")
    if segments is None:
        return "/".join(_cased_id(part, digits) for part in parts)
    place = segments.tiers + 1
    ends = (*range(place), len(parts) - 1)
    return "/".join(
        digits(part) if number == place else name(part) if number in ends else part for number, part in enumerate(parts)
    )


def _cased_id(segment: str, digits: Callable[[str], str]) -> str:
    """`cdef….debug` has an id and an ending; `debuginfo` and `.build-id` are words of the layout."""
    stem, dot, ending = segment.partition(".")
    return digits(stem) + dot + ending if stem and not stem.strip("0123456789abcdefABCDEF") else segment


def _pointer(path: str) -> str:
    return f"{path.rpartition('/')[0]}/{_POINTER}"


def _distinct(
    exact: list[str],
    packed: list[str],
    pointers: list[str],
    *,
    options: UpstreamOptions,
    headers: tuple[tuple[str, str], ...],
) -> Iterator[Try]:
    seen: set[str] = set()
    for paths, is_packed, is_pointer in ((exact, False, False), (packed, True, False), (pointers, False, True)):
        for path in paths:
            if path not in seen and inside(path):
                seen.add(path)
                shown = address(options.url, path)
                yield Try(path, shown, packed=is_packed, pointer=is_pointer, headers=headers)


def _is_plain(segment: str) -> bool:
    return segment not in ("", ".", "..") and not _UNSAFE.search(segment) and len(segment.encode()) <= NAME_LIMIT_BYTES


_LAYOUTS = {layout.name: layout for layout in LAYOUTS}
