"""What LLVM's tools say of Mach-O files and WebAssembly modules."""

import re
from collections.abc import Iterable
from pathlib import Path

from tests.interop.oracles.answers import BUILD_ID, LOADS, NONE, UUIDS, Answer, joined, plain
from tests.interop.oracles.running import output

_UUID = re.compile(r"^UUID: ([0-9A-F-]{36}) ", re.MULTILINE)
_UUID_LINE = re.compile(r"^ +uuid ([0-9A-F-]{36})$", re.MULTILINE)
_LOADS = frozenset(f"LC_{kind}_DYLIB" for kind in ("LOAD", "LOAD_WEAK", "REEXPORT", "LAZY_LOAD", "LOAD_UPWARD"))
_HEX_LINE = re.compile(r"^0x[0-9a-f]{8} ((?:[0-9a-f]{2,8} ?){1,4})", re.MULTILINE)


def llvm_dwarfdump(program: str, files: Iterable[Path]) -> dict[Path, Answer]:
    """The UUIDs of all slices."""
    found = {}
    for path in files:
        stdout, stderr = output([program, "--uuid", path])
        fields = {UUIDS: joined(plain(one) for one in _UUID.findall(stdout))}
        found[path] = Answer(refused=stderr.strip()) if "error:" in stderr and not fields[UUIDS] else Answer(fields)
    return found


def llvm_objdump(program: str, files: Iterable[Path]) -> dict[Path, Answer]:
    """The libraries that all slices name, and their UUIDs, by the load commands."""
    found = {}
    for path in files:
        stdout, stderr = output([program, "--macho", "--private-headers", "--arch=all", path])
        loads, command = [], ""
        for line in stdout.splitlines():
            word, _, value = line.strip().partition(" ")
            if word == "cmd":
                command = value
            elif word == "name" and command in _LOADS:
                loads.append(value.rpartition(" (offset")[0])
        fields = {UUIDS: joined(plain(one) for one in _UUID_LINE.findall(stdout)), LOADS: joined(loads)}
        found[path] = Answer(refused=stderr.strip()) if "error:" in stderr else Answer(fields)
    return found


def llvm_readobj_wasm(program: str, files: Iterable[Path]) -> dict[Path, Answer]:
    """The bytes of the section `build_id`; whether a length stands before the id is for the rules to see."""
    found = {}
    for path in files:
        stdout, stderr = output([program, "--hex-dump=build_id", path])
        if "error:" in stderr:
            found[path] = Answer(refused=stderr.strip())
            continue
        raw = "".join(re.sub(r"\s", "", line) for line in _HEX_LINE.findall(stdout))
        found[path] = Answer({BUILD_ID: raw or NONE})
    return found
