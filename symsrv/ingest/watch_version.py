"""Versions that a build says itself: `{pe}`, `{file:VERSION}`, `{git}` and `{date}` in the version of a watched folder.

What cannot be had is left out with one warning: a build without a version is published all the same.
"""

import difflib
import logging
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from string import Formatter

from symsrv.formats.base import FileReader
from symsrv.formats.loading import pe_version

logger = logging.getLogger(__name__)

KEYS = ("pe", "file", "git", "date")
LONGEST = 200
GIT_SECONDS = 10.0

_FILE_BYTES = 4096
_PROGRAMS = 64
_PROGRAM_ENDINGS = (".exe", ".dll", ".sys", ".ocx", ".efi", ".scr", ".cpl")
_DATE = "%Y-%m-%d"


@dataclass(frozen=True, slots=True)
class Facts:
    """What a version may be made of: the folder, the programs that are published, and the time by the wall clock."""

    folder: str
    programs: tuple[str, ...] = ()
    now: float = 0.0


def check(template: str) -> str:
    """The template itself, if it is one; raises ValueError that says what would mend it."""
    try:
        parts = list(Formatter().parse(template))
    except ValueError as error:
        raise ValueError(f"{template!r}: {error}; a brace that means itself is written twice") from error
    for _, key, detail, conversion in parts:
        if key is None:
            continue
        if key not in KEYS or conversion:
            near = difflib.get_close_matches(key.lower(), KEYS, n=1, cutoff=0.5)
            mend = f"did you mean '{{{near[0]}}}'?" if near else "known are {pe}, {file:NAME}, {git} and {date}"
            raise ValueError(f"unknown part '{{{key}}}' in {template!r}; {mend}")
        if key == "file" and not detail:
            raise ValueError(f"'{{file}}' in {template!r} names no file; write {{file:VERSION}}")
        if key in ("pe", "git") and detail:
            raise ValueError(f"'{{{key}:{detail}}}' in {template!r} takes nothing after the colon; write {{{key}}}")
    return template


def fill(template: str, facts: Facts) -> str:
    """The version that a template comes to for a build; raises ValueError if it is none."""
    if not set(template) & set("{}"):
        return template
    made = []
    for text, key, detail, _ in Formatter().parse(check(template)):
        made.append(text)
        if key is not None:
            made.append(_plain(_PARTS[key](facts, detail or "")))
            if not made[-1]:
                part = f"{{{key}:{detail}}}" if detail else f"{{{key}}}"
                logger.warning("no version", extra={"folder": facts.folder, "part": part})
    return "".join(made)[:LONGEST]


def programs_of(paths: Iterable[str]) -> tuple[str, ...]:
    """Those that may be programs with a version, by their names: the rest need not be opened."""
    return tuple(path for path in paths if path.lower().endswith(_PROGRAM_ENDINGS))


def _pe(facts: Facts, _detail: str) -> str:
    """The file version of the newest program that has one: of an exe before a library."""
    times = [(_modified(path), path) for path in facts.programs]
    newest = sorted(times, key=lambda one: (one[1].lower().endswith(".exe"), one), reverse=True)
    for _, path in newest[:_PROGRAMS]:
        try:
            with open(path, "rb") as stream:
                version = pe_version.version(FileReader(stream.fileno()))
        except OSError:
            continue
        if version is not None:
            return ".".join(map(str, version))
    return ""


def _file(facts: Facts, name: str) -> str:
    """The first line of a file, by its path from the folder."""
    try:
        with Path(facts.folder, name).open("rb") as stream:
            text = stream.read(_FILE_BYTES)
    except OSError:
        return ""
    return text.decode("utf-8-sig", "replace").strip().partition("\n")[0]


def _git(facts: Facts, _detail: str) -> str:
    """What git calls the commit; no shell, no hooks of the repository, and it is not waited for without end."""
    git = shutil.which("git")
    if git is None:
        return ""
    command = [git, "-c", "core.fsmonitor=false", "-C", facts.folder, "describe", "--always", "--dirty"]
    environment = os.environ | {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
    try:
        done = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=GIT_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", "replace").strip() if done.returncode == 0 else ""


def _date(facts: Facts, form: str) -> str:
    """The day in UTC, or what a form of strftime makes of it."""
    return time.strftime(form or _DATE, time.gmtime(facts.now))


_PARTS: dict[str, Callable[[Facts, str], str]] = {"pe": _pe, "file": _file, "git": _git, "date": _date}


def _modified(path: str) -> float:
    try:
        return Path(path).stat().st_mtime
    except OSError:
        return 0.0


def _plain(text: str) -> str:
    return "".join(one for one in text if one.isprintable()).strip()
