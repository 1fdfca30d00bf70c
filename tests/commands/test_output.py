"""Log lines and the progress line."""

import io
import json
import logging
import sys

import pytest

from symsrv.commands.output import JsonLines, Progress, TextLines, configure_logging
from symsrv.model.errors import SymsrvError


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def loggers_as_before():
    names = ["", "symsrv", "urllib3.connection"]
    before = {name: (logging.getLogger(name).level, logging.getLogger(name).handlers[:]) for name in names}
    yield
    for name, (level, handlers) in before.items():
        logging.getLogger(name).setLevel(level)
        logging.getLogger(name).handlers[:] = handlers


def record(message="published", **fields):
    made = logging.LogRecord("symsrv.store", logging.INFO, "x.py", 1, message, (), None)
    made.__dict__.update(fields)
    return made


def test_a_json_line_has_the_fields_of_the_record():
    line = json.loads(JsonLines().format(record(transaction=7, path="ü")))

    assert line.pop("time").endswith("Z")
    assert line == {"level": "info", "logger": "symsrv.store", "message": "published", "transaction": 7, "path": "ü"}


def test_a_text_line_has_them_too():
    assert TextLines().format(record(transaction=7)).endswith("info    published  transaction=7")


@pytest.mark.parametrize("formatter", [JsonLines(), TextLines()])
def test_an_exception_is_kept(formatter):
    made = record()
    try:
        raise ValueError("why")
    except ValueError as error:
        made.exc_info = (type(error), error, error.__traceback__)

    assert "ValueError: why" in formatter.format(made)


def test_auto_is_text_on_a_terminal_and_json_otherwise(monkeypatch):
    for stream, expected in ((Terminal(), TextLines), (io.StringIO(), JsonLines)):
        monkeypatch.setattr("sys.stderr", stream)
        configure_logging(log_format="auto", level="warning", verbose=0)
        assert isinstance(logging.getLogger().handlers[0].formatter, expected)


@pytest.mark.parametrize(
    ("level", "verbose", "expected"),
    [
        ("warning", 0, logging.WARNING),
        ("warning", 1, logging.INFO),
        ("warning", 2, logging.DEBUG),
        ("debug", 1, logging.DEBUG),
        ("error", 0, logging.ERROR),
    ],
)
def test_verbose_lowers_the_threshold(level, verbose, expected):
    configure_logging(log_format="json", level=level, verbose=verbose)

    assert logging.getLogger("symsrv").level == expected
    assert logging.getLogger().level >= logging.INFO


@pytest.mark.parametrize("in_bytes", [True, False])
def test_progress_shows_on_a_terminal(monkeypatch, in_bytes):
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")

    with Progress("publishing", total=2, in_bytes=in_bytes) as line:
        line.step()
        line.expect(3)
        line.step(2)

    assert "publishing" in terminal.getvalue()


def test_no_library_tells_a_url_with_its_signature(tmp_path):
    from symsrv.mirror.base import Try
    from symsrv.mirror.http import open_http
    from symsrv.mirror.settings import UpstreamOptions
    from tests.mirror.answering import Answering

    stream = io.StringIO()
    odd = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nwhat is this\r\n\r\n"
    with pytest.MonkeyPatch.context() as patch, Answering(lambda _request: odd) as server:
        patch.setattr(sys, "stderr", stream)
        configure_logging(log_format="json", level="info", verbose=2)
        upstream = open_http(UpstreamOptions(name="a", url=f"{server.url}/?signature=hush", tries=1))
        with pytest.raises(SymsrvError):
            upstream.fetch(Try("a", ""), tmp_path)
        upstream.close()

    assert "hush" in server.requests[0].target
    assert "hush" not in stream.getvalue()
