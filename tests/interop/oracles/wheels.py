"""Programs for Windows and macOS that everybody can have: pinned wheels of the package index, unpacked in a cache."""

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import pytest

# At import: while a test runs, its home is another one.
_USER_CACHE = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
CACHE = Path(os.environ.get("SYMSRV_INTEROP_CACHE") or Path(_USER_CACHE, "symsrv-interop"))  # install.sh has the same

# requirement | platform tag | what it brings
PINNED = (
    ("debugpy==1.8.22", "win_amd64"),  # six pairs of a PE and its PDB, by Microsoft's linker
    ("clr_loader==0.3.1", "win_amd64"),  # .NET libraries with portable PDBs
    ("psutil==7.0.0", "win_amd64"),
    ("cffi==2.0.0", "win_amd64"),
    ("cffi==2.0.0", "win_arm64"),
    ("pywin32==311", "win_arm64"),  # programs and many libraries
    ("MarkupSafe==3.0.2", "win32"),
    ("MarkupSafe==3.0.2", "macosx_10_9_universal2"),  # a fat file
    ("MarkupSafe==3.0.2", "macosx_11_0_arm64"),
    ("psutil==7.0.0", "macosx_11_0_arm64"),
    ("cffi==2.0.0", "macosx_10_13_x86_64"),
)
_SUFFIXES = frozenset((".dll", ".exe", ".pyd", ".pdb", ".so", ".dylib"))


def unpacked() -> list[Path]:
    """The symbol and code files of all wheels; those that are not in the cache are downloaded first.

    Those that cannot be downloaded are left out; in CI that fails the test.
    """
    found: list[Path] = []
    for requirement, platform in PINNED:
        folder = CACHE / "wheels" / f"{requirement.replace('==', '-')}-{platform}"
        if not folder.is_dir():
            _fetch(requirement, platform, folder)
        found += (one for one in sorted(folder.rglob("*")) if one.suffix in _SUFFIXES and one.is_file())
    return found


def _fetch(requirement: str, platform: str, folder: Path) -> None:
    """Downloads and unpacks one wheel, and renames it into place when it is whole."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as work:
        options = ["--no-deps", "--only-binary=:all:", "--python-version", "3.11", "--platform", platform]
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--dest", work]
        done = subprocess.run([*pip, *options, requirement], capture_output=True, text=True, timeout=300, check=False)
        if done.returncode:
            if os.environ.get("CI") == "true":
                pytest.fail(f"{requirement} for {platform} cannot be downloaded: {done.stderr[-500:]}")
            return
        inside = Path(work, "unpacked")
        with zipfile.ZipFile(next(Path(work).glob("*.whl"))) as wheel:
            wheel.extractall(inside)
        if not folder.exists():
            shutil.move(inside, folder)
