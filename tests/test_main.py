"""`python -m symsrv`."""

import subprocess
import sys

import pytest

from symsrv import __version__
from symsrv.__main__ import main


def test_the_module_runs():
    done = subprocess.run([sys.executable, "-m", "symsrv", "--version"], capture_output=True, text=True, timeout=60)

    assert (done.returncode, done.stdout) == (0, f"symsrv {__version__}\n")


def test_main_ends_the_process_with_the_exit_code(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["symsrv", "--nope"])

    with pytest.raises(SystemExit) as caught:
        main()

    assert caught.value.code == 2
