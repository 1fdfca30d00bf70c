"""Mirroring: what goes on beside serving, over real servers, and through a change of the configuration."""

import threading
import time
from contextlib import contextmanager

import pytest

from symsrv.assembly import Assembly
from symsrv.commands.mirroring import Mirror
from symsrv.commands.pulling import Workers
from symsrv.config import load
from symsrv.model.wants import Wish
from tests.ingest.files import pdb
from tests.mirror.pulling import asked, key_of
from tests.mirror.receivers import Receiver
from tests.mirror.site import Site

PATIENCE = 60


def until(condition) -> None:
    ends = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.01)


@contextmanager
def running(mirror):
    stop = threading.Event()
    workers = Workers(stop, **mirror.runs)
    try:
        yield mirror
    finally:
        stop.set()
        while workers.busy(0.1):
            pass
    workers.check()


class Hook:
    """A receiver, and what it was told."""

    def __enter__(self):
        self._receiver = Receiver()
        self.url = self._receiver.start()
        return self

    def __exit__(self, *_):
        self._receiver.close()

    def told(self, word):
        return any(word in one.body for one in self._receiver.asked)


@pytest.fixture
def site():
    with Site() as one:
        yield one


def written(tmp_path, *, sites=(), hooks=(), name="hook"):
    upstreams = [f"  - {{name: u{number}, url: {one.url}, packed: false}}\n" for number, one in enumerate(sites)]
    tell = [f"    - {{name: {name}{number}, url: '{one.url}', every: 50ms}}\n" for number, one in enumerate(hooks)]
    path = tmp_path / "symsrv.yaml"
    path.write_text(
        "store: store\nstate: state\n"
        + ("upstreams:\n" + "".join(upstreams) if upstreams else "")
        + "mirror:\n  every: 100ms\n"
        + ("  tell:\n" + "".join(tell) if tell else "")
    )
    return path


def test_what_is_missed_is_fetched_and_told_of_and_another_configuration_is_taken(tmp_path, site, caplog):
    keys = [key_of(pdb(number), f"app{number}.pdb", tmp_path / "made") for number in (1, 2)]
    site.files |= {key: pdb(number) for number, key in zip((1, 2), keys, strict=True)}
    done = []
    with Hook() as hook, Hook() as later:
        path = written(tmp_path, hooks=[hook])
        assembly = Assembly(load(path))
        mirror = Mirror(assembly, told=done.append)
        with running(mirror):
            assembly.state.wants.file([Wish(asked(keys[0]))])
            path.write_text("mirror: {downlods: 3}\n")
            mirror.reload_file(path)
            assert "kept the configuration as it was" in caplog.text

            mirror.reload_file(written(tmp_path, sites=[site], hooks=[hook]))
            until(lambda: [one.status for one in done] == ["stored"])
            until(lambda: hook.told(b"app1.pdb"))

            mirror.reload_file(written(tmp_path, sites=[site], hooks=[later], name="later"))
            until(lambda: "telling:later0" in assembly.state.marks.all("telling:"))
            assembly.state.wants.file([Wish(asked(keys[1]))])
            until(lambda: later.told(b"app2.pdb"))
        assembly.close()


def test_only_the_named_upstreams_are_asked(tmp_path, site):
    with Site() as other:
        assembly = Assembly(load(written(tmp_path, sites=[site, other])))
        key = key_of(pdb(1), "app1.pdb", tmp_path / "made")
        mirror = Mirror(assembly, ["u1"], told=lambda _done: None)
        with running(mirror):
            assembly.state.wants.file([Wish(asked(key))])
            until(lambda: other.requests)
        assembly.close()

    assert site.requests == []
