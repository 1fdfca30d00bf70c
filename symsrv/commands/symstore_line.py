"""symstore.exe's command line: words become a call, or a refusal that says what would mend it.

Nothing here looks at a disk. What each option does, and where that is known from, is the table in docs/symstore.md.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NoReturn

from symsrv.model.errors import UsageError

ADD, DELETE, QUERY, HELP = "add", "del", "query", "help"

USAGE = """\
symsrv symstore add [/r] /f File /s Store /t Product [/v Version] [/c Comment]
                    [/d LogFile] [/o] [/compress [CAB]] [/3] [/z pub|pri] [/h pub|pri]
                    [-:NOFORCECOPY] [-:NOREFS] [--strict]
symsrv symstore del /i ID /s Store [/c Comment] [/d LogFile] [/o] [--strict]
symsrv symstore query [/r] /f File /s Store [/d LogFile] [/o] [--strict]
symsrv symstore /?

  /f File          A file, a folder, a pattern with * and ?, or @ListFile; may be given several times.
  /r               Folders and patterns also stand for what is in the folders below.
  /s Store         The store: a folder, which add makes if it is missing, or s3://bucket/prefix.
  /t /v /c         The product, its version and a comment, for the record.
  /i ID            The transaction to delete.
  /d LogFile       Write there instead of on stdout.
  /o               Say what becomes of each file.
  /compress        Keep each file as a cabinet, as file.pd_.
  /3               Lay out a new store in two tiers, by index2.txt.
  /z pub|pri       Of PDBs, publish only public or only private ones.
  /h pub|pri       Where the store has the public or private twin of a PDB, let it stay.
  -:NOFORCECOPY    Where the store has other bytes under the same key, let them stay.
  -:NOREFS         Taken for the sake of old lines; refs.ptr is written all the same.
  --strict         Say by the exit code that files failed.

Options begin with /, - or //, in upper or lower case, and stand in any order. docs/symstore.md has them all."""

_VALUES = frozenset({"f", "s", "t", "v", "c", "i", "d", "z", "h", "x", "y", "yi", "g", "m", ":msg"})
_FLAGS = frozenset({"r", "o", "l", "p", "a", "q", "3", "compress", "?", ":norefs", ":noforcecopy", ":rel"})
_REPEATED = frozenset({"f"})

_TAKEN = {
    ADD: frozenset({"f", "s", "t", "v", "c", "d", "z", "h", "r", "o", "l", "3", "compress", ":norefs", ":noforcecopy"}),
    DELETE: frozenset({"i", "s", "c", "d", "o"}),
    QUERY: frozenset({"f", "s", "d", "r", "o"}),
}
_NEEDED = {ADD: ("f", "s", "t"), DELETE: ("i", "s"), QUERY: ("f", "s")}
_NEEDS = {
    "f": "names no files: say /f with a file, a folder, a pattern or @ListFile",
    "s": "names no store: say /s with its folder",
    "t": "names no product, which an add must: say /t with its name",
    "i": "names no transaction: say /i with its number; 'symsrv history' lists them",
}

_INDEX_FILES = "the form of symstore.exe's index files is not published; publish the files themselves, with /f"
_POINTERS = "symsrv keeps files and not pointers to them; leave it away, and the files are copied into the store"
_REFUSED = {
    **dict.fromkeys(("x", "y", "a", "q", "yi", "g"), _INDEX_FILES),
    **dict.fromkeys(("p", "m", ":rel", ":msg"), _POINTERS),
}

_OWN_FLAGS = frozenset({"--strict", "--verbose", "--help"})
_OWN_VALUE = "--config"

_OPTION = re.compile(r"(?://?|-)(:?[a-z]+|3|\?)", re.IGNORECASE)
_MANGLED = re.compile(r"[A-Za-z]:[/\\](.*[/\\]([a-z3?]|yi|compress))?", re.IGNORECASE)
_NUMBER = re.compile(r"[0-9]{1,10}")


@dataclass(frozen=True, slots=True)
class Call:
    """What one command line asks for. `only` is `/z`'s kind of PDB, `prefer` is `/h`'s."""

    action: str
    files: tuple[str, ...] = ()
    store: str = ""
    product: str = ""
    version: str = ""
    comment: str = ""
    transaction: int = 0
    log: str | None = None
    recursive: bool = False
    verbose: bool = False
    compress: bool = False
    two_tier: bool = False
    only: str | None = None
    prefer: str | None = None
    force_copy: bool = True
    refs: bool = True


