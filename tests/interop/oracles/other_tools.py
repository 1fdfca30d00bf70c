"""What LLVM's tools say of Mach-O files and WebAssembly modules."""

import re
from collections.abc import Iterable
from pathlib import Path

from tests.interop.oracles.answers import BUILD_ID, NONE, UUIDS, Answer, joined, plain
from tests.interop.oracles.running import output

_UUID = re.compile(r"^UUID: ([0-9A-F-]{36}) ", re.MULTILINE)
_HEX_LINE = re.compile(r"^0x[0-9a-f]{8} ((?:[0-9a-f]{2,8} ?){1,4})", re.MULTILINE)


def llvm_dwarfdump(program: str, files: Iterable[Path]) -> dict[Path, Answer]:
    """The UUIDs of all slices."""
    found = {}
    for path in files:
        stdout, stderr = output([program, "--uuid", path])
        fields = {UUIDS: joined(plain(one) for one in _UUID.findall(stdout))}
        found[path] = Answer(refused=stderr.strip()) if "error:" in stderr and not fields[UUIDS] else Answer(fields)
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
