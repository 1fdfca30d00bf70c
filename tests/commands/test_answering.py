"""Whoever publishes answers what was wanted, at once, and never fails for it."""

import pytest

from symsrv.assembly import Assembly
from symsrv.commands.answering import answer_wants
from symsrv.config import Config
from symsrv.model.wants import Wish
from tests.ingest.files import build, pdb, pe, written
from tests.mirror.pulling import asked, key_of


@pytest.fixture
def place(tmp_path):
    config = tmp_path / "symsrv.yaml"
    config.write_text("store: store\nstate: state\nwatch: [{path: out, quiet: 100ms}]\n")
    return config


def wished(tmp_path, data, name):
    """Has a file wished for; returns what tells the state of its want."""
    assembly = Assembly(Config(store=str(tmp_path / "store"), state=tmp_path / "state"))
    assert assembly.new_store
    [number] = assembly.state.wants.file([Wish(asked(key_of(data, name, tmp_path / "made")), who="serve")])
    return lambda: assembly.state.wants.get(number).state.value, assembly


@pytest.mark.parametrize(
    "command",
    [
        ("add", "out"),
        ("watch", "--once"),
        ("symstore", "add", "/f", "out/app1.pdb", "/s", "store", "/t", "app", "/o"),
    ],
)
def test_a_publish_answers_its_wants(run, place, tmp_path, command, monkeypatch):
    monkeypatch.chdir(tmp_path)
    state, assembly = wished(tmp_path, pdb(1), "app1.pdb")
    build(tmp_path / "out")
    assert state() == "open"

    more = () if command[0] == "symstore" else ("-c", place)
    if command[0] == "symstore":
        monkeypatch.setenv("SYMSRV_STATE", str(tmp_path / "state"))
    assert run(*command, *more).code == 0

    assert state() == "answered"
    assembly.close()


def test_without_a_state_none_is_made(run, place, tmp_path):
    run("add", written(tmp_path / "app.exe", pe()), "-c", place)

    assert list((tmp_path / "state").glob("state-*")) == []


def test_a_state_that_cannot_be_used_is_only_told_of(run, place, tmp_path):
    state, assembly = wished(tmp_path, pdb(1), "app1.pdb")
    assembly.close()
    [database] = (tmp_path / "state").glob("state-*.sqlite")
    database.write_bytes(b"this is no database at all, whatever it is called" * 100)

    done = run("add", written(tmp_path / "app.exe", pe()), "-c", place)

    assert done.code == 0
    assert "stored" in done.out
    assert "missing list does not know yet" in done.err
    assert state


def test_it_says_how_many(tmp_path):
    state, assembly = wished(tmp_path, pdb(1), "app1.pdb")
    store = assembly.new_store

    assert answer_wants(assembly, store, pytest.fail) == 0
    assert state() == "open"
    assembly.close()
