"""`symsrv tell`: a test, what is due, what would be told, and what it says of a receiver that is not there."""

import json

import pytest

from symsrv.ledger.state import open_state
from symsrv.store import open_store
from tests.crash.publishing import image
from tests.mirror.receivers import Receiver


@pytest.fixture
def receiver():
    one = Receiver()
    one.url = one.start()
    yield one
    one.close()


@pytest.fixture
def setup(run, tmp_path, receiver, monkeypatch):
    """A store with a file, a state, and a configuration with a receiver on loopback and one that is not there."""
    monkeypatch.setenv("HOOK_SECRET", "very secret")
    config = tmp_path / "symsrv.yaml"
    config.write_text(
        f"store: store\nstate: state\ndatabase: sqlite:///{tmp_path}/state.sqlite\n"
        "mirror:\n  tell:\n"
        f"  - {{name: ci, url: {receiver.url}/hook, secret: {{env: HOOK_SECRET}}}}\n"
        "  - {name: gone, url: 'http://127.0.0.1:1/hook'}\n"
    )
    assert run("add", image(tmp_path, "a.dll"), "-c", config).code == 0
    return config


@pytest.fixture
def arrived(setup, run, tmp_path):
    """The receivers have begun; then a file arrives."""
    run("tell", "-c", setup)
    state = open_state(f"sqlite:///{tmp_path}/state.sqlite")
    store = open_store(str(tmp_path / "store"), state=tmp_path / "state")
    [file] = store.search("a.dll", limit=1)
    state.events.add("arrived", {"home": file.home, "transaction": 1, "wants": []})
    store.close()
    state.close()
    return file.home


def test_a_test_is_sent_signed(setup, run, receiver):
    done = run("tell", "--test", "ci", "-c", setup)

    assert (done.code, done.out) == (0, "ci was told a test\n")
    assert json.loads(receiver.asked[0].body)["type"] == "test"
    assert receiver.asked[0].headers["webhook-signature"].startswith("v1,")


def test_who_is_not_there_is_said(setup, run):
    done = run("tell", "--test", "gone", "-c", setup)
    lines = run("tell", "--test", "gone", "-c", setup, "--json").lines

    assert done.code == 1
    assert "gone: 127.0.0.1 could not be reached" in done.err
    assert lines[0]["reason"] == "receiver-unavailable"


@pytest.mark.parametrize("arguments", [["--test", "other"], ["other"]])
def test_an_unknown_name_says_which_there_are(setup, run, arguments):
    done = run("tell", *arguments, "-c", setup)

    assert done.code == 2
    assert "no receiver is called other; the configuration names ci, gone" in done.err


def test_a_test_is_for_one(setup, run):
    assert run("tell", "--test", "ci", "gone", "-c", setup).code == 2


def test_what_is_due_is_told_once(setup, arrived, run, receiver):
    assert run("tell", "ci", "-c", setup).out == "ci was told in 1 call\n"
    assert run("tell", "ci", "-c", setup).out == "ci has heard everything\n"

    [asked] = receiver.asked
    [event] = json.loads(asked.body)["events"]
    assert (event["key"], event["identities"][0]["name"]) == (arrived, "a.dll")


def test_one_that_fails_does_not_keep_it_from_the_others(setup, arrived, run, receiver):
    done = run("tell", "-c", setup, "--json")

    assert done.code == 3
    assert [one.get("calls", one.get("reason")) for one in done.lines] == [1, "receiver-unavailable"]
    assert len(receiver.asked) == 1


@pytest.mark.parametrize("arguments", [["ci"], ["--test", "ci"]])
def test_a_dry_run_tells_nobody(setup, arrived, run, receiver, arguments):
    done = run("tell", *arguments, "--dry-run", "-c", setup)
    lines = run("tell", *arguments, "--dry-run", "-c", setup, "--json").lines

    assert done.code == 0
    assert done.out.startswith("ci would be told ")
    assert lines[0]["type"] == ("test" if "--test" in arguments else "arrived")
    assert receiver.asked == []
    assert "very secret" not in done.out + done.err


def test_a_dry_run_with_nothing_to_tell(setup, run):
    run("tell", "-c", setup)

    assert run("tell", "ci", "--dry-run", "-c", setup).out == "ci would be told nothing\n"


def test_what_a_pull_brings_is_told_before_it_ends(setup, run, tmp_path, receiver):
    assert run("add", image(tmp_path, "b.dll"), "--store", tmp_path / "there").code == 0
    setup.write_text(setup.read_text() + f"upstreams:\n- {{name: there, url: {tmp_path}/there}}\n")

    done = run("pull", "b.dll/5AB380779000/b.dll", "-c", setup)

    assert done.code == 0
    told = [event for asked in receiver.asked for event in json.loads(asked.body)["events"]]
    assert [event["key"] for event in told] == ["b.dll/5AB380779000/b.dll"]
