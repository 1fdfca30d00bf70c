"""Wishes to file, and a clock to move."""

from datetime import UTC, datetime, timedelta
from typing import Any

from symsrv.layouts import parse_any
from symsrv.model.ask import Ask
from symsrv.model.wants import Wish

GUID = "3249D99D0C4049318610F4E4FB0B6936"
BUILD_ID = "dfb85de42daffd09640c8fe377d572de3e168920"
START = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Ticking:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now.timestamp()

    def move(self, seconds: float) -> datetime:
        self.now += timedelta(seconds=seconds)
        return self.now


def asked(path: str) -> Ask:
    ask = parse_any(path)
    assert ask is not None
    return ask


def pdb_path(name: str = "a.pdb", age: int = 1) -> str:
    return f"{name}/{GUID}{age:x}/{name}"


def wish(key: str = pdb_path(), **fields: Any) -> Wish:
    return Wish(asked(key), **fields)
