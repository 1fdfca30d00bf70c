"""Fetch-through from end to end: a client of `serve` waits while another process fetches, and gets the right file."""

import subprocess
import sys
import time

import pytest

from tests.commands.serving import running
from tests.ingest.files import pdb
from tests.mirror.pulling import key_of
from tests.mirror.site import Site

PATIENCE = 60


@pytest.fixture
def site():
    with Site() as one:
        yield one


@pytest.fixture
def config(run, tmp_path, site):
    path = tmp_path / "symsrv.yaml"
    path.write_text(
        f"store: store\nstate: state\nmirror: {{fetch_through: true, fetch_through_allow: ['app*'], "
        f"fetch_through_wait: {PATIENCE}s}}\nupstreams:\n  - {{name: there, url: '{site.url}', layouts: [symstore], "
        "packed: false, pause: 10ms}\n"
    )
    (tmp_path / "other.pdb").write_bytes(pdb(9))
    run("add", tmp_path / "other.pdb", "-c", path)
    return path


@pytest.fixture
def puller(config, tmp_path):
    log = tmp_path / "pull.log"
    command = [sys.executable, "-m", "symsrv", "pull", "--missing", "--keep-going", "-c", str(config)]
    with log.open("w") as stream, subprocess.Popen(command, stdout=stream, stderr=stream) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a_client_gets_what_was_not_here_when_it_asked(config, puller, site, tmp_path, run):
    keys = [key_of(pdb(number), f"app{number}.pdb", tmp_path / "made") for number in (1, 2)]
    site.files[keys[0]] = pdb(1)

    with running("serve", "-c", config) as one:
        begun = time.monotonic()
        assert one.get(keys[0]) == (200, pdb(1))
        status, body = one.get(keys[1])
        took = time.monotonic() - begun

        assert (status, body) == (404, b"not in this store, and no other server had it when it was asked lately\n")
        # As soon as it is known that nobody has it; and what is not allowed is not waited for.
        assert took < PATIENCE / 2
        assert one.get(key_of(pdb(3), "else1.pdb", tmp_path / "made"))[0] == 404
        one.end()

    assert (tmp_path / "store" / keys[0]).read_bytes() == pdb(1)
    listed = {one["name"]: one for one in run("missing", "-c", config, "--json").lines}
    assert (listed["app2.pdb"]["state"], listed["app2.pdb"]["reason"]) == ("resting", "absent")
    assert listed["else1.pdb"]["who"] == ["serve:python"]
