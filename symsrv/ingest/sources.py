"""Sources: the files that paths, folders, patterns and response files stand for, one after the other.

Rules, so that the same command finds the same files in the same order everywhere:

* Arguments in the order given; inside a folder by name, files before the folders beside them.
* Every file once. Links come after the folder's own files, and only where they lead to something new: of
  `libfoo.so -> libfoo.so.1` the file is published, and no loop of links goes round.
* Version control's folders, and a symbol store that lies inside a folder, are not build output.
* What is neither file nor folder is never opened: opening a pipe waits, opening a device can do anything.
"""

# A tree of a hundred thousand files is walked in plain strings, and links stay as they were spelled.
# ruff: noqa: PTH100, PTH111, PTH112, PTH116, PTH118, PTH119, PTH120, PTH206

import codecs
import fnmatch
import locale
import logging
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from symsrv.model.errors import SourceError, UsageError
from symsrv.model.names import fold

logger = logging.getLogger(__name__)

NOT_BUILD_OUTPUT = frozenset({".git", ".hg", ".svn", ".symsrv"})
STORE_MARKS = (".symsrv", "000Admin")
_WILD = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Source:
    """A local file to publish; `label` is how the publisher spelled it, and `problem` why it cannot even be tried.

    What was unpacked lies somewhere else under another name until it is drafted: then `name` is its own name, `origin`
    is where the record says that it came from (`…/a.zip!bin/foo.pdb`), and `depth` in how many archives it lay.
    `exclude` are the patterns that hold inside of it, too, if it is an archive. `sha256` is told of a file of our own,
    whole, which nobody writes to any more: it is staged without a copy where that can be, and stays.
    """

    path: Path
    label: str
    problem: SourceError | None = None
    name: str | None = None
    origin: str | None = None
    depth: int = 0
    exclude: tuple[str, ...] = ()
    sha256: str | None = None

    @property
    def spooled(self) -> bool:
        """Whether `path` is a copy of ours, which goes away as soon as it was drafted."""
        return self.origin is not None and self.sha256 is None

    @property
    def file_name(self) -> str:
        """Under which name it is published, as found: not yet checked."""
        return self.path.name if self.name is None else self.name

    @property
    def recorded(self) -> str:
        """Where it comes from, for the record; links stay as the publisher wrote them."""
        return spelled(os.path.abspath(self.path)) if self.origin is None else self.origin


@dataclass(frozen=True, slots=True)
class Filter:
    """`--include` and `--exclude`: patterns for names, or for paths where they have a `/`; case does not matter."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def takes(self, path: str) -> bool:
        """Whether a file is wanted, by its path below the folder it was found in (or its name alone)."""
        return (not self.include or _matches(path, self.include)) and not _matches(path, self.exclude)

    def enters(self, path: str) -> bool:
        """Whether a folder is looked into: only what is excluded is not."""
        return path.rsplit("/", 1)[-1] not in NOT_BUILD_OUTPUT and not _matches(path, self.exclude)


def discover(paths: Sequence[str], *, include: Sequence[str] = (), exclude: Sequence[str] = ()) -> Iterator[Source]:
    """The sources that arguments stand for; raises UsageError at once for a response file that cannot be read."""
    arguments = [path for argument in paths for path in _response(argument)]
    return _Discovery(Filter(tuple(include), tuple(exclude))).run(arguments)


def spelled(path: str | os.PathLike[str]) -> str:
    """A path as text that every file can keep: bytes that are no text in this system's encoding are escaped."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def excluded(path: str, patterns: Sequence[str]) -> bool:
    """Whether a path with `/` between its parts, or a folder on its way, matches one of the patterns."""
    parts = path.split("/") if patterns else []
    return any(_matches("/".join(parts[: count + 1]), patterns) for count in range(len(parts)))


def is_store(folder: str | os.PathLike[str]) -> bool:
    """Whether a folder is itself a symbol store."""
    return any(os.path.isdir(os.path.join(folder, mark)) for mark in STORE_MARKS)


