"""The daemon: what serves, what watches beside it, and how a folder without records gets to be known."""

import logging
import threading
import time

import pytest

from symsrv.assembly import Assembly
from symsrv.config import Config
from symsrv.daemon import AppFactory, know_files, serve_store, watch_and_serve
from symsrv.layouts import parse_any
from symsrv.ledger.state import LedgerError
from symsrv.store import open_store
from tests.crash.publishing import draft, image
from tests.made.elf_builder import BUILD_ID, build_elf

ASK = f"buildid/{BUILD_ID.hex()}/executable"


@pytest.fixture
def store(tmp_path):
    place = tmp_path / "store" / "lib.so" / f"elf-buildid-{BUILD_ID.hex()}"
    place.mkdir(parents=True)
    (place / "lib.so").write_bytes(build_elf())
    one = open_store(str(tmp_path / "store"), state=tmp_path / "state")
    yield one
    one.close()


def settle():
    for thread in threading.enumerate():
        if thread.name == "reindex":
            thread.join(20)


def test_a_folder_without_records_gets_known_beside_the_serving(store, caplog):
    with caplog.at_level(logging.INFO, logger="symsrv"):
        know_files(store)
        settle()

    assert len(store.find(parse_any(ASK))) == 1
    assert caplog.records[-1].files == 1


def test_what_is_known_is_not_read_again(store, tmp_path, monkeypatch):
    store.commit(draft(store, image(tmp_path, "a.dll")))
    monkeypatch.setattr(store, "reindex", lambda: pytest.fail("read again"))

    know_files(store)
    settle()


def test_a_folder_that_cannot_be_indexed_is_served_all_the_same(store, monkeypatch, caplog):
    def fail():
        raise OSError("no")

    monkeypatch.setattr(store, "reindex", fail)

    know_files(store)
    settle()

    assert "could not index the folder" in caplog.text


def config(tmp_path, **more) -> Config:
    return Config(store=str(tmp_path / "store"), state=tmp_path / "state", listen="127.0.0.1:0", **more)


@pytest.fixture
def served(monkeypatch):
    """Takes the place of the HTTP server; notes what it was given."""
    calls = []

    def serve(app, **options):
        calls.append((app, options))
        options["ready"]("http://127.0.0.1:1", 1)
        return 15

    monkeypatch.setattr("symsrv.daemon.serve", serve)
    return calls


def test_one_process_serves_the_app_itself(store, tmp_path, served):
    assembly = Assembly(config(tmp_path))
    told = []

    assert serve_store(assembly, ready=lambda *where: told.append(where)) == 15

    settle()
    ((app, options),) = served
    assert (options["host"], options["port"]) == ("127.0.0.1", 0)
    assert "factory" not in options
    assert told == [("http://127.0.0.1:1", 1)]
    app.close()
    assembly.close()


def test_several_processes_build_their_own(store, tmp_path, served):
    assembly = Assembly(config(tmp_path, serve={"workers": 3}))

    serve_store(assembly, ready=lambda *where: None)

    settle()
    ((factory, options),) = served
    assert (options["workers"], options["factory"]) == (3, True)
    assert factory == AppFactory(assembly.config)
    factory().close()
    assembly.close()


class Watching:
    def __init__(self, error=None):
        self.error = error
        self.ended = False

    def run(self, stop):
        if self.error:
            raise self.error
        assert stop.wait(20)
        time.sleep(0.05)  # a publish that is under way
        self.ended = True


def test_the_watcher_is_asked_to_stop_and_waited_for(store, tmp_path, served):
    assembly, watcher = Assembly(config(tmp_path)), Watching()

    assert watch_and_serve(assembly, watcher, ready=lambda *where: None) == 15

    assert watcher.ended
    settle()
    served[0][0].close()
    assembly.close()


