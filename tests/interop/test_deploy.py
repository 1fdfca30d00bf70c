"""What lies in deploy/ is accepted by what it is for: the unit by systemd, the image's steps by a shell."""

import re
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.interop

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
SYSTEMD = DEPLOY / "systemd"
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