def read_error(error: OSError, label: str) -> SourceError:
    """What the system said about a file, as an error of ours."""
    why = error.strerror or str(error)
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        return SourceError("vanished", f"{label} went away before it could be published", transient=True)
    return SourceError("unreadable", f"{label} cannot be read: {why}", transient=isinstance(error, PermissionError))


class _Discovery:
    """One walk over all arguments, and what it has been to."""

    def __init__(self, wanted: Filter) -> None:
        self.wanted = wanted
        self.folders: set[tuple[int, int]] = set()
        self.files: set[str] = set()  # named outright or reached by a link; a folder's own files need no entry

    def run(self, arguments: Sequence[str]) -> Iterator[Source]:
        for argument in arguments:
            path = os.path.expanduser(argument) if argument.startswith("~") else argument
            if not os.path.lexists(path) and _WILD.intersection(path):
                found = False
                for match in _expand(path):
                    found = True
                    yield from self.named(match)
                if not found:
                    yield _missing(argument, "nothing matches this pattern")
            else:
                yield from self.named(path)

    def named(self, path: str) -> Iterator[Source]:
        """What one path stands for, that somebody spelled out."""
        try:
            status = os.stat(path)
        except FileNotFoundError:
            yield _missing(path, "there is no such file")
            return
        except (OSError, ValueError) as error:
            why = error if isinstance(error, OSError) else OSError(str(error))
            yield _broken(path, read_error(why, spelled(path)))
            return
        if stat.S_ISDIR(status.st_mode):
            yield from self.folder(path)
            return
        if not self.wanted.takes(_name(path)):
            return
        if not stat.S_ISREG(status.st_mode):
            yield _not_a_file(path)
            return
        # Two links to one file, both spelled out, are two names that somebody wants published.
        own = os.path.abspath(path)
        if own in self.files or (os.path.realpath(path) == own and self.walked(own)):
            return
        self.files.add(own)
        self.files.add(os.path.realpath(path))
        yield self.source(path)

    def folder(self, root: str) -> Iterator[Source]:
        """Every file below a folder, and then what its links lead to."""
        links: list[tuple[str, str]] = []
        yield from self.walk(root, root, links)
        while links:
            waiting, links = links, []
            for path, below in waiting:
                yield from self.link(root, path, below, links)

    def walk(self, root: str, folder: str, links: list[tuple[str, str]]) -> Iterator[Source]:
        """A folder's own files, then those of the folders in it."""
        pending = [folder]
        while pending:
            current = pending.pop()
            try:
                status = os.stat(current)
                if (status.st_dev, status.st_ino) in self.folders:
                    continue
                self.folders.add((status.st_dev, status.st_ino))
                with os.scandir(current) as listing:
                    entries = sorted(listing, key=lambda entry: entry.name)
            except OSError as error:
                yield _broken(current, read_error(error, spelled(current)))
                continue
            inner = []
            for entry in entries:
                below = _below(root, entry.path)
                if entry.is_symlink() or entry.is_junction() if hasattr(entry, "is_junction") else entry.is_symlink():
                    links.append((entry.path, below))
                elif entry.is_dir():
                    if self.wanted.enters(below) and not is_store(entry.path):
                        inner.append(entry.path)
                elif self.wanted.takes(below):
                    if not entry.is_file():
                        yield _not_a_file(entry.path)
                    elif not self.files or os.path.realpath(entry.path) not in self.files:
                        yield self.source(entry.path)
            pending.extend(reversed(inner))

    def link(self, root: str, path: str, below: str, links: list[tuple[str, str]]) -> Iterator[Source]:
        """What a link in a folder leads to, if nothing else led there."""
        try:
            status = os.stat(path)
        except OSError:
            if self.wanted.takes(below):
                where = spelled(path)
                yield _broken(path, SourceError("dangling-link", f"{where} is a link that leads nowhere"))
            return
        if stat.S_ISDIR(status.st_mode):
            if self.wanted.enters(below) and not is_store(path):
                yield from self.walk(root, path, links)
        elif self.wanted.takes(below):
            target = os.path.realpath(path)
            if target in self.files or self.walked(target):
                return
            if not stat.S_ISREG(status.st_mode):
                yield _not_a_file(path)
                return
            self.files.add(target)
            yield self.source(path)

    def source(self, path: str) -> Source:
        """A file to publish."""
        return Source(Path(path), spelled(path), exclude=self.wanted.exclude)

    def walked(self, target: str) -> bool:
        """Whether a file was met already in its own folder."""
        try:
            status = os.stat(os.path.dirname(target))
        except OSError:
            return False
        return (status.st_dev, status.st_ino) in self.folders and self.wanted.takes(_name(target))


