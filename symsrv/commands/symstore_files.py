"""What `/f` names: the files on this disk, and of those the ones that symstore.exe would try."""

# Paths stay as they are spelled until they are opened.
# ruff: noqa: PTH100, PTH110, PTH112, PTH118

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from symsrv.commands.symstore_line import Call
from symsrv.formats import identify_path, opened, recognised
from symsrv.ingest.sources import listed_paths
from symsrv.layouts import home
from symsrv.model.errors import SourceError, SymsrvError, UsageError
from symsrv.model.identity import Identity
from symsrv.model.names import fold
from symsrv.packing import HEAD_BYTES, kind_of

if TYPE_CHECKING:
    from symsrv.ingest import Source
    from symsrv.store import SymbolStore

NO_MATCH = "no-match"
UNKNOWN = "not a known file type. ErrorLevel is 13"
"""Why symstore.exe passes a file over, in its words; 13 is Windows' word for invalid data."""

_WILD = re.compile(r"[*?]")
_WINDOWS_ONLY = re.compile(r"(\\\\|[A-Za-z]:[\\/])")
_PDB_KINDS = ("pri", "pub", "typ")
_KIND_WORDS = {"pri": "private", "pub": "public"}


@dataclass(frozen=True, slots=True)
class Chosen:
    """A file that `/f` named; `skipped` says why it is not even tried."""

    source: "Source"
    skipped: str | None = None


def sources(call: Call) -> "Iterator[Source]":
    """The files that `/f` names, each once, by their absolute paths; raises UsageError for a list that cannot be read.

    A pattern that matches nothing is a source whose problem is `no-match`.
    """
    named = [one for text in call.files for one in _listed(text)]

    def each() -> "Iterator[Source]":
        seen: set[str] = set()
        for text in named:
            for source in _named(text, recursive=call.recursive):
                key = os.path.normcase(source.path)
                if key not in seen:
                    seen.add(key)
                    yield source

    return each()


def local_path(text: str, *, windows: bool = os.name == "nt") -> str:
    """A path as this system spells it.

    Away from Windows, backslashes separate where nothing has the name as it is spelled. Raises UsageError for what
    only Windows can find: a drive, a share.
    """
    if windows or "\\" not in text or os.path.lexists(text):
        return text
    if _WINDOWS_ONLY.match(text):
        raise UsageError(f"{text} is a path of Windows; name the folder where it is mounted on this system")
    return text.replace("\\", "/")


def matches(name: str, pattern: str) -> bool:
    """Whether a file's name matches as on Windows: `*` and `?` only, any case, and `*.*` is everything."""
    if pattern in ("*", "*.*"):
        return True
    wild = {"*": ".*", "?": "."}
    expression = "".join(wild.get(character) or re.escape(character) for character in fold(pattern))
    return re.fullmatch(expression, fold(name), re.DOTALL) is not None


def choose(call: Call, found: "Iterable[Source]", store: "SymbolStore | None" = None) -> Iterator[Chosen]:
    """Leaves out what symstore.exe does not look into (archives), and what `/z` and `/h` do not want."""
    chosen = (_packed(source) or _kinds(call, source) for source in found)
    return iter(_preferred(list(chosen), call.prefer, store)) if call.prefer else chosen


def _listed(text: str) -> list[str]:
    """A value of `/f`, or the lines of the list that it names."""
    if not text.startswith("@") or os.path.lexists(text):
        return [text]
    try:
        raw = Path(local_path(text[1:])).read_bytes()
    except OSError as error:
        raise UsageError(f"the list {text[1:]!r} cannot be read: {error.strerror}; it has one path per line") from error
    return listed_paths(raw)


def _named(text: str, *, recursive: bool) -> "Iterator[Source]":
    from symsrv.ingest import discover

    path = os.path.abspath(local_path(text))
    folder, pattern = os.path.split(path)
    if os.path.isdir(path):
        folder, pattern = path, "*"
    elif os.path.lexists(path):
        yield from discover([path])
        return
    elif not _WILD.search(pattern) or not os.path.isdir(folder):
        yield _problem(path, "no-such-file", f"{path}: there is no such file; check the spelling and the folder")
        return
    found = False
    for source in discover([folder]) if recursive else _in_folder(folder, pattern):
        # A folder that cannot be read is told whatever it is called.
        if matches(source.path.name, pattern) or (source.problem is not None and source.path.is_dir()):
            found = True
            yield source
    if not found:
        yield _problem(path, NO_MATCH, f"nothing matches {os.path.join(folder, pattern)}")


def _in_folder(folder: str, pattern: str) -> "Iterator[Source]":
    """The files of one folder and not of those below."""
    from symsrv.ingest import discover

    try:
        with os.scandir(folder) as listing:
            names = sorted(entry.name for entry in listing if matches(entry.name, pattern) and not entry.is_dir())
    except OSError as error:
        yield _problem(folder, "unreadable", f"{folder} cannot be read: {error.strerror}")
        return
    for name in names:
        path = os.path.join(folder, name)
        if os.path.exists(path):
            yield from discover([path])
        else:
            yield _problem(path, "dangling-link", f"{path} is a link that leads nowhere")


def _problem(path: str, reason: str, sentence: str) -> "Source":
    from symsrv.ingest import Source

    return Source(Path(path), path, SourceError(reason, sentence))


def _packed(source: "Source") -> Chosen | None:
    """An archive, which symstore.exe knows nothing of, as it is passed over."""
    if source.problem is not None:
        return Chosen(source)
    try:
        with opened(source.path) as data:
            head = data.up_to(0, HEAD_BYTES)
    except (SymsrvError, OSError):
        return None  # publishing finds the same, and says it
    return Chosen(source, UNKNOWN) if not recognised(head) and kind_of(head) is not None else None


def _kinds(call: Call, source: "Source") -> Chosen:
    kind = _kind(_identities(source)) if call.only else None
    if kind is not None and kind != call.only:
        return Chosen(source, f"/z takes only {_KIND_WORDS[call.only or '']} symbols")
    return Chosen(source)


def _preferred(chosen: Sequence[Chosen], prefer: str, store: "SymbolStore | None") -> list[Chosen]:
    """Without those that have a twin of the preferred kind, among the files or in the store."""
    offered = [_home_and_kind(one) for one in chosen]
    best = {key for key, kind in offered if kind == prefer}

    def loses(key: str | None, kind: str | None) -> bool:
        if key is None or kind is None or kind == prefer:
            return False
        there = store.kept(key) if store is not None else None
        return key in best or (store is not None and there is not None and _kind(store.identify(there.path)) == prefer)

    why = f"/h prefers the {_KIND_WORDS[prefer]} symbols that have the same key"
    return [Chosen(one.source, why) if loses(*what) else one for one, what in zip(chosen, offered, strict=True)]


def _home_and_kind(one: Chosen) -> tuple[str | None, str | None]:
    identities = () if one.skipped or one.source.problem else _identities(one.source)
    kind = _kind(identities)
    return (home(identities[0]), kind) if kind else (None, None)


def _identities(source: "Source") -> tuple[Identity, ...]:
    try:
        return identify_path(source.path)
    except (SymsrvError, OSError):
        return ()  # publishing finds the same, and says it


def _kind(identities: Sequence[Identity]) -> str | None:
    """`pri`, `pub` or `typ` for debug files, None for programs and for what is neither."""
    kind = identities[0].symbol_kind if identities else None
    return kind if kind in _PDB_KINDS else None
