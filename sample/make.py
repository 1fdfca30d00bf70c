"""Makes the sample build again: `python sample/make.py`, after `pip install ziglang==0.17.0`.

The same bytes come out in whatever folder this runs: CHECKSUMS holds their hashes, tests/test_sample.py compares.
What a tool chain writes for a program of one file:

    build/windows/crash.exe crash.pdb    PE and its PDB
    build/linux/crash                    ELF with DWARF and a build id
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
VERSION = "0.17.0"  # of ziglang; another one writes other bytes


def make(target: Path) -> None:
    """Builds the sample into `target`."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder).resolve()
        shutil.copy(HERE / "crash.c", work)
        _compile_windows(work)
        _compile_linux(work)
        for system, names in (("windows", ("crash.exe", "crash.pdb")), ("linux", ("crash",))):
            (target / system).mkdir(parents=True, exist_ok=True)
            for name in names:
                shutil.copy(work / name, target / system / name)


def checksums(target: Path) -> str:
    """One line per file: its SHA-256 and its path."""
    files = sorted(path for path in target.rglob("*") if path.is_file())
    return "".join(f"{hashlib.sha256(p.read_bytes()).hexdigest()}  {p.relative_to(target).as_posix()}\n" for p in files)


def _compile_windows(work: Path) -> None:
    _zig(
        work,
        *("cc", "-target", "x86_64-windows-msvc", "-g", "-O1", "-fno-sanitize=undefined"),
        *("-gno-codeview-command-line", "-Xclang", "-object-file-name=crash.obj", f"-ffile-prefix-map={work}=/src"),
        *("-c", "-o", "crash.obj", "crash.c"),
    )
    _zig(
        work,
        *("lld-link", "/nologo", "/Brepro", "/debug", "/subsystem:windows", "/entry:wWinMainCRTStartup"),
        *("/out:crash.exe", "/pdb:crash.pdb", "/pdbaltpath:%_PDB%", "/pdbsourcepath:/src", "crash.obj"),
    )


def _compile_linux(work: Path) -> None:
    _zig(
        work,
        *("cc", "-target", "x86_64-linux-musl", "-g", "-O1", "-nostdlib", "-fno-sanitize=undefined"),
        *(f"-ffile-prefix-map={work}=/src", "-Wl,--build-id=sha1", "-o", "crash", "crash.c"),
    )


def _zig(work: Path, *arguments: str) -> None:
    caches = {"ZIG_GLOBAL_CACHE_DIR": str(work / "global"), "ZIG_LOCAL_CACHE_DIR": str(work / "local")}
    command = [sys.executable, "-m", "ziglang", *arguments]
    subprocess.run(command, cwd=work, env={**os.environ, **caches}, check=True)


if __name__ == "__main__":
    make(HERE / "build")
    (HERE / "CHECKSUMS").write_text(checksums(HERE / "build"))
    print(checksums(HERE / "build"), end="")
