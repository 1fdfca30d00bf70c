"""Hints from the system, and what happens without them."""

import logging
import shutil
import threading

import pytest
import watchdog.observers

from symsrv.ingest.events import Events
from tests.ingest.files import written


@pytest.fixture
def hint():
    return threading.Event()


@pytest.fixture
def listening(hint):
    made = []

    def listen(*folders, **more) -> Events:
        made.append(Events([str(folder) for folder in folders], hint, **more))
        return made[-1]

    yield listen
    for events in made:
        events.close()


def test_a_new_file_is_a_hint_and_reading_it_is_none(listening, hint, tmp_path):
    events = listening(tmp_path)

    assert events.alive
    path = written(tmp_path / "x" / "a", b"x")
    assert hint.wait(5)
    while hint.wait(0.3):
        hint.clear()
    path.read_bytes()
    list(tmp_path.iterdir())
    assert not hint.wait(0.3)


def test_a_folder_that_comes_back_is_listened_to_again(listening, hint, tmp_path):
    folder = tmp_path / "out"
    events = listening(folder)
    assert not events.alive
    for _ in range(2):
        folder.mkdir()
        events.renew()
        assert events.alive
        hint.clear()
        written(folder / "a", b"x")
        assert hint.wait(5)
        shutil.rmtree(folder)
        events.renew()
        assert not events.alive


def test_nobody_listens_when_polling(listening, tmp_path):
    events = listening(tmp_path, wanted=False)

    events.renew()
    assert not events.alive


def test_where_events_cannot_be_had_polling_goes_on(listening, tmp_path, monkeypatch, caplog):
    def refuse(*_):
        raise OSError(28, "inotify watch limit reached")

    monkeypatch.setattr(watchdog.observers.Observer, "start", refuse)
    assert not listening(tmp_path).alive
    monkeypatch.undo()
    monkeypatch.setattr(watchdog.observers.Observer, "schedule", lambda *_, **__: refuse())
    assert not listening(tmp_path).alive

    assert [record.message for record in caplog.records] == ["no events, looking often instead"] * 2


def test_a_queue_that_ran_over_is_a_hint(listening, hint, tmp_path):
    listening(tmp_path)

    logging.getLogger("watchdog.observers.inotify_c").warning("overflow")

    assert hint.is_set()
