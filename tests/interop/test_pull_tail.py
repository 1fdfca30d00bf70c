"""A whole upstream that is followed: by a process that is killed half-way, and out of a bucket with our documents."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from symsrv.ledger.state import open_state
from symsrv.mirror import open_upstream
from symsrv.mirror.settings import Credentials, TailOptions, UpstreamOptions
from symsrv.mirror.tail import follow, reading
from symsrv.options import Secret
from symsrv.store import open_store
from tests.mirror.hosts import plain_host
from tests.mirror.test_tail import names, pdb
from tests.peers import ceph, moto
from tests.serve.site import publish

pytestmark = pytest.mark.interop

MANY = 20
LIST = re.compile(r"/000Admin/(\d{10})")
FILE = re.compile(r"/(f\d+\.pdb)/\w+/f\d+\.pd[b_]")
CONFIG = """\
store: {folder}/ours
state: {folder}/state
upstreams:
  - name: vendor
    url: {url}
    packed: false
    tail: {{deletions: delete}}
"""


@pytest.fixture
def theirs(tmp_path):
    store = open_store(str(tmp_path / "theirs"), create=True, state=tmp_path / "their-state")
    yield store
    store.close()


def symsrv(config, *words, wait=True):
    environment = {**os.environ, "SYMSRV_CONFIG": str(config)}
    command = [sys.executable, "-m", "symsrv", *words]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    if not wait:
        return process
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err + out
    return [json.loads(line) for line in out.splitlines()]


def test_a_pass_that_is_killed_half_way_is_gone_on_with(theirs, tmp_path):
    for number in range(1, MANY + 1):
        publish(theirs, tmp_path / "build", pdb(f"f{number}.pdb", number))
    open_store(str(tmp_path / "ours"), create=True, state=tmp_path / "state").close()
    half, killed = threading.Event(), threading.Event()

    def slow(path):
        found = LIST.fullmatch(path)
        if found and int(found[1]) == MANY // 2 and not killed.is_set():
            half.set()
            killed.wait(60)

    with plain_host(Path(theirs.url), slow) as host:
        config = tmp_path / "symsrv.yaml"
        config.write_text(CONFIG.format(folder=tmp_path, url=host.url))
        first = symsrv(config, "upstream", "tail", "--json", wait=False)
        assert half.wait(60), first.communicate()
        first.send_signal(signal.SIGKILL)
        first.communicate()
        killed.set()
        (second,) = symsrv(config, "upstream", "tail", "--json")
        assert (second["wished"], second["complete"], second["number"]) == (MANY // 2 + 1, True, MANY)
        symsrv(config, "pull", "--missing", "--json")
        asked = [int(found[1]) for path in host.asked if (found := LIST.fullmatch(path))]
        assert sorted(asked) == sorted([*range(1, MANY + 1), MANY // 2])  # the one that was under way twice
        fetched = [found[1] for path in host.asked if (found := FILE.fullmatch(path))]
        assert sorted(fetched) == sorted(f"f{number}.pdb" for number in range(1, MANY + 1))

        theirs.delete([1, 3])
        (third,) = symsrv(config, "upstream", "tail", "--json")
        symsrv(config, "pull", "--missing", "--json")

    assert len(third["deleted"]) >= 1
    ours = open_store(str(tmp_path / "ours"), state=tmp_path / "other-state")
    ours.catch_up()
    here = sorted(file.home.split("/")[0] for file in ours.search(".pdb", limit=1000))
    ours.close()
    assert here == sorted(f"f{number}.pdb" for number in range(1, MANY + 1) if number not in (1, 3))


def test_a_bucket_with_our_documents(ceph_url, tmp_path, monkeypatch):
    with moto.environment(ceph_url, ceph.CREDENTIALS):
        url = f"s3://{moto.new_bucket(ceph_url, ceph.CREDENTIALS)}/symbols"
        theirs = open_store(url, create=True, state=tmp_path / "their-state")
        publish(theirs, tmp_path / "build", pdb("a.pdb", 1), pdb("b.pdb", 2))
        publish(theirs, tmp_path / "build", pdb("c.pdb", 3))
        theirs.delete([1])
        theirs.close()
    monkeypatch.setenv("CEPH_SECRET", ceph.CREDENTIALS["AWS_SECRET_ACCESS_KEY"])
    known = Credentials(
        access_key=ceph.CREDENTIALS["AWS_ACCESS_KEY_ID"],
        secret_key=Secret(env="CEPH_SECRET"),
        region=ceph.CREDENTIALS["AWS_DEFAULT_REGION"],
        endpoint=ceph_url,
    )
    options = UpstreamOptions(name="bucket", url=url, credentials=known, tail=TailOptions(products=("app",)))
    ours = open_store(str(tmp_path / "ours"), create=True, state=tmp_path / "state")
    state = open_state(f"sqlite:///{tmp_path}/state.sqlite")
    upstream = open_upstream(reading(options))

    done = follow(upstream, state, store=ours)

    assert (done.reason, done.complete, done.number) == (None, True, 3)
    assert names(state) == ["c.pdb"]
    for one in (upstream, state, ours):
        one.close()
