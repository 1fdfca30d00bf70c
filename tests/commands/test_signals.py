"""Signals of what runs until it is stopped."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from symsrv.commands.signals import Signals

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals as POSIX has them")


@pytest.fixture
def no_terminal(monkeypatch):
    monkeypatch.setattr("symsrv.commands.signals._has_terminal", lambda: False)


def test_the_first_signal_asks_to_stop(no_terminal):
    before = signal.getsignal(signal.SIGTERM)
    with Signals() as signals:
        assert not signals.stop.is_set()
        signal.raise_signal(signal.SIGTERM)
        assert signals.stop.is_set()
    assert signals.number == signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_hangup_reloads(no_terminal):
    with Signals(reloads=True) as signals:
        signal.raise_signal(signal.SIGHUP)

    assert signals.reload.is_set()
    assert not signals.stop.is_set()


def test_a_hangup_without_anything_to_reload_ends(no_terminal):
    with Signals() as signals:
        signal.raise_signal(signal.SIGHUP)

    assert signals.number == signal.SIGHUP


def test_a_terminal_that_goes_away_ends(monkeypatch):
    monkeypatch.setattr("symsrv.commands.signals._has_terminal", lambda: True)
    with Signals(reloads=True) as signals:
        signal.raise_signal(signal.SIGHUP)

    assert signals.number == signal.SIGHUP


def test_what_is_ignored_stays_ignored(no_terminal):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Signals(reloads=True) as signals:
            signal.raise_signal(signal.SIGHUP)
        assert not signals.reload.is_set()
    finally:
        signal.signal(signal.SIGHUP, before)


def test_other_threads_leave_signals_alone():
    failed = []

    def work():
        try:
            with Signals():
                pass
        except ValueError as error:
            failed.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()

    assert failed == []


@pytest.mark.parametrize("first", ["signal.raise_signal(signal.SIGINT)", "signals.came(2)"])
def test_the_second_signal_of_any_kind_ends_at_once(first):
    text = f"""
import signal
from symsrv.commands.signals import Signals
with Signals(reloads=True) as signals:
    {first}
    print(signals.number, flush=True)
    signal.raise_signal(signal.SIGTERM)
    print("still here")
"""
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=False)

    assert done.stdout == "2\n"
    assert done.returncode == -signal.SIGTERM