def own_words(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Takes symsrv's own options (`--strict`, `--config FILE`…) out of the words; what is an option's value stays."""
    own: list[str] = []
    rest: list[str] = []
    ahead = iter(words)
    for word in ahead:
        if word in _OWN_FLAGS or word.startswith(f"{_OWN_VALUE}="):
            own.append(word)
        elif word == _OWN_VALUE:
            own += [word, *_next(ahead)]
        else:
            rest.append(word)
            if _option(word) in _VALUES:
                rest += _next(ahead)
    return own, rest


def parse(words: Sequence[str]) -> Call:
    """The call that the words mean; raises UsageError, whose sentence says what would mend it."""
    if any(_option(word) == "?" for word in words[:2]):
        return Call(HELP)
    action = words[0].lower() if words else ""
    if action not in _TAKEN:
        said = f"{words[0]!r} is no command" if words else "no command was given"
        raise UsageError(f"{said}; begin with add, del or query, or see 'symstore /?'")
    given = _given(action, words[1:])
    if "?" in given:
        return Call(HELP)
    for name in _NEEDED[action]:
        if name not in given:
            raise UsageError(f"this {action} {_NEEDS[name]}")
    return Call(
        action,
        files=tuple(given.get("f", ())),
        store=_one(given, "s"),
        product=_one(given, "t"),
        version=_one(given, "v"),
        comment=_one(given, "c"),
        transaction=_transaction(_one(given, "i")) if action == DELETE else 0,
        log=_one(given, "d") or None,
        recursive="r" in given,
        verbose="o" in given,
        compress="compress" in given,
        two_tier="3" in given,
        only=_kind(given, "z"),
        prefer=_kind(given, "h"),
        force_copy=":noforcecopy" not in given,
        refs=":norefs" not in given,
    )


def spelled(name: str) -> str:
    """An option as the documentation spells it: `/f`, `-:NOREFS`."""
    return f"-{name.upper()}" if name.startswith(":") else f"/{name}"


def _given(action: str, words: Sequence[str]) -> dict[str, list[str]]:
    given: dict[str, list[str]] = {}
    ahead = iter(words)
    kept: str | None = None
    while (word := kept if kept is not None else next(ahead, None)) is not None:
        kept = None
        name = _option(word)
        if name is None or name not in _VALUES | _FLAGS:
            _unknown(word)
        if name in _REFUSED:
            raise UsageError(f"{spelled(name)} is not taken: {_REFUSED[name]}")
        if name != "?" and name not in _TAKEN[action]:
            raise UsageError(f"{spelled(name)} does not belong to {action}; leave it away")
        if name in given and name not in _REPEATED:
            raise UsageError(f"{spelled(name)} is given twice; leave one of them away")
        values = given.setdefault(name, [])
        if name in _VALUES:
            values.append(_value(name, next(ahead, None)))
        elif name == "compress":
            kept = _after_compress(next(ahead, None))
    return given


def _option(word: str) -> str | None:
    """The name of the option that a word spells, in lower case; None if it does not look like one."""
    match = _OPTION.fullmatch(word)
    return match[1].lower() if match else None


def _value(name: str, word: str | None) -> str:
    # `/v %VERSION% /compress` with the variable empty: the next option must not become the version.
    if word is None or _option(word) in _VALUES | _FLAGS:
        raise UsageError(f'{spelled(name)} needs a value; write "" where it is empty')
    if name in ("f", "s", "d") and re.search(r'"(\s|$)', word):
        raise UsageError(
            f'{spelled(name)} has a quote in {word!r}: to Windows, \\" at the end of a path is no end; '
            'write "$(TargetDir)." or "$(TargetDir)*.*"'
        )
    if not word and name in ("f", "s", "d", "i"):
        raise UsageError(f"{spelled(name)} is empty; say what it names")
    if name == "t" and not word.strip():
        raise UsageError("/t is empty; an add must name its product")
    return word


def _after_compress(word: str | None) -> str | None:
    """The word after /compress, if it is to be read as the next option."""
    if word is None or word[:1] in ("/", "-"):  # -:NOREFS, too, which the SDK of 22000 took for a kind of compression
        return word
    if word.upper() == "CAB":
        return None
    if word.upper() == "ZIP":
        raise UsageError(
            "/compress ZIP is not taken: no debugger is known to read what symstore.exe writes for it; say /compress"
        )
    raise UsageError(f"Invalid compression type '{word}'; say /compress or /compress CAB")


def _unknown(word: str) -> NoReturn:
    if _MANGLED.fullmatch(word):
        raise UsageError(
            f"{word!r} stands where an option should: Git Bash makes paths of /f and its like; "
            "write -f or //f, or set MSYS_NO_PATHCONV=1"
        )
    if word[:1] in ("/", "-"):
        raise UsageError(f"{word!r} is no option; see 'symstore /?'")
    raise UsageError(f"{word!r} belongs to no option; put quotes around what has spaces, and /f before each file")


def _transaction(text: str) -> int:
    if not _NUMBER.fullmatch(text) or not int(text):
        raise UsageError(f"/i {text!r} is not a transaction's number, as 0000000004; 'symsrv history' lists them")
    return int(text)


def _kind(given: dict[str, list[str]], name: str) -> str | None:
    if name not in given:
        return None
    kind = given[name][0].lower()
    if kind not in ("pri", "pub"):
        raise UsageError(f"/{name} takes pub or pri, not {given[name][0]!r}")
    return kind


def _one(given: dict[str, list[str]], name: str) -> str:
    return given[name][0] if name in given else ""


def _next(ahead: Iterator[str]) -> list[str]:
    word = next(ahead, None)
    return [] if word is None else [word]
