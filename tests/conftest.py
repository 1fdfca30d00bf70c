"""What every test may use: the command line in this process, and a home of its own."""

import contextlib
import json
import logging
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

# A CI that starts its jobs in the background ignores these, and so would every process that a test starts and signals.
for _name in ("SIGINT", "SIGHUP"):
    if (_number := getattr(signal, _name, None)) is not None and signal.getsignal(_number) is signal.SIG_IGN:
        with contextlib.suppress(ValueError):
            signal.signal(_number, signal.default_int_handler if _name == "SIGINT" else signal.SIG_DFL)

REPOSITORY = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Result:
    """What a run of symsrv left behind."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


@pytest.fixture(autouse=True)
def own_home(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keeps the tests away from the configuration, the state and the environment of whoever runs them."""
    home = tmp_path_factory.mktemp("home")
    for variable in (
        "XDG_CONFIG_HOME",
        "XDG_STATE_HOME",
        "XDG_CONFIG_DIRS",
        "XDG_CACHE_HOME",
        "XDG_DATA_HOME",
        "APPDATA",
        "LOCALAPPDATA",
    ):
        monkeypatch.setenv(variable, str(home / variable.lower()))
    monkeypatch.setenv("HOME", str(home))
    for variable in ("SYMSRV_STORE", "SYMSRV_CONFIG", "SYMSRV_STATE", "SYMSRV_INDEX", "SYMSRV_LISTEN"):
        monkeypatch.delenv(variable, raising=False)
    return home


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., Result]]:
    """Runs symsrv in this process: `run("history", "--store", folder, "--json").lines`."""
    from symsrv.commands import main

    loggers = [logging.getLogger(), logging.getLogger("symsrv")]
    before = [(one, one.level, one.handlers[:]) for one in loggers]

    def invoke(*arguments: object) -> Result:
        words: Sequence[str] = [str(argument) for argument in arguments]
        capsys.readouterr()
        code = main(words)
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    yield invoke
    for one, level, handlers in before:
        one.setLevel(level)
        one.handlers[:] = handlers