def _response(argument: str) -> list[str]:
    """An argument, or the lines of the response file that it names."""
    if not argument.startswith("@") or os.path.lexists(argument):
        return [argument]
    try:
        raw = Path(argument[1:]).read_bytes()
    except OSError as error:
        raise UsageError(
            f"the list {argument[1:]!r} cannot be read: {error.strerror}; @FILE names a file with one path per line"
        ) from error
    return listed_paths(raw)


def listed_paths(raw: bytes) -> list[str]:
    """The paths that a response file has, one a line, perhaps in quotes; in whichever encoding its writer used."""
    lines = (line.strip() for line in _decoded(raw).splitlines())
    return [line[1:-1] if len(line) > 1 and line[0] == line[-1] == '"' else line for line in lines if line]


def _decoded(raw: bytes) -> str:
    # PowerShell 5's `>` writes UTF-16 with a mark, Notepad UTF-8 with one. test_sources.py::test_response_file
    if raw.startswith(codecs.BOM_UTF8):
        return raw.decode("utf-8-sig", "replace")
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return raw.decode("utf-16", "replace")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode(locale.getencoding(), "surrogateescape")


def _expand(pattern: str) -> Iterator[str]:
    """Paths that match a pattern with `*`, `?`, `[…]` and `**`, in order; links to folders are not entered by `**`."""
    drive, rest = os.path.splitdrive(pattern)
    if os.altsep:
        rest = rest.replace(os.altsep, os.sep)
    start = drive + (os.sep if rest.startswith(os.sep) else "")
    yield from _matching(start, [part for part in rest.split(os.sep) if part])


def _matching(folder: str, parts: Sequence[str]) -> Iterator[str]:
    if not parts:
        yield folder
        return
    part, rest = parts[0], parts[1:]
    if not _WILD.intersection(part):
        path = os.path.join(folder, part)
        if os.path.lexists(path):
            yield from _matching(path, rest)
        return
    try:
        with os.scandir(folder or ".") as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError:
        return
    if part == "**":
        if rest:
            yield from _matching(folder, rest)
        for entry in entries:
            path = os.path.join(folder, entry.name)
            if entry.is_dir(follow_symlinks=False):
                yield from _matching(path, parts)
            elif not rest:
                yield path
        return
    for entry in entries:
        if fnmatch.fnmatchcase(fold(entry.name), fold(part)) if os.name == "nt" else _like(entry.name, part):
            yield from _matching(os.path.join(folder, entry.name), rest)


def _like(name: str, part: str) -> bool:
    return fnmatch.fnmatchcase(name, part) and (part.startswith(".") or not name.startswith("."))


def _matches(path: str, patterns: Sequence[str]) -> bool:
    folded = fold(path)
    name = folded.rsplit("/", 1)[-1]
    return any(fnmatch.fnmatchcase(folded if "/" in one else name, fold(one)) for one in patterns)


def _below(root: str, path: str) -> str:
    below = os.path.relpath(path, root) if not path.startswith(root) else path[len(root) :].lstrip("/\\")
    return below.replace(os.sep, "/")


def _name(path: str) -> str:
    return os.path.basename(path)


def _broken(path: str, problem: SourceError) -> Source:
    return Source(Path(path), spelled(path), problem)


def _missing(path: str, why: str) -> Source:
    return _broken(path, SourceError("no-such-file", f"{spelled(path)}: {why}; check the spelling and the folder"))


def _not_a_file(path: str) -> Source:
    return _broken(path, SourceError("not-a-file", f"{spelled(path)} is a device, pipe or socket, not a file"))
