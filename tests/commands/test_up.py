"""`symsrv up` as a process: publishes a folder, serves it, and picks up what a build writes later."""

import json
import os
import signal

import pytest

from tests.commands.serving import running
from tests.crash.publishing import image
from tests.ingest.files import pdb
from tests.mirror.pulling import key_of
from tests.mirror.site import Site

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals as POSIX has them")


def home(name):
    return f"{name}/5AB380779000/{name}"


def configured(tmp_path, text):
    path = tmp_path / "symsrv.yaml"
    path.write_text(text)
    return path


def test_a_build_folder_is_published_served_and_watched(run, tmp_path):
    first = image(tmp_path / "out", "a.dll")
    config = configured(tmp_path, "store: symbols\nstate: state\nwatch:\n  - path: out\n    quiet: 200ms\n")

    with running("up", "-c", config, "--product", "app", "--version", "7") as server:
        assert server.wait_for(home("a.dll")) == first.read_bytes()
        later = image(tmp_path / "out" / "sub", "b.dll")
        assert server.wait_for(home("b.dll")) == later.read_bytes()
        assert server.end() == 128 + signal.SIGTERM

    said = "\n".join(server.said)
    assert f"serving {tmp_path / 'symbols'} at {server.url}" in said
    assert "WinDbg" in said
    assert f"{server.url}" in said
    lines = run("history", "--store", tmp_path / "symbols", "--json").lines
    assert [(line["files"], line["product"], line["version"]) for line in lines] == [(1, "app", "7")] * 2
    assert run("verify", "--store", tmp_path / "symbols").code == 0


def test_without_a_store_it_is_a_folder_of_its_own(tmp_path, monkeypatch):
    image(tmp_path / "out", "a.dll")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SYMSRV_STATE", str(tmp_path / "state"))

    with running("up", "out") as server:
        server.wait_for(home("a.dll"), seconds=60)
        assert server.end(signal.SIGINT) == 128 + signal.SIGINT

    documents = list((tmp_path / "symbols" / ".symsrv" / "transactions").iterdir())
    assert len(documents) == 1
    assert json.loads(documents[0].read_text().split("\n")[0])["number"] == 1


def test_without_folders_it_serves(tmp_path):
    with running("up", "--store", tmp_path / "store") as server:
        assert server.get(home("a.dll"))[0] == 404
        assert server.end() == 128 + signal.SIGTERM

    assert (tmp_path / "store" / ".symsrv" / "store.json").exists()


def test_wrong_usage(run, tmp_path):
    assert run("up", "--listen", "x", "--store", tmp_path / "store").code == 2


def test_what_clients_miss_is_fetched_from_the_upstreams_that_a_hangup_brings(tmp_path):
    key = key_of(pdb(1), "app1.pdb", tmp_path / "made")
    with Site() as site:
        site.files[key] = pdb(1)
        config = configured(tmp_path, "store: symbols\nstate: state\nmirror: {every: 100ms}\n")
        with running("up", "-c", config) as server:
            assert server.get(key)[0] == 404
            upstream = f"upstreams: [{{name: there, url: '{site.url}'}}]\n"
            configured(tmp_path, f"store: symbols\nstate: state\nmirror: {{every: 100ms}}\n{upstream}")
            server.process.send_signal(signal.SIGHUP)

            assert server.wait_for(key) == pdb(1)

            assert server.end() == 128 + signal.SIGTERM
