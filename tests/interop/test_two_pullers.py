"""Several pullers on one PostgreSQL and one store: each file is fetched once, whoever does it, and whoever dies."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager

import psycopg
import pytest

from symsrv.ledger.state import open_state
from symsrv.model.wants import WantState, Wish
from tests.ingest.files import pdb
from tests.ledger.conftest import postgresql  # noqa: F401 - a fixture
from tests.mirror.pulling import asked, key_of
from tests.mirror.site import Site

pytestmark = [pytest.mark.interop, pytest.mark.skipif(os.name == "nt", reason="signals as POSIX has them")]

FILES = 200
PATIENCE = 180


@pytest.fixture
def database(postgresql):  # noqa: F811
    schema = f"pull_{time.monotonic_ns()}"
    with psycopg.connect(f"{postgresql}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}")
    return f"{postgresql}/postgres?options=-csearch_path%3D{schema}"


@contextmanager
def pullers(tmp_path, database, site, count):
    """So many daemons, each with a state folder of its own, as on machines that share the store."""
    config = tmp_path / "symsrv.yaml"
    config.write_text(
        f"store: store\ndatabase: {database}\nmirror: {{every: 100ms, keep_free: 0}}\nupstreams:\n"
        f"  - {{name: there, url: '{site.url}', layouts: [symstore], packed: false, concurrency: 8}}\n"
    )
    command = [sys.executable, "-m", "symsrv", "pull", "--missing", "--keep-going", "-c", str(config)]
    processes = []
    for number in range(count):
        environment = os.environ | {"SYMSRV_STATE": str(tmp_path / f"machine{number}")}
        with (tmp_path / f"log{number}").open("w") as log:
            processes.append(subprocess.Popen(command, stdout=log, stderr=log, env=environment))
    try:
        yield processes
    finally:
        for one in processes:
            one.kill()
            one.wait()


def until(condition) -> None:
    ends = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.05)


@pytest.mark.parametrize("killed", [False, True])
def test_no_file_is_fetched_twice(tmp_path, database, killed):
    chosen = random.Random(1)
    (tmp_path / "store").mkdir()
    with Site(piece_seconds=0.002) as site:
        keys = []
        for number in range(1, FILES + 1):
            data = pdb(number) + chosen.randbytes(chosen.choice((1000, 50_000, 500_000)))
            key = key_of(data, f"app{number}.pdb", tmp_path / "made")
            site.files[key] = data
            keys.append(key)
        with pullers(tmp_path, database, site, 3) as processes:
            until(lambda: all((tmp_path / f"log{number}").read_text() for number in range(3)))
            state = open_state(database)
            state.wants.file(Wish(asked(key)) for key in keys)
            if killed:
                until(lambda: len(site.requests) > FILES // 4)
                processes[0].kill()
            until(lambda: state.wants.counts()[WantState.ANSWERED] == FILES)
            for one in processes[killed:]:
                one.send_signal(signal.SIGTERM)
                assert one.wait(PATIENCE) == 128 + signal.SIGTERM
            state.close()

    assert all((tmp_path / "store" / key).read_bytes() == site.files[key] for key in keys)
    twice = [key for key, count in Counter(site.requests).items() if count > 1]
    # What the killed one had in part is gone on with, or begun anew; what it had whole is not asked for.
    assert len(twice) <= (16 if killed else 0)
    assert set(site.requests) == set(keys)
