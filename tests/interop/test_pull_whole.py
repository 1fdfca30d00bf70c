"""An empty store, a folder of crash dumps, servers that have some of it: what can be had comes, and the rest is told.

"Done when" of the puller: `pull --dump` fetches everything that the upstreams have and converts it, `missing` shows
exactly what nobody has, `why` says which server said what and when.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from symsrv.formats import identify_path
from tests.interop.oracles import dump_syms
from tests.interop.oracles.wheels import CACHE
from tests.interop.pulling import Symbols
from tests.made.minidump_builder import LINUX, Loaded, bpel, build_minidump, rsds
from tests.peers.debuginfod import debuginfod_server
from tests.peers.nginx import nginx_server, server

pytestmark = pytest.mark.interop

ABSENT_GUID = bytes(range(16))
ABSENT_BUILD = b"\xee" * 20


def dumps(folder: Path, symbols: Symbols) -> Path:
    """A folder with a dump of a program for Windows and one for Linux; each also loaded what nobody has."""
    code = identify_path(symbols.folder / symbols.exe)[0]
    guid = bytes.fromhex(symbols.pdb.split("/")[1][:32])
    guid = guid[3::-1] + guid[5:3:-1] + guid[7:5:-1] + guid[8:]
    stamp, size = int(code.code_id[:8], 16), int(code.code_id[8:], 16)
    windows = [
        Loaded("C:\\out\\made.exe", rsds(guid, 1, b"C:\\out\\made.pdb"), stamp=stamp, size=size),
        Loaded("C:\\out\\secret.dll", rsds(ABSENT_GUID, 1, b"C:\\out\\secret.pdb"), stamp=0x5AB38077, size=0x9000),
    ]
    linux = [
        Loaded("/usr/lib/libmade.so", bpel(bytes.fromhex(symbols.build_id))),
        Loaded("/usr/lib/libsecret.so", bpel(ABSENT_BUILD)),
    ]
    folder.mkdir()
    (folder / "windows.dmp").write_bytes(build_minidump(windows))
    (folder / "linux.dmp").write_bytes(build_minidump(linux, platform=LINUX))
    return folder


@pytest.fixture
def away(peer: Callable[..., str], serving: Callable[..., str], symbols: Symbols, tmp_path: Path):
    """Three servers that have one file each: nginx the PDB, another symsrv the program, debuginfod the library."""
    nginx, others, libraries, work = (tmp_path / name for name in ("nginx", "others", "libraries", "debuginfod"))
    for folder in (nginx, others, libraries, work):
        folder.mkdir()
    shutil.copytree(symbols.folder / symbols.pdb.split("/")[0], nginx / "files" / symbols.pdb.split("/")[0])
    shutil.copytree(symbols.folder / symbols.exe.split("/")[0], others / "made.exe")
    shutil.copy(symbols.folder / symbols.elf, libraries)
    with (
        nginx_server(peer("nginx"), nginx, server(nginx / "files")) as (_, port),
        debuginfod_server(peer("debuginfod"), work, files=libraries, build_id=symbols.build_id) as debuginfod,
    ):
        yield [
            {"name": "nginx", "url": f"http://127.0.0.1:{port}", "order": 1},
            {"name": "symsrv", "url": serving(others), "order": 2},
            {"name": "debuginfod", "url": debuginfod, "layouts": ["debuginfod"], "order": 3},
        ]


@pytest.fixture
def said(away, tmp_path: Path) -> Callable[..., list[dict]]:
    """Runs symsrv over an empty store with these upstreams; the JSON lines that it answers."""
    converter = {"name": "text", "kind": "convert", "on_arrival": True, "order": 9}
    values = {"store": str(tmp_path / "ours"), "state": str(tmp_path / "state"), "upstreams": [*away, converter]}
    config = tmp_path / "symsrv.yaml"
    config.write_text(yaml.safe_dump(values))
    path = os.pathsep.join([os.environ["PATH"], str(CACHE / "cargo" / "bin")])
    environment = {**os.environ, "SYMSRV_CONFIG": str(config), "PATH": path}

    def run(*words: object, code: int = 0) -> list[dict]:
        command = [sys.executable, "-m", "symsrv", *map(str, words), "--json"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False, env=environment)
        assert done.returncode == code, done.stdout + done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    return run


def test_an_empty_store_and_a_folder_of_dumps(said, symbols: Symbols, tmp_path: Path):
    began = datetime.now(UTC)
    *lines, summary = said("pull", "--dump", dumps(tmp_path / "dumps", symbols), code=3)

    here = {line["key"]: line["upstream"] for line in lines if line["status"] == "stored"}
    assert here[symbols.pdb] == "nginx"
    assert here[symbols.exe] == "symsrv"
    assert here[symbols.elf] == "debuginfod"
    for key in (symbols.exe, symbols.pdb, symbols.elf):
        assert (tmp_path / "ours" / key).read_bytes() == symbols.bytes(key)
    assert summary["missing"] == 4

    nobody = {(line["name"], line["id"], line["kind"]) for line in said("missing")}
    guid = "030201000504070608090a0b0c0d0e0f"
    assert nobody == {
        ("secret.pdb", f"{guid}1", "debug"),
        ("secret.dll", "5ab380779000", "code"),
        ("libsecret.so", ABSENT_BUILD.hex(), "code"),
        ("libsecret.so", ABSENT_BUILD.hex(), "debug"),
    }

    (why,) = said("why", "secret.pdb", f"{guid}1", code=1)
    told = {one["upstream"]: one for one in why["wanted"]["tries"]}
    assert {"nginx", "symsrv"} <= set(told)
    for name in ("nginx", "symsrv"):
        assert told[name]["reason"] == "absent"
        assert began <= datetime.fromisoformat(told[name]["at"]) <= datetime.now(UTC)


def test_what_came_is_converted(said, symbols: Symbols, tmp_path: Path):
    dump_syms.program()

    lines = said("pull", "--dump", dumps(tmp_path / "dumps", symbols), code=3)

    made = {line["key"]: line for line in lines if line.get("kind") == "sym"}
    assert {Path(key).name for key in made} >= {"made.sym", "libmade.so.sym"}
    assert {line["upstream"] for line in made.values()} == {"text"}
    text = next((tmp_path / "ours").rglob("made.sym")).read_text()
    assert text.startswith("MODULE windows x86_64 ")
    assert "corpus_add" in text
