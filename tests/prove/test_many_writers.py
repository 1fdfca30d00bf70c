"""Eight processes publish to one store, on the disk and in buckets."""

import json
import os
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from symsrv.store import open_store
from tests.peers import ceph, gcs, moto
from tests.prove.rounds import REPOSITORY, Ledger, give, ordinary, rounds, workplace

WRITERS = 8


@rounds
@pytest.mark.parametrize("kind", ["disk", "moto", "ceph", "gcs"])
def test_eight_writers(rounds, kind, request):
    with workplace() as folder, ExitStack() as stack:
        url = _place(kind, folder, stack, request)
        ledger = Ledger()
        processes = [_writer(url, folder, who, rounds) for who in range(1, WRITERS + 1)]
        won: dict[str, set[str]] = {}
        for who, process in enumerate(processes, 1):
            out, errors = process.communicate(timeout=60 + 20 * rounds)
            if process.returncode:
                ledger.faults.append(f"writer {who} ended with {process.returncode}: {errors[-2000:]}")
            lines = [json.loads(line) for line in out.splitlines()]
            ledger.report(lines, f"writer {who}")
            for line in lines:
                if line.get("status") in ("stored", "present"):
                    won.setdefault(line["key"], set()).add(line["sha256"])
        ledger.faults += [
            f"{key} was reported with {len(found)} contents" for key, found in won.items() if len(found) > 1
        ]
        if len(ledger.numbers) != WRITERS * rounds:
            ledger.faults.append(f"{len(ledger.numbers)} transactions of {WRITERS * rounds}")
        symbols = open_store(url, state=folder / "state-of-the-test")
        ledger.check_held(symbols)
        ledger.check_store(symbols)
        symbols.close()
        ledger.counts["transactions"] = len(ledger.numbers)
    ledger.close(f"eight writers, {kind}", rounds, request)


def _place(kind: str, folder: Path, stack: ExitStack, request: pytest.FixtureRequest) -> str:
    if kind == "disk":
        (folder / "store").mkdir()
        give(folder / "store")
        return str(folder / "store")
    if kind == "gcs":
        endpoint = stack.enter_context(gcs.gcs_server())
        stack.enter_context(gcs.environment(endpoint))
        return f"gs://{gcs.new_bucket(endpoint)}/symbols"
    if kind == "moto":
        endpoint, credentials = stack.enter_context(moto.moto_server()), moto.CREDENTIALS
    else:
        endpoint, credentials = _ceph(stack), ceph.CREDENTIALS
    stack.enter_context(moto.environment(endpoint, credentials))
    return f"s3://{moto.new_bucket(endpoint, credentials)}/symbols"


def _ceph(stack: ExitStack) -> str:
    places = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
    if missing := [program for program in ceph.PROGRAMS if not shutil.which(program, path=places)]:
        reason = f"{missing[0]} is not installed; tests/interop/install.sh installs it"
        if os.environ.get("CI") == "true" and shutil.which("apt-get"):
            pytest.fail(reason)
        pytest.skip(reason)
    return stack.enter_context(ceph.ceph_server())


def _writer(url: str, folder: Path, who: int, rounds: int) -> "subprocess.Popen[str]":
    prefix, more = ordinary()
    own = folder / f"writer{who}"
    own.mkdir()
    give(own)
    return subprocess.Popen(
        [*prefix, sys.executable, "-m", "tests.prove.writer", url, str(own), str(who), str(rounds)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=own,
        env=os.environ | {"HOME": str(own), "PYTHONPATH": str(REPOSITORY)},
        **more,
    )
