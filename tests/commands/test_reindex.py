"""`symsrv reindex`: what was copied in is found, and 000Admin is mended."""

import shutil

import pytest

from symsrv.backends.disk import Disk
from tests.crash.publishing import image

HOME = "a.dll/5AB380779000/a.dll"


@pytest.fixture
def store(run, tmp_path):
    run("add", image(tmp_path, "a.dll"), "--store", tmp_path / "store")
    return tmp_path / "store"


def test_files_copied_in_are_found(run, store, tmp_path):
    place = store / "b.dll" / "5AB380779000"
    place.mkdir(parents=True)
    shutil.copy(image(tmp_path, "b.dll"), place)
    assert run("find", "b.dll", "--store", store).code == 1

    done = run("reindex", "--store", store)

    assert (done.code, done.out) == (0, "2 files indexed\n")
    assert run("find", "b.dll", "--store", store).code == 0


def test_admin_is_mended(run, store):
    shutil.rmtree(store / "000Admin")
    (store / HOME).with_name("refs.ptr").unlink()

    done = run("reindex", "--store", store, "--admin")

    assert (done.code, done.out) == (0, "1 files indexed, 5 lines added to 000Admin and refs.ptr\n")
    assert run("verify", "--store", store).code == 0
    assert run("reindex", "--store", store, "--admin", "--json").lines == [{"files": 1, "admin_lines": 0}]


def test_exit_codes(run, store, tmp_path):
    config = tmp_path / "symsrv.yaml"
    config.write_text("lock_timeout: 50ms\n")
    with Disk(store).lock(timeout_seconds=1):
        locked = run("reindex", "--admin", "--store", store, "-c", config, "--json")

    assert locked.code == 11
    assert locked.lines[-1]["reason"] == "locked"
    assert run("reindex", "--store", tmp_path / "nowhere").code == 10
