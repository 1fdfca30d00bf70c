"""What `watch` and `up` share: folders with their options, and durations."""

import logging
import sys
import threading
from pathlib import Path

import pytest

from symsrv.commands.base import Context
from symsrv.commands.signals import Signals
from symsrv.commands.watching import Beside, Reloading, StatusLine, folders_to_watch, seconds_of, sentence
from symsrv.config import Config
from symsrv.ingest.watch import WatchStatus
from symsrv.model.errors import UsageError


def context(**options) -> Context:
    made = Context()
    made.config = Config.model_validate(options)
    return made


def test_named_folders_go_before_configured_ones():
    configured = context(watch=[{"path": "/configured", "product": "app"}])

    assert [folder.path for folder in folders_to_watch(configured, ("/named",), {})] == [str(Path("/named"))]
    (folder,) = folders_to_watch(configured, (), {})
    assert (folder.path, folder.product) == (str(Path("/configured")), "app")


def test_options_go_before_the_configuration():
    configured = context(watch=[{"path": "/configured", "product": "app", "quiet": "10s"}])

    (folder,) = folders_to_watch(configured, (), {"product": "other", "quiet": "500ms", "tag": None, "include": ()})

    assert (folder.product, folder.quiet_seconds, folder.tag) == ("other", 0.5, None)


def test_no_folder_at_all_says_what_to_do():
    with pytest.raises(UsageError, match="name one, or list folders under 'watch:'"):
        folders_to_watch(context(), (), {})


def test_durations():
    assert seconds_of("--quiet", None) is None
    assert seconds_of("--quiet", "1m30s") == 90
    with pytest.raises(UsageError, match="--quiet: 'soon' is not a duration"):
        seconds_of("--quiet", "soon")


def test_every_option_of_a_folder_reaches_the_watcher():
    configured = context(
        watch=[{"path": "/a", "poll": "3s", "pair": "1s", "replace": True, "ready_file": "done"}, {"path": "/b"}]
    )

    one, two = folders_to_watch(configured, (), {"replace": False, "poll": None})

    assert (one.poll_seconds, one.pair_seconds, one.replace, one.ready_file) == (3.0, 1.0, True, "done")
    assert (two.poll_seconds, two.pair_seconds, two.replace) == (None, 10.0, False)
    (named,) = folders_to_watch(configured, ("/n", "/n"), {"replace": True, "poll": "50ms", "version": "{git}"})
    assert (named.poll_seconds, named.replace, named.version) == (0.05, True, "{git}")


def test_a_version_that_is_no_template_is_wrong_usage():
    with pytest.raises(UsageError, match=r"--version: unknown part '{gti}' .* did you mean '{git}'"):
        folders_to_watch(context(), ("/a",), {"version": "{gti}"})


class Reloaded:
    """A watcher that notes what it is told."""

    def __init__(self):
        self.folders = []

    def reload(self, folders):
        self.folders.append([folder.path for folder in folders])

    def status(self):
        return WatchStatus(2, 0, 1234, 3, 1, "/out/app.pdb")


def test_reloading_takes_folders_and_tells_what_needs_a_restart(tmp_path, caplog):
    file = tmp_path / "symsrv.yaml"
    file.write_text("watch: [{path: /a}]\n")
    made = Context(config_file=file)
    reloading, watcher = Reloading(made, (), {}), Reloaded()

    file.write_text("watch: [{path: /a}, {path: /b}]\nlisten: 127.0.0.1:1\n")
    reloading(watcher)
    file.write_text("wacth: []\n")
    reloading(watcher)
    file.write_text("watch: []\n")
    reloading(watcher)

    assert watcher.folders == [[str(Path("/a")), str(Path("/b"))]]
    assert [(record.message, getattr(record, "options", None)) for record in caplog.records] == [
        ("changes that a restart puts in force", "listen"),
        ("kept the configuration as it was", None),
        ("kept the configuration as it was", None),
    ]
    assert "did you mean 'watch'?" in caplog.records[1].error


def test_beside_the_watching_a_hangup_reloads(monkeypatch):
    monkeypatch.setattr("symsrv.commands.watching._DRAW_SECONDS", 0.01)
    signals, watcher, came = Signals(), Reloaded(), threading.Event()
    with Beside(watcher, signals, lambda one: one is watcher and came.set(), StatusLine()):
        signals.reload.set()
        assert came.wait(5)

    assert not signals.reload.is_set()


def test_the_status_line_makes_way_for_others(monkeypatch, capsys):
    handler = logging.StreamHandler(sys.stderr)
    monkeypatch.setattr(logging.getLogger(), "handlers", [handler])
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    line = StatusLine()
    line.open()
    line.draw("watching")
    logging.getLogger().warning("told")
    line.draw("\x1b[2J" + "x" * 200)
    line.close()
    line.draw("no more")

    said = capsys.readouterr().err
    assert said.startswith("\rwatching\r        \rtold\n\r\\x1b[2Jxxx")
    assert said.endswith(f"\r{' ' * 79}\r")
    assert handler.filters == []


def test_without_a_terminal_there_is_no_status_line(capsys):
    line = StatusLine()
    line.open()
    line.draw("watching")
    line.close()

    assert capsys.readouterr().err == ""


def test_what_the_status_line_says():
    assert sentence(WatchStatus(1, 0, 12345, 0, 0)) == "watching 1 folder, 12,345 files, 0 transactions"
    told = sentence(WatchStatus(2, 1, 1, 3, 1, "/out/app.pdb"), stopping=True)
    assert told.startswith(
        "watching 2 folders, 1 file, 1 folder not there, 1 transaction; waiting for app.pdb and 2 more"
    )
    assert "stopping" in told
