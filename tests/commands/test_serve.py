"""`symsrv serve` as a process: it answers, and ends by a signal in order."""

import os
import shutil
import signal

import pytest

from tests.commands.serving import running
from tests.crash.publishing import image

HOME = "a.dll/5AB380779000/a.dll"
signals = pytest.mark.skipif(os.name == "nt", reason="signals as POSIX has them")


@signals
@pytest.mark.parametrize("workers", [1, 2])
def test_files_are_served_until_a_signal_comes(run, tmp_path, workers):
    path, later = image(tmp_path, "a.dll"), image(tmp_path, "b.dll")
    run("add", path, "--store", tmp_path / "store")

    with running("serve", "--store", tmp_path / "store", "--workers", workers) as server:
        assert server.wait_for(HOME) == path.read_bytes()
        assert server.get("b.dll/5AB380779000/b.dll")[0] == 404
        assert run("add", later, "--store", tmp_path / "store").code == 0
        assert server.wait_for("b.dll/5AB380779000/b.dll") == later.read_bytes()
        assert server.end() == 128 + signal.SIGTERM

    assert server.said[0] == f"serving {tmp_path / 'store'} at {server.url}"
    assert not [line for line in server.said if "Traceback" in line or '"level": "error"' in line]


@signals
def test_a_bare_folder_is_served_and_left_as_it_is(tmp_path):
    place = tmp_path / "store" / "a.dll" / "5AB380779000"
    place.mkdir(parents=True)
    shutil.copy(image(tmp_path, "a.dll"), place)
    (tmp_path / "store" / "pingme.txt").touch()

    with running("serve", "--store", tmp_path / "store") as server:
        assert server.wait_for(HOME.upper()) == (place / "a.dll").read_bytes()
        assert server.end(signal.SIGINT) == 128 + signal.SIGINT

    assert sorted(path.name for path in (tmp_path / "store").iterdir()) == ["a.dll", "pingme.txt"]


@signals
@pytest.mark.skipif(os.isatty(0), reason="a terminal's hangup ends it")
@pytest.mark.parametrize("workers", [1, 2])
def test_hangups_end_nothing(run, tmp_path, workers):
    path = image(tmp_path, "a.dll")
    run("add", path, "--store", tmp_path / "store")

    with running("serve", "--store", tmp_path / "store", "--workers", workers) as server:
        server.wait_for(HOME)
        for _ in range(2):
            server.process.send_signal(signal.SIGHUP)
            assert server.wait_for(HOME) == path.read_bytes()
        assert server.end() == 128 + signal.SIGTERM

    assert any("restart it" in line for line in server.said)
    assert not [line for line in server.said if "Traceback" in line]


def test_exit_codes(run, tmp_path):
    assert run("serve", "--store", tmp_path / "nowhere").code == 10
    (tmp_path / "store").mkdir()
    wrong = run("serve", "--store", tmp_path / "store", "--listen", "nonsense")
    assert wrong.code == 2
    assert "nonsense" in wrong.err
    assert run("serve", "--store", tmp_path / "store", "--workers", 0).code == 2
    assert run("serve").code == 2


@signals
def test_a_port_that_is_taken_is_told(run, tmp_path):
    (tmp_path / "store").mkdir()
    with running("serve", "--store", tmp_path / "store") as server:
        done = run("serve", "--store", tmp_path / "store", "--listen", server.url.removeprefix("http://"))

    address = server.url.removeprefix("http://")
    assert done.code == 2
    assert f"symsrv: cannot listen on {address}: Address already in use; --listen takes another" in done.err
