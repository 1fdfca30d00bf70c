"""What the README says of what is missing: its YAML does that, and its lines name verbs and options that there are."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from symsrv.commands import COMMANDS
from symsrv.store import open_store
from tests.mirror.hosts import plain_host
from tests.mirror.test_tail import pdb
from tests.serve.site import publish

REPOSITORY = Path(__file__).resolve().parent.parent
PAGE = (REPOSITORY / "README.md").read_text(encoding="utf-8")
SECTION = re.search(r"^## What is missing\n(.*?)^## ", PAGE, re.S | re.M)[1]
YAML = re.search(r"```yaml\n(# symsrv\.yaml\n.*?)```", SECTION, re.S)[1]
PATIENCE = 60.0


@pytest.fixture
def world(tmp_path):
    """A host for each upstream of the page that is away: one has a build, another what a vendor publishes."""
    folders = {}
    for name, files in {"build-farm": [pdb("app.pdb", 1)], "microsoft": [pdb("ntdll.pdb", 2)], "none": []}.items():
        folders[name] = tmp_path / name
        store = open_store(str(folders[name]), create=True, state=tmp_path / f"{name}-state")
        if files:
            publish(store, tmp_path / "build", *files)
        store.close()
    with (
        plain_host(folders["build-farm"]) as farm,
        plain_host(folders["microsoft"]) as microsoft,
        plain_host(folders["none"]) as none,
    ):
        yield {"build-farm": farm, "microsoft": microsoft, "mozilla": none, "debian": none}


@pytest.fixture
def config(world, tmp_path):
    """The page's YAML with our folder, our hosts, and no hours."""
    values = yaml.safe_load(YAML)
    values |= {"store": str(tmp_path / "ours"), "state": str(tmp_path / "state")}
    values["mirror"]["window"] = "00:00-00:00"  # the whole day
    for upstream in values["upstreams"]:
        if upstream["name"] in world:
            upstream["url"] = world[upstream["name"]].url
    path = tmp_path / "symsrv.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


def test_the_yaml_is_twenty_lines_that_hold(run, tmp_path, monkeypatch):
    monkeypatch.setenv("BUILD_FARM_PASSWORD", "secret")
    path = tmp_path / "symsrv.yaml"
    path.write_text(YAML)

    result = run("config", "--check", "-c", path)

    assert (result.code, len(YAML.splitlines())) == (0, 20), result.err


def test_the_yaml_fetches_what_is_missing_until_it_is_stopped(config, world, tmp_path):
    open_store(str(tmp_path / "ours"), create=True, state=tmp_path / "state").close()
    environment = {**os.environ, "BUILD_FARM_PASSWORD": "secret", "SYMSRV_CONFIG": str(config)}
    line = re.search(r"`symsrv (pull [^`]*--keep-going)`", SECTION)[1].split()
    wanted = next(path for path in (tmp_path / "microsoft").rglob("ntdll.pdb") if path.is_file())
    home = wanted.relative_to(tmp_path / "microsoft").as_posix()
    asked = [sys.executable, "-m", "symsrv", "pull", home, "--json"]
    fetched = subprocess.run(asked, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False)
    lines = [json.loads(line) for line in fetched.stdout.splitlines()]
    assert lines[0]["upstream"] == "microsoft", fetched.stderr
    lacking = {line["kind"] for line in lines[:-1] if line["status"] == "missing"}
    assert lacking <= {"sym"}, fetched.stdout  # there is no dump_syms here, or it makes nothing of so small a PDB
    assert fetched.returncode == (3 if lacking else 0)

    process = subprocess.Popen(
        [sys.executable, "-m", "symsrv", *line], env=environment, stderr=subprocess.PIPE, text=True
    )
    try:
        ends = time.monotonic() + PATIENCE
        while not list((tmp_path / "ours" / "app.pdb").rglob("app.pdb")):
            assert process.poll() is None, process.stderr.read()
            assert time.monotonic() < ends
            time.sleep(0.05)
    finally:
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=PATIENCE)

    assert (tmp_path / "ours" / home).read_bytes() == wanted.read_bytes()
    assert process.returncode == 128 + signal.SIGTERM, err
    assert not any("app.pdb" in path for path in world["microsoft"].asked)  # only its own upstream was asked


def test_its_lines_name_verbs_and_options_that_there_are():
    lines = re.findall(r"symsrv ((?!yaml)[a-z][^`|\n]*)", SECTION)
    verbs = {verb.name: verb for verb in COMMANDS}
    named = set()

    for line in lines:
        words = line.split()
        verb = verbs.get(" ".join(words[:2])) or verbs.get(words[0].rstrip(","))
        assert verb is not None, line
        named.add(verb.name)
        known = {name for parameter in verb.params for name in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= known, line

    assert {"pull", "missing", "why", "upstream add", "upstream tail", "skiplist clear"} <= named
