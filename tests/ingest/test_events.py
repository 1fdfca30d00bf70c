"""Hints from the system, and what happens without them."""

import logging
import shutil
import threading

import pytest
import watchdog.observers

from symsrv.ingest.events import Events
from tests.ingest.files import written


class Hints:
    """What was heard of."""

    def __init__(self):
        self.folders = []
        self.came = threading.Event()

    def __call__(self, folder):
        self.folders.append(folder)
        self.came.set()

    def wait(self, seconds=5.0):
        return self.came.wait(seconds)


@pytest.fixture
def hints():
    return Hints()


@pytest.fixture
def listening(hints):
    made = []

    def listen(*folders) -> Events:
        made.append(Events(hints))
        made[-1].renew([str(folder) for folder in folders])
        return made[-1]

    yield listen
    for events in made:
        events.close()


def test_a_new_file_is_a_hint_and_reading_it_is_none(listening, hints, tmp_path):
    events = listening(tmp_path)

    assert events.alive(str(tmp_path))
    path = written(tmp_path / "x" / "a", b"x")
    assert hints.wait()
    while hints.wait(0.3):
        hints.came.clear()
    path.read_bytes()
    list(tmp_path.iterdir())
    assert not hints.wait(0.3)
    assert set(hints.folders) == {str(tmp_path)}


def test_a_folder_that_comes_back_is_listened_to_again(listening, hints, tmp_path):
    folder = tmp_path / "out"
    events = listening(folder)
    assert not events.alive(str(folder))
    for _ in range(2):
        folder.mkdir()
        events.renew([str(folder)])
        assert events.alive(str(folder))
        hints.came.clear()
        written(folder / "a", b"x")
        assert hints.wait()
        shutil.rmtree(folder)
        events.renew([str(folder)])
        assert not events.alive(str(folder))


def test_folders_come_and_go(listening, hints, tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    events = listening(one)

    events.renew([str(two)])

    assert not events.alive(str(one))
    assert events.alive(str(two))
    written(two / "a", b"")
    assert hints.wait()
    assert set(hints.folders) == {str(two)}


def test_nobody_listens_when_all_is_polled(listening):
    assert listening()._observer is None


def test_where_events_cannot_be_had_polling_goes_on(listening, tmp_path, monkeypatch, caplog):
    def refuse(*_):
        raise OSError(28, "inotify watch limit reached")

    monkeypatch.setattr(watchdog.observers.Observer, "start", refuse)
    events = listening(tmp_path)
    events.renew([str(tmp_path)])
    assert not events.alive(str(tmp_path))
    monkeypatch.undo()
    monkeypatch.setattr(watchdog.observers.Observer, "schedule", lambda *_, **__: refuse())
    events = listening(tmp_path)
    events.renew([str(tmp_path)])
    assert not events.alive(str(tmp_path))

    assert [record.message for record in caplog.records] == ["no events, looking often instead"] * 2


def test_a_queue_that_ran_over_is_a_hint_for_all(listening, hints, tmp_path):
    listening(tmp_path)

    logging.getLogger("watchdog.observers.inotify_c").warning("overflow")

    assert hints.folders == [None]
