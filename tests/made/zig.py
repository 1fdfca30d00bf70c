"""Real PE, PDB, ELF, Mach-O and WASM files, linked by lld from `python -m ziglang`. See `tests/made/__init__.py`.

Recipes: the corpus's README, "Making real files". They need no network; each takes about 0.1 s, once per machine.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

SOURCE = """\
int corpus_add(int a, int b) { return a * b + 1; }
#ifdef _WIN32
int wWinMainCRTStartup(void) { return corpus_add(1, 2); }
int __stdcall DllMainCRTStartup(void *h, unsigned r, void *p) { (void)h; (void)p; return corpus_add((int)r, 2) != 0; }
int __stdcall _DllMainCRTStartup(void *h, unsigned r, void *p) { return DllMainCRTStartup(h, r, p); }
#else
int main(void) { return corpus_add(1, 2); }
void _start(void) { corpus_add(1, 2); for (;;); }
#endif
"""
FLAGS = ("-g", "-O1", "-nostdlib", "-fno-sanitize=undefined")
WINDOWS_TARGETS = {"x86": "x86-windows-gnu", "x86_64": "x86_64-windows-gnu", "arm64": "aarch64-windows-gnu"}
ELF_TARGETS = {
    "x86": "x86-linux-musl",
    "x86_64": "x86_64-linux-musl",
    "arm": "arm-linux-musleabihf",
    "arm64": "aarch64-linux-musl",
    "mips": "mips-linux-musl",
    "ppc": "powerpc-linux-musl",
    "riscv64": "riscv64-linux-musl",
    "s390x": "s390x-linux-gnu",
}
MACHO_TARGETS = {"x86_64": "x86_64-macos", "arm64": "aarch64-macos"}
BIG_ENDIAN = frozenset({"mips", "ppc", "s390x"})


@dataclass(frozen=True)
class Pair:
    """A PE and its PDB; the age is always 1. Ask pefile or symbolic for the GUID: it changes with every build."""

    code: Path
    debug: Path
    arch: str


@dataclass(frozen=True)
class Made:
    """An ELF file. `build_id`: its id in hexadecimal if the recipe chose it, "" if the linker did, None if none."""

    path: Path
    arch: str
    build_id: str | None
    id_bytes: int


def linked(arch: str) -> Pair:
    """A program for Windows with its PDB, for a key of WINDOWS_TARGETS."""
    folder = _folder() / f"pe-{arch}"
    target = ("-target", WINDOWS_TARGETS[arch])
    code = _build(folder / "made.exe", *target, *FLAGS, beside=("made.pdb",))
    return Pair(code, folder / "made.pdb", arch)


def elf(arch: str = "x86_64", style: str = "sha1", *, debug: bool = True) -> Made:
    """A shared library with DWARF (or without) and a build id: sha1, md5, uuid, fast, `0x…` or none."""
    folder = _folder() / f"elf-{arch}-{style[:12]}-{len(style)}{'' if debug else '-plain'}"
    flags = FLAGS if debug else (*FLAGS[1:], "-s")
    path = _build(folder / "libmade.so", "-target", ELF_TARGETS[arch], *flags, "-shared", f"-Wl,--build-id={style}")
    chosen = style[2:] if style.startswith("0x") else ""
    sizes = {"sha1": 20, "md5": 16, "uuid": 16, "fast": 8, "none": 0}
    return Made(path, arch, None if style == "none" else chosen, sizes.get(style, len(chosen) // 2))


def relocatable(arch: str = "x86_64") -> Path:
    """An object file with DWARF; it has no build id."""
    return _build(_folder() / f"o-{arch}" / "made.o", "-target", ELF_TARGETS[arch], *FLAGS, "-c")


def macho(arch: str = "x86_64") -> Path:
    """A library for macOS with LC_UUID, for a key of MACHO_TARGETS; its DWARF stays in the object file."""
    folder = _folder() / f"macho-{arch}"
    return _build(folder / "libmade.dylib", "-target", MACHO_TARGETS[arch], *FLAGS, "-shared")


def wasm(style: str = "sha1", *, debug: bool = True) -> Path:
    """A WebAssembly module with DWARF (or without) and a build id: sha1, uuid, fast, `0x…` or none."""
    folder = _folder() / f"wasm-code-{style[:12]}-{len(style)}{'' if debug else '-plain'}"
    flags = FLAGS if debug else (*FLAGS[1:], "-s")
    linker = ("-Wl,--no-entry", "-Wl,--export=corpus_add", f"-Wl,--build-id={style}")
    return _build(folder / "made.wasm", "-target", "wasm32-wasi", *flags, *linker)


@cache
def _folder() -> Path:
    recipe = hashlib.sha256(f"{SOURCE}{FLAGS}{sys.version_info[:2]}".encode()).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"symsrv-made-{recipe}"
    folder.mkdir(exist_ok=True)
    return folder


@cache
def _build(output: Path, *arguments: str, beside: tuple[str, ...] = ()) -> Path:
    """Runs zig in a folder of its own and renames that into place, so that runs side by side do not meet."""
    folder = output.parent
    if not output.exists():
        with tempfile.TemporaryDirectory(dir=_folder(), ignore_cleanup_errors=True) as work:
            made = Path(work) / folder.name
            made.mkdir()
            (made / "made.c").write_text(SOURCE)
            command = [sys.executable, "-m", "ziglang", "cc", *arguments, "-o", output.name, "made.c"]
            environment = {
                **os.environ,
                "ZIG_GLOBAL_CACHE_DIR": str(_folder() / "zig"),
                "ZIG_LOCAL_CACHE_DIR": str(_folder() / "zig"),
            }
            done = subprocess.run(command, cwd=made, env=environment, capture_output=True, text=True, check=False)
            missing = [name for name in (output.name, *beside) if not (made / name).exists()]
            if done.returncode or missing:
                raise RuntimeError(f"{' '.join(command)} made no {missing}: {done.stderr[-2000:]}")
            if not folder.exists():
                made.rename(folder)
    return output
