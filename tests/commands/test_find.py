"""`symsrv find`: by name, id, product; exit code 1 when there is nothing."""

import pytest

from tests.crash.publishing import image

HOME = "a.dll/5AB380779000/a.dll"


@pytest.fixture
def store(run, tmp_path):
    folder = tmp_path / "store"
    run("add", image(tmp_path, "a.dll"), "--store", folder, "--product", "Calculator")
    run("add", image(tmp_path, "b.dll"), "--store", folder)
    return folder


@pytest.mark.parametrize("text", ["A.DLL", "calculator", HOME, HOME.replace("/", "\\"), HOME.lower()])
def test_a_file_is_found(run, store, text):
    done = run("find", text, "--store", store)

    assert done.code == 0
    assert done.out.split() == [str((store / HOME).stat().st_size), HOME]


def test_json(run, store):
    (line,) = run("find", "a.dll", "--store", store, "--json").lines

    assert line["key"] == HOME
    assert (line["format"], line["code_id"], len(line["sha256"])) == ("pe", "5AB380779000", 64)


def test_an_id_finds_every_file_that_has_it(run, store):
    assert len(run("find", "5ab380779000", "--store", store, "--json").lines) == 2


def test_nothing(run, store):
    done = run("find", "nothing", "--store", store)

    assert (done.code, done.out) == (1, "")
    assert done.err == f"nothing in {store} matches 'nothing'\n"


def test_more_than_the_limit(run, store):
    done = run("find", ".dll", "--store", store, "--limit", 1)

    assert len(done.out.splitlines()) == 1
    assert done.err == "warning: there are more than 1; see --limit\n"
    assert run("find", ".dll", "--store", store, "--limit", 2).err == ""


def test_no_store(run, tmp_path):
    assert run("find", "a", "--store", tmp_path / "nowhere").code == 10
