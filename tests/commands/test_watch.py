"""`symsrv watch`: what it prints, how it stops, and its exit codes."""

import json
import os
import signal
import subprocess
import sys

import pytest

from tests.ingest.files import build, pdb, written


def test_once_publishes_what_is_there(run, tmp_path):
    out = build(tmp_path / "out")

    lines = run("watch", "--once", out, "--store", tmp_path / "store", "--quiet", "200ms", "--json").lines

    assert [line.get("status") for line in lines] == ["stored", "stored", "stored", None]
    assert lines[-1]["transaction"] == "0000000001"
    assert run("watch", "--once", out, "--store", tmp_path / "store", "--quiet", "200ms", "--json").lines == []


def test_once_tells_what_failed(run, tmp_path):
    written(tmp_path / "out" / "broken.pdb", pdb()[:5000])

    done = run("watch", "--once", tmp_path / "out", "--store", tmp_path / "store", "--quiet", "200ms")

    assert done.code == 1
    assert "broken.pdb" in done.err


def test_folders_of_the_configuration_are_watched(run, tmp_path):
    build(tmp_path / "out", numbers=range(1, 3))
    configuration = tmp_path / "symsrv.yaml"
    configuration.write_text(
        "store: store\nwatch:\n  - path: out\n    product: app\n    quiet: 200ms\n    include: ['*.pdb']\n"
    )

    done = run("watch", "--once", "-c", configuration, "--version", "7")

    assert done.out.splitlines()[-1] == "transaction 0000000001: 2 stored, 0 present, 0 ignored"
    admin = (tmp_path / "store" / "000Admin" / "server.txt").read_text()
    assert '"app"' in admin
    assert '"7"' in admin


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "no folder to watch"),
        (("--once", "nowhere"), "nowhere"),
        (("--quiet", "soon", "."), "--quiet"),
        (("--poll", "2 parsecs", "."), "--poll"),
    ],
)
def test_wrong_usage(run, tmp_path, arguments, told):
    done = run("watch", *arguments, "--store", tmp_path / "store")

    assert done.code == 2
    assert told in done.err


def test_a_failure_of_the_watching_thread_is_not_lost(run, tmp_path, monkeypatch):
    def fail(*_):
        raise ValueError("lost")

    monkeypatch.setattr("symsrv.ingest.watch.Watcher.run", fail)

    done = run("watch", tmp_path, "--store", tmp_path / "store")

    assert done.code == 1
    assert "lost" in done.err


@pytest.mark.skipif(os.name == "nt", reason="signals as POSIX has them")
def test_a_signal_ends_it_in_order(tmp_path):
    out = build(tmp_path / "out")
    command = [sys.executable, "-m", "symsrv", "watch", str(out), "--store", str(tmp_path / "store")]
    with subprocess.Popen(
        [*command, "--quiet", "200ms", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as watching:
        lines = [json.loads(watching.stdout.readline()) for _ in range(4)]
        watching.send_signal(signal.SIGTERM)
        watching.communicate(timeout=30)

    assert lines[-1]["stored"] == 3
    assert watching.returncode == 128 + signal.SIGTERM


@pytest.mark.skipif(os.name == "nt", reason="signals as POSIX has them")
def test_a_hangup_reloads_the_folders(tmp_path):
    one, two = build(tmp_path / "one"), build(tmp_path / "two", numbers=range(2, 3))
    configuration = tmp_path / "symsrv.yaml"
    entry = "  - path: {}\n    quiet: 200ms\n"
    configuration.write_text(f"store: store\nstate: state\nwatch:\n{entry.format(one)}")
    command = [sys.executable, "-m", "symsrv", "watch", "-c", str(configuration), "--json"]
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, **streams) as watching:
        first = [json.loads(watching.stdout.readline()) for _ in range(4)]
        configuration.write_text(f"store: store\nstate: state\nwatch:\n{entry.format(two)}")
        watching.send_signal(signal.SIGHUP)
        second = [json.loads(watching.stdout.readline()) for _ in range(4)]
        watching.send_signal(signal.SIGINT)
        _, said = watching.communicate(timeout=30)

    assert (first[-1]["stored"], second[-1]["stored"]) == (3, 3)
    assert watching.returncode == 128 + signal.SIGINT
    lines = [json.loads(line) for line in said.decode().splitlines()]
    assert {"message": "watching", "folders": 1, "left": 1}.items() <= lines[-2].items()
