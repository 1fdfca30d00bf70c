"""Real debuggers fetch what was published, and show names and lines."""

import os
import re
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.interop

SOURCE = """\
#include <stdlib.h>

static int divide(int amount, int shares)
{
    if (shares == 0)
        abort();
    return amount / shares;
}

int main(int argc, char **argv)
{
    (void)argv;
    return divide(7, argc - 1);
}
"""
ABORT_LINE = 6


class Build:
    """A program whose debug info was split off: what a user has, and what was published."""

    def __init__(self, folder: Path, gcc: str, objcopy: str) -> None:
        self.source = folder / "src" / "crash.c"
        self.source.parent.mkdir()
        self.source.write_text(SOURCE)
        whole = folder / "whole"
        self.published = folder / "published"
        self.published.mkdir()
        self.debug = self.published / "crash.debug"
        self.program = self.published / "crash"
        run(gcc, "-g", "-O0", "-no-pie", "-Wl,--build-id=sha1", "-o", whole, self.source)
        run(objcopy, "--only-keep-debug", whole, self.debug)
        run(objcopy, "--strip-all", whole, self.program)
        self.installed = folder / "bin" / "crash"  # as on another machine: stripped, and no debug file near it
        self.installed.parent.mkdir()
        self.installed.write_bytes(self.program.read_bytes())
        self.installed.chmod(0o755)
        self.whole = whole


def run(*command: object, code: int = 0, **more: object) -> str:
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False, **more)
    assert done.returncode == code, f"{words}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


@pytest.fixture
def build(tmp_path, peer):
    return Build(tmp_path, peer("gcc"), peer("objcopy"))


@pytest.fixture
def url(build, tmp_path, symsrv, serving):
    store = tmp_path / "store"
    symsrv("add", build.published, "--store", store, "--product", "crash")
    return serving(store)


@pytest.fixture
def client(tmp_path, url):
    """The environment of somebody who pasted the line, with an empty cache."""
    home = tmp_path / "client"
    home.mkdir()
    keep = {key: os.environ[key] for key in ("PATH", "LANG") if key in os.environ}
    cache = {"DEBUGINFOD_CACHE_PATH": str(home / "cache"), "HOME": str(home)}
    return {**keep, **cache, "DEBUGINFOD_URLS": url, "DEBUGINFOD_TIMEOUT": "10"}


@pytest.fixture
def core(build, tmp_path, peer):
    """A core of the crashed program, written by gdb so that the system's core pattern does not matter."""
    path = tmp_path / "core"
    commands = ["-ex", "run", "-ex", f"generate-core-file {path}", "-ex", "kill"]
    run(peer("gdb"), "-nx", "-q", "-batch", *commands, build.installed, env={"PATH": os.environ["PATH"]})
    assert path.is_file()
    return path


def build_id(build, symsrv):
    import json

    return json.loads(symsrv("identify", "--json", build.installed).stdout)["build_id"]


def test_gdb_prints_a_source_line(build, core, client, peer):
    said = run(
        *(peer("gdb"), "-nx", "-q", "-batch", "-iex", "set debuginfod enabled on"),
        *("-ex", "bt", build.installed, core),
        env=client,
    )

    assert re.search(rf"divide \(amount=7, shares=0\) at .*crash\.c:{ABORT_LINE}\b", said), said
    assert re.search(r"main \(argc=1", said), said


def test_gdb_knows_nothing_without_the_server(build, core, client, peer):
    said = run(
        peer("gdb"), "-nx", "-q", "-batch", "-ex", "bt", build.installed, core, env={**client, "DEBUGINFOD_URLS": ""}
    )

    assert "crash.c" not in said


def test_debuginfod_find_fetches_both_files_whole(build, client, peer, symsrv):
    name = build_id(build, symsrv)

    for kind, published in (("debuginfo", build.debug), ("executable", build.program)):
        fetched = run(peer("debuginfod-find"), kind, name, env=client).strip().splitlines()[-1]
        assert Path(fetched).read_bytes() == published.read_bytes()


def test_debuginfod_find_says_what_is_not_there(client, peer):
    said = run(peer("debuginfod-find"), "debuginfo", "00" * 20, env=client, code=1)

    assert "No such file" in said


def test_debuginfod_find_fetches_one_section(build, client, peer, symsrv, tmp_path):
    if "section" not in run(peer("debuginfod-find"), "--help", env=client):
        pytest.skip("this debuginfod-find knows no sections")
    expected = tmp_path / "expected"
    run(
        peer("objcopy"),
        "-O",
        "binary",
        "--only-section=.debug_line",
        "--set-section-flags",
        ".debug_line=alloc",
        build.debug,
        expected,
    )

    fetched = run(peer("debuginfod-find"), "section", build_id(build, symsrv), ".debug_line", env=client).strip()

    assert Path(fetched.splitlines()[-1]).read_bytes() == expected.read_bytes()


def test_llvm_symbolizer_names_the_line(build, client, peer):
    nm = run("nm", build.whole)
    address = int(re.search(r"^([0-9a-f]+) t divide$", nm, re.M)[1], 16)
    symbolizer = peer("llvm-symbolizer-16", "/usr/bin/llvm-symbolizer-1[6-9]", "llvm-symbolizer")

    said = run(symbolizer, "--debuginfod", f"--obj={build.installed}", hex(address), env=client)

    assert "divide" in said, said
    assert re.search(r"crash\.c:4\b", said), said


def test_eu_stack_names_the_function(build, core, client, peer):
    said = run(peer("eu-stack"), "--core", core, "--executable", build.installed, "--source", "--raw", env=client)

    assert "divide" in said, said
    assert f"crash.c:{ABORT_LINE}" in said, said
