"""Budgets: hours of the day, bytes a day, free disk."""

import shutil
from datetime import UTC, datetime, timedelta

import pytest

from symsrv.mirror.budget import Spent, Window, has_room, tomorrow


def at(clock: str) -> datetime:
    """A moment of a day by the local clock."""
    return datetime.fromisoformat(f"2026-03-10T{clock}").astimezone()


@pytest.mark.parametrize(
    ("window", "clock", "open_then"),
    [
        ("09:00-17:00", "09:00", True),
        ("09:00-17:00", "16:59", True),
        ("09:00-17:00", "17:00", False),
        ("09:00-17:00", "08:59", False),
        ("22:00-06:00", "23:00", True),
        ("22:00-06:00", "05:59", True),
        ("22:00-06:00", "06:00", False),
        ("22:00-06:00", "12:00", False),
        ("00:00-00:00", "12:00", True),
    ],
)
def test_a_window_is_a_part_of_the_local_day(window, clock, open_then):
    assert Window.of(window).is_open(at(clock)) is open_then


def test_no_window_is_none():
    assert Window.of(None) is None


@pytest.mark.parametrize(("clock", "hours"), [("12:00", 10), ("06:00", 16), ("21:59", 1 / 60)])
def test_it_opens_next_at_its_beginning(clock, hours):
    assert Window.of("22:00-06:00").opens(at(clock)) == at(clock) + timedelta(hours=hours)


def test_it_opens_tomorrow_after_it_shut_today():
    assert Window.of("09:00-17:00").opens(at("18:00")) == at("09:00") + timedelta(days=1)


def test_a_time_that_is_none_is_refused():
    with pytest.raises(ValueError, match="hour"):
        Window.of("25:00-06:00")


def test_a_days_budget_ends_at_midnight_in_utc():
    assert tomorrow(datetime(2026, 2, 28, 23, 59, tzinfo=UTC)) == datetime(2026, 3, 1, tzinfo=UTC)


def test_a_disk_has_room_down_to_what_is_kept_free(tmp_path):
    free = shutil.disk_usage(tmp_path).free

    assert has_room(tmp_path / "not" / "made", free // 2)
    assert not has_room(tmp_path, free * 2)


def test_what_is_spent_is_everybodys_and_ours_and_counts_once():
    recorded = {"a": 100}

    def record(upstream: str, received: int) -> None:
        recorded[upstream] = recorded.get(upstream, 0) + received

    spent = Spent(lambda: dict(recorded), record)
    spent.flush()
    spent.add("a", 5)
    spent.add("b", 7)
    assert (spent.of("a"), spent.of("b"), spent.all()) == (105, 7, 112)

    recorded["a"] += 1000  # another process
    spent.flush()

    assert recorded == {"a": 1105, "b": 7}
    assert (spent.of("a"), spent.of("b"), spent.all()) == (1105, 7, 1112)
    spent.flush()
    assert recorded == {"a": 1105, "b": 7}
