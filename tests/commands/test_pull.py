"""`symsrv pull`: what it says, its exit codes, plans that are carried out, and going on until it is stopped."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from symsrv.ledger.state import open_state
from tests.ingest.files import pdb, pe, written
from tests.mirror.pulling import key_of
from tests.mirror.site import Site

PATIENCE = 60
ABSENT = ("nothere.pdb", "12345678-9012-3456-7890-123456789012-1")


@pytest.fixture
def site():
    with Site() as one:
        yield one


class Place:
    """A configuration with one upstream, and files that it has."""

    def __init__(self, folder: Path, site: Site) -> None:
        self.folder, self.site = folder, site
        self.config = folder / "symsrv.yaml"
        self.store = folder / "store"
        self.configure()

    def configure(self, *, name: str = "there", more: str = "") -> None:
        self.config.write_text(
            f"store: store\nstate: state\nupstreams:\n  - name: {name}\n    url: {self.site.url}\n"
            f"    layouts: [symstore]\n    packed: false\n    pause: 10ms\n{more}"
        )

    def pdb(self, number: int) -> str:
        name = f"app{number}.pdb"
        key = key_of(pdb(number), name, self.folder / "made")
        self.site.files[key] = pdb(number)
        return key


@pytest.fixture
def place(tmp_path, site):
    return Place(tmp_path, site)


def test_a_key_is_fetched_and_published(run, place):
    key = place.pdb(1)

    done = run("pull", key, "-c", place.config)

    assert done.code == 0
    assert done.out.splitlines()[0] == f"stored   {key}  there"
    assert (place.store / key).read_bytes() == pdb(1)
    assert run("pull", key, "-c", place.config).out.startswith(f"present  {key}")
    assert place.site.requests == [key]


def test_keys_come_in_every_spelling_that_why_takes(run, place):
    keys = [place.pdb(number) for number in (1, 2, 3)]
    name, digits, _ = keys[1].split("/")

    done = run("pull", keys[0], name, digits.lower(), f"http://elsewhere/{keys[2]}", "-c", place.config, "--json")

    assert done.code == 0
    assert {line["key"] for line in done.lines[:-1]} == set(keys)
    assert done.lines[-1] == {"type": "summary", "here": 3, "missing": 0, "bytes": 3 * len(pdb(1))}


def test_some_missing_is_3_and_all_missing_is_1(run, place):
    key = place.pdb(1)

    some = run("pull", key, *ABSENT, "-c", place.config)
    none = run("pull", *ABSENT, "-c", place.config, "--json")

    assert (some.code, none.code) == (3, 1)
    assert "there: it has no such file" in some.out
    line = none.lines[0]
    assert (line["name"], line["status"], line["reason"]) == ("nothere.pdb", "missing", "absent")
    assert line["due"]
    assert len(place.site.asked(name="nothere")) == 1


def test_again_asks_for_what_rests(run, place):
    run("pull", *ABSENT, "-c", place.config)

    run("pull", *ABSENT, "-c", place.config, "--again")

    assert len(place.site.asked(name="nothere")) == 2


def test_missing_goes_through_the_queue(run, place):
    run("pull", *ABSENT, "-c", place.config)
    key = place.pdb(1)
    place.site.files.pop(key)
    assert run("pull", key, "-c", place.config).code == 1
    place.pdb(1)

    assert run("pull", "--missing", "-c", place.config).out == "there is nothing to fetch\n"
    done = run("pull", "--missing", "--again", "-c", place.config)

    assert done.code == 3
    assert (place.store / key).exists()


def test_the_debug_files_of_programs_are_fetched(run, place):
    program = written(place.folder / "bin" / "made.exe", pe(7))
    written(place.folder / "bin" / "notes.txt", b"no program")
    key = key_of(pdb(7), "made.pdb", place.folder / "made")
    place.site.files[key] = pdb(7)

    assert run("pull", "--module", program.parent, "-c", place.config).code == 0

    assert place.site.requests == [key]
    assert (place.store / key).exists()


def test_a_plan_asks_nobody_and_makes_nothing(run, place):
    key = place.pdb(1)
    run("pull", place.pdb(2), "-c", place.config)
    place.site.requests.clear()

    done = run("pull", key, *ABSENT, "--plan", "-c", place.config)
    dry = run("pull", key, *ABSENT, "--dry-run", "-c", place.config)

    assert done.code == 0
    assert done.out.splitlines()[0] == f"ask      there  {place.site.url}/{key}"
    assert dry.out == done.out
    assert place.site.requests == []
    assert run("pull", "--missing", "--plan", "-c", place.config).out == ""


def test_a_plan_without_a_state_makes_none(run, place):
    place.store.mkdir()
    run("add", written(place.folder / "a.pdb", pdb(9)), "-c", place.config)

    run("pull", place.pdb(1), "--plan", "-c", place.config)

    assert [one.name for one in (place.folder / "state").iterdir() if one.name.startswith("state-")] == []


def test_a_plan_is_carried_out_to_the_letter(run, place):
    place.store.mkdir()
    run("add", written(place.folder / "a.pdb", pdb(9)), "-c", place.config)
    keys = [place.pdb(number) for number in (1, 2, 3)]
    planned = run("pull", *keys, *ABSENT, "--plan", "--json", "-c", place.config)
    kept = [line for line in planned.lines if keys[1] not in line.get("path", "")]
    file = place.folder / "plan.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in kept))

    done = run("pull", "--from-plan", file, "-c", place.config, "--json")

    assert done.code == 3
    assert sorted(place.site.requests) == sorted(line["path"] for line in kept)
    assert [(place.store / key).exists() for key in keys] == [True, False, True]


def test_only_the_named_upstream_is_asked(run, place):
    key = place.pdb(1)
    with Site() as other:
        place.configure(more=f"  - name: other\n    url: {other.url}\n")
        run("pull", key, "--upstream", "other", "-c", place.config)

        assert place.site.requests == []
        assert other.requests


def test_without_upstreams_it_says_so(run, tmp_path):
    done = run("pull", *ABSENT, "--store", tmp_path / "store")

    assert done.code == 1
    assert "symsrv upstream add" in done.out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "say what to fetch"),
        (("a.pdb",), "no key"),
        (("a.pdb", "zz"), "no key"),
        (("--missing", "--upstream", "nobody"), "there are: there"),
        (("--missing", "--from-plan", "x"), "--from-plan FILE alone"),
        (("--keep-going",), "say what to fetch"),
        (("--keep-going", *ABSENT), "belongs to --missing"),
        (("--from-plan", "nowhere.jsonl"), "nowhere.jsonl"),
    ],
)
def test_wrong_usage(run, place, arguments, told):
    done = run("pull", *arguments, "-c", place.config)

    assert done.code == 2
    assert told in done.err


def until(condition) -> None:
    ends = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.02)


@pytest.mark.skipif(os.name == "nt", reason="signals as POSIX has them")
def test_it_keeps_going_takes_a_new_configuration_and_keeps_the_last_good_one(run, place):
    first, second = place.pdb(1), place.pdb(2)
    found = {key: place.site.files.pop(key) for key in (first, second)}
    assert run("pull", first, second, "-c", place.config).code == 1
    [database] = (place.folder / "state").glob("state-*.sqlite")
    state = open_state(f"sqlite:///{database}")
    often = "mirror: {every: 100ms}\n"
    place.configure(more=often)
    log = place.folder / "log"
    command = [sys.executable, "-m", "symsrv", "pull", "--missing", "--keep-going", "-c", str(place.config)]
    with Site() as other, log.open("w") as stream, subprocess.Popen(command, stdout=stream, stderr=stream) as process:
        try:
            until(lambda: "until stopped" in log.read_text())
            place.site.files[first] = found[first]
            state.wants.wake("app1")
            until(lambda: (place.store / first).exists())

            place.config.write_text("store: store\nstate: state\nupstreams: [{name: there, urll: x}]\n")
            process.send_signal(signal.SIGHUP)
            until(lambda: "kept the configuration as it was" in log.read_text())
            assert "did you mean" in log.read_text()

            place.configure(more=f"  - name: new\n    url: {other.url}\n{often}")
            other.files[second] = found[second]
            process.send_signal(signal.SIGHUP)

            def woken() -> bool:  # it may not have read the configuration yet
                state.wants.wake("app2")
                return bool(other.requests)

            until(woken)
            until(lambda: (place.store / second).exists())

            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) == 128 + signal.SIGTERM
        finally:
            process.kill()
            state.close()
    assert other.whole[second] == 1
