"""What goes to stderr: log lines, as text or JSON, and a progress line for people."""

import json
import logging
import sys
import time
from types import TracebackType
from typing import Any, Self

_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName", "color_message"}


def configure_logging(*, log_format: str, level: str, verbose: int) -> None:
    """Sends every log line to stderr: `text`, `json`, or `auto` (text on a terminal, JSON otherwise)."""
    if log_format == "auto":
        log_format = "text" if sys.stderr is not None and sys.stderr.isatty() else "json"
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if log_format == "json" else TextLines())
    threshold = {0: level.upper(), 1: "INFO"}.get(verbose, "DEBUG")
    if verbose == 1 and level.upper() == "DEBUG":
        threshold = "DEBUG"
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel("WARNING" if threshold == "DEBUG" else threshold)  # what libraries debug is theirs
    logging.getLogger("symsrv").setLevel(threshold)
    # It warns of headers that it cannot parse, with the whole URL, in which a redirect may have put a signature.
    logging.getLogger("urllib3.connection").setLevel("ERROR")
    logging.getLogger("uvicorn").setLevel("INFO" if threshold == "DEBUG" else "WARNING")  # its comings and goings


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    return {key: value for key, value in record.__dict__.items() if key not in _STANDARD}


class JsonLines(logging.Formatter):
    """One JSON object per line: time (UTC), level, logger, message, and the fields of the record."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as a JSON line."""
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line: dict[str, Any] = {
            "time": f"{stamp}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_fields(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


class TextLines(logging.Formatter):
    """Time, level, sentence and fields, for people."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line of text."""
        stamp = time.strftime("%H:%M:%S", time.localtime(record.created))
        fields = " ".join(f"{key}={value}" for key, value in _fields(record).items())
        line = f"{stamp} {record.levelname.lower():7} {record.getMessage()}" + (f"  {fields}" if fields else "")
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class Progress:
    """A progress line on stderr; silent where stderr is not a terminal."""

    def __init__(self, title: str, *, total: int | None = None, in_bytes: bool = False) -> None:
        self.title = title
        self.total = total
        self.in_bytes = in_bytes
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Self:
        if sys.stderr is not None and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
            from rich.progress import Progress as Bar

            counted = DownloadColumn() if self.in_bytes else MofNCompleteColumn()
            self._bar = Bar(
                TextColumn("{task.description}"),
                BarColumn(),
                counted,
                TimeRemainingColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            self._task = self._bar.add_task(self.title, total=self.total)
            self._bar.start()
        return self

    def step(self, amount: int = 1) -> None:
        """Moves on by so many files or bytes. May be called from any thread."""
        if self._bar is not None:
            self._bar.advance(self._task, amount)

    def expect(self, total: int) -> None:
        """Says how much there will be in all, once that is known."""
        if self._bar is not None:
            self._bar.update(self._task, total=total)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
