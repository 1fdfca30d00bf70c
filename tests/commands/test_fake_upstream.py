"""`symsrv fake-upstream` as a process: it says its URL, does as its quirks say, and writes down who asked."""

import json
import os
import signal
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager

import pytest

signals = pytest.mark.skipif(os.name == "nt", reason="signals as POSIX has them")


@contextmanager
def running(*arguments):
    command = [sys.executable, "-m", "symsrv", "fake-upstream", *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def status_of(url, **more):
    try:
        with urllib.request.urlopen(url, timeout=30, **more) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


@signals
def test_it_runs_until_it_is_stopped(tmp_path):
    (tmp_path / "a.pdb").write_bytes(b"0123456789")
    log = tmp_path / "log.jsonl"
    with running(tmp_path, "--quirk", "errors=1", "--quirk", "gzip-lie", "--log", log) as (process, url):
        answers = [status_of(f"{url}/a.pdb") for _ in range(2)]
    lines = [json.loads(line) for line in log.read_text().splitlines()]

    assert answers == [(500, b"Internal Server Error\n"), (200, b"0123456789")]
    assert process.returncode == -signal.SIGTERM or process.returncode == 128 + signal.SIGTERM
    assert [(line["path"], line["status"]) for line in lines] == [("a.pdb", 500), ("a.pdb", 200)]


@signals
def test_its_authority_is_written_for_who_is_to_trust_it(tmp_path):
    (tmp_path / "a.pdb").write_bytes(b"0123456789")
    with running(tmp_path, "--quirk", "tls", "--ca", tmp_path / "ca.pem", "--json") as (_, line):
        url = json.loads(line)["url"]
        context = ssl.create_default_context(cafile=tmp_path / "ca.pem")
        assert status_of(f"{url}/a.pdb", context=context) == (200, b"0123456789")
    assert url.startswith("https://")


def test_the_quirks_are_listed(run):
    from symsrv.mirror.faking import QUIRKS

    assert [line["quirk"] for line in run("fake-upstream", "--list", "--json").lines] == list(QUIRKS)
    assert "reset " in run("fake-upstream", "--list").out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "--list"),
        (("none",), "none"),
        ((".", "--quirk", "rest"), "is it 'reset'?"),
        ((".", "--quirk", "something-else-altogether"), "--list"),
        ((".", "--quirk", "busy=soon"), "not a duration"),
        ((".", "--quirk", "reset=often"), "often"),
        ((".", "--listen", "nonsense"), "HOST:PORT"),
        ((".", "--listen", "203.0.113.1:80"), "cannot listen"),
    ],
)
def test_what_it_cannot_do_is_told(run, arguments, told):
    result = run("fake-upstream", *arguments)

    assert result.code == 2
    assert told in result.err
