"""What Mozilla's dump_syms says: the id in the MODULE line of the text symbols that it makes."""

import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.interop.oracles.answers import DEBUG_ID, Answer, plain
from tests.interop.oracles.running import output
from tests.interop.oracles.wheels import CACHE

LIMIT_BYTES = 8 << 20  # it reads all symbols of a file: larger ones take seconds
TIMEOUT_SECONDS = 5
_MODULE = re.compile(r"^MODULE \S+ \S+ ([0-9A-F]{33,40}) ", re.MULTILINE)


def program() -> str:
    """Where install.sh built it, or anywhere on the path; it does so where Rust's cargo is, and not in CI."""
    place = shutil.which("dump_syms") or shutil.which("dump_syms", path=str(CACHE / "cargo" / "bin"))
    if place:
        return place
    pytest.skip("dump_syms is not installed; tests/interop/install.sh builds it where cargo is, outside of CI")


def reads(place: str, files: Iterable[Path]) -> dict[Path, Answer]:
    """The ids of the files."""
    found = {}
    for path in files:
        try:
            stdout, stderr = output([place, path], timeout_seconds=TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:  # it follows unwind information in circles
            found[path] = Answer(refused="it does not end")
            continue
        match = _MODULE.search(stdout)
        found[path] = Answer({DEBUG_ID: plain(match[1])}) if match else Answer(refused=stderr.strip() or "no symbols")
    return found
