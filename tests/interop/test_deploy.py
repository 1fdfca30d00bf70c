"""What lies in deploy/ holds together: systemd accepts the unit, and the image names only what is there."""

import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import yaml

from symsrv.commands import COMMANDS
from symsrv.config import ENVIRONMENT
from symsrv.store import open_store
from tests.interop.conftest import free_port

pytestmark = pytest.mark.interop

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
REPOSITORY = DEPLOY.parent
SYSTEMD = DEPLOY / "systemd"
DOCKER = DEPLOY / "docker"
WINDOWS = DEPLOY / "windows"
PROGRAM = "/opt/symsrv/bin/symsrv"


@pytest.fixture
def units(tmp_path):
    """The unit as if installed, with a program that is there."""
    program = tmp_path / "symsrv"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)

    def install(*, watching):
        unit = tmp_path / "symsrv.service"
        unit.write_text((SYSTEMD / "symsrv.service").read_text().replace(PROGRAM, str(program)))
        if watching:
            drop_in = tmp_path / "symsrv.service.d" / "watch.conf"
            drop_in.parent.mkdir()
            drop_in.write_text((SYSTEMD / "symsrv.service.d" / "watch.conf").read_text().replace(PROGRAM, str(program)))
        return unit

    return install


def analyzed(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if "unrecognized option" in done.stderr:
        pytest.skip("this systemd-analyze is too old")
    return done


@pytest.mark.parametrize("watching", [False, True], ids=["serve", "watch"])
def test_systemd_accepts_the_unit(peer, units, watching):
    done = analyzed(peer("systemd-analyze"), "verify", "--man=no", str(units(watching=watching)))

    assert (done.returncode, done.stderr.strip()) == (0, "")


def test_the_unit_is_as_closed_as_its_page_says(peer, units):
    (said,) = re.findall(r"\*\*exposure (\d\.\d)\*\*", (SYSTEMD / "README.md").read_text(encoding="utf-8"))
    tool, unit = peer("systemd-analyze"), units(watching=False)

    done = analyzed(tool, "security", "--offline=true", "--no-pager", str(unit))

    (found,) = re.findall(r"Overall exposure level for symsrv.service: (\d+\.\d)", done.stdout)
    assert float(found) <= float(said), done.stdout
    again = analyzed(tool, "security", "--offline=true", f"--threshold={round(float(said) * 10)}", str(unit))
    assert again.returncode == 0


def instructions():
    """The Dockerfile as (instruction, rest), lines joined and comments left out."""
    text = re.sub(r"^#.*\n", "", (DOCKER / "Dockerfile").read_text(encoding="utf-8"), flags=re.M).replace("\\\n", " ")
    return [tuple(line.split(maxsplit=1)) for line in text.splitlines() if line]


def the_last(name):
    return [rest for instruction, rest in instructions() if instruction == name][-1]


def test_the_image_copies_what_is_there_and_not_ignored():
    ignore = (DOCKER / "Dockerfile.dockerignore").read_text().splitlines()
    copied = [rest.split()[:-1] for name, rest in instructions() if name == "COPY" and "--from" not in rest]

    sources = [source for sources in copied for source in sources]

    assert sources
    for source in sources:
        assert (REPOSITORY / source).exists()
        assert f"!{source}" in ignore
    assert ignore[1] == "*"


def test_the_image_runs_a_verb_as_an_ordinary_user():
    settings = dict(part.split("=", 1) for part in the_last("ENV").split())

    assert int(the_last("USER").split(":")[0]) > 999
    assert json.loads(the_last("ENTRYPOINT")) == ["symsrv"]
    verb, folder = json.loads(the_last("CMD"))
    assert verb in {one.name for one in COMMANDS}
    assert {folder, settings["SYMSRV_STORE"], settings["SYMSRV_STATE"]} == set(json.loads(the_last("VOLUME")))
    assert {name for name in settings if name != "PATH"} <= set(ENVIRONMENT)
    assert settings["SYMSRV_LISTEN"].endswith(f":{the_last('EXPOSE')}")


def test_the_health_check_tells_a_server_from_none(serving, tmp_path):
    port = the_last("EXPOSE")
    python, *arguments = json.loads(the_last("HEALTHCHECK").partition(" CMD ")[2])
    url = serving(open_store(str(tmp_path / "store"), create=True, state=tmp_path / "state").url)

    def check(port_asked):
        command = [sys.executable, *(argument.replace(port, str(port_asked)) for argument in arguments)]
        environment = {**os.environ, "http_proxy": "http://127.0.0.1:9"}
        return subprocess.run(command, env=environment, capture_output=True, timeout=30, check=False).returncode

    assert python == "python"
    assert check(url.rpartition(":")[2]) == 0
    assert check(free_port()) == 1


def test_compose_mounts_the_volumes_of_the_image():
    compose = yaml.safe_load((DOCKER / "compose.yaml").read_text(encoding="utf-8"))
    (service,) = compose["services"].values()

    mounted = {re.search(r":(/\w+)(?::ro)?$", one)[1] for one in service["volumes"]}

    assert mounted == set(json.loads(the_last("VOLUME")))
    assert (DOCKER / service["build"]["context"] / service["build"]["dockerfile"]).resolve() == DOCKER / "Dockerfile"
    assert set(compose["volumes"]) == {one.split(":")[0] for one in service["volumes"] if one[0] not in "$./"}


def test_the_windows_recipes_name_verbs_and_options_that_there_are(run, tmp_path):
    page = (WINDOWS / "README.md").read_text(encoding="utf-8")
    service = ElementTree.fromstring((WINDOWS / "symsrv-service.xml").read_text(encoding="utf-8"))
    configuration = tmp_path / "symsrv.yaml"
    configuration.write_text(re.search(r"@'\n(.*?)'@", page, re.S)[1])
    lines = re.findall(r"Scripts\\symsrv(?:\.exe)? ([^\n\"']*)", page)

    assert run("config", "--check", "-c", configuration).code == 0
    assert len(lines) == 4
    for line in [*lines, service.findtext("arguments")]:
        verb, *options = line.partition(" >> ")[0].split()
        (found,) = (one for one in COMMANDS if one.name == verb)
        known = {name for parameter in found.params for name in parameter.opts}
        assert {option for option in options if option.startswith("-")} <= known
    assert service.findtext("executable").startswith("C:\\symsrv\\Scripts\\")