def test_who_minds_signals_hears_of_the_end_before_the_publish_is_over(store, tmp_path, served):
    assembly, watcher = Assembly(config(tmp_path)), Watching()
    heard, stop = [], threading.Event()

    def ended(number):
        heard.append((number, stop.is_set(), watcher.ended))

    assert watch_and_serve(assembly, watcher, ready=lambda *where: None, stop=stop, ended=ended) == 15

    assert heard == [(15, False, False)]
    assert stop.is_set()
    settle()
    served[0][0].close()
    assembly.close()


def test_what_runs_beside_runs_until_the_end_and_may_fail(store, tmp_path, served, caplog):
    assembly = Assembly(config(tmp_path))
    stopped = []

    def goes_on(stop):
        stopped.append(stop.wait(60))

    def fails(_stop):
        raise ValueError("lost")

    beside = {"pull": goes_on, "follow": fails}

    assert watch_and_serve(assembly, None, ready=lambda *where: None, beside=beside) == 15

    assert stopped == [True]
    assert [record.what for record in caplog.records if record.levelname == "ERROR"] == ["follow"]
    settle()
    served[0][0].close()
    assembly.close()


def test_serving_goes_on_when_watching_fails(store, tmp_path, served, caplog):
    assembly = Assembly(config(tmp_path))

    assert watch_and_serve(assembly, Watching(ValueError("lost")), ready=lambda *where: None) == 15
    assert "stopped, and serving goes on" in caplog.text
    assert watch_and_serve(assembly, None, ready=lambda *where: None) == 15
    settle()
    for app, _options in served:
        app.close()
    assembly.close()


def test_the_watcher_is_stopped_when_the_port_is_taken(store, tmp_path, monkeypatch):
    def taken(*_args, **_options):
        raise OSError("in use")

    monkeypatch.setattr("symsrv.daemon.serve", taken)
    assembly, watcher = Assembly(config(tmp_path)), Watching()

    with pytest.raises(OSError, match="in use"):
        watch_and_serve(assembly, watcher, ready=lambda *where: None)

    assert watcher.ended
    settle()
    assembly.close()


MISS = "app.exe/5AB380779000/app.exe"


def app_of(assembly, served):
    serve_store(assembly, ready=lambda *where: None)
    settle()
    return served[0][0]


def test_what_clients_miss_is_on_the_missing_list(store, tmp_path, served):
    assembly = Assembly(config(tmp_path))
    app = app_of(assembly, served)

    assert app.at_once(MISS.encode())[0] == 404
    app.close()

    assert [one.ask.name for one in assembly.state.wants.list()] == ["app.exe"]
    assembly.close()


def test_recording_and_waiting_are_as_configured(store, tmp_path, served):
    assembly = Assembly(
        config(
            tmp_path,
            serve={"record_misses": False},
            mirror={"fetch_through": True, "fetch_through_allow": ["other*"], "fetch_through_wait": 0.1},
        )
    )
    app = app_of(assembly, served)

    assert app.at_once(MISS.encode())[0] == 404
    assert app.at_once(MISS.replace("app", "other").encode()) is None
    app.close()

    assert assembly.state.wants.list() == []
    assembly.close()


def test_a_folder_beside_which_nothing_can_be_kept_is_served_all_the_same(store, tmp_path, served, caplog):
    (tmp_path / "nowhere").write_text("no folder")
    assembly = Assembly(config(tmp_path).override(state=tmp_path / "nowhere"))
    app = app_of(assembly, served)

    assert app.at_once(MISS.encode())[0] == 404
    app.close()
    assembly.close()

    assert "there is no missing list" in caplog.text


def test_a_database_that_was_named_has_to_be_there(store, tmp_path, served):
    (tmp_path / "nowhere").write_text("no folder")
    assembly = Assembly(config(tmp_path, database=f"sqlite:///{tmp_path}/nowhere/state.sqlite"))

    with pytest.raises(LedgerError):
        serve_store(assembly, ready=lambda *where: None)

    settle()
    assembly.close()
