"""`symsrv history`: the transactions, oldest first."""

import re

import pytest

from tests.crash.publishing import image


@pytest.fixture
def store(run, tmp_path):
    folder = tmp_path / "store"
    run("add", image(tmp_path, "a.dll"), "--store", folder, "--product", "app", "--version", "1.0", "--comment", "why")
    run("add", image(tmp_path, "b.dll"), image(tmp_path, "c.dll"), "--store", folder, "--tag", "nightly")
    run("delete", "1", "--store", folder)
    return folder


def test_text(run, store):
    done = run("history", "--store", store)

    assert done.code == 0
    lines = [re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "WHEN", line) for line in done.out.splitlines()]
    assert lines == [
        "0000000001  WHEN       1 files  app 1.0  “why”  (deleted by 0000000003)",
        "0000000002  WHEN       2 files    nightly",
        "0000000003  WHEN  deleted 0000000001",
    ]


def test_json(run, store):
    first, second, third = run("history", "--store", store, "--json").lines

    assert {key: first[key] for key in ("transaction", "type", "product", "version", "comment", "tag", "files")} == {
        "transaction": "0000000001",
        "type": "add",
        "product": "app",
        "version": "1.0",
        "comment": "why",
        "tag": None,
        "files": 1,
    }
    assert (first["deleted_by"], first["deletes"]) == ("0000000003", [])
    assert (second["tag"], second["deleted_by"]) == ("nightly", None)
    assert (third["type"], third["deletes"]) == ("del", ["0000000001"])
    assert first["time"].endswith("+00:00")
    assert "@" in first["who"]


def test_last(run, store):
    assert [line["transaction"][-1] for line in run("history", "--store", store, "--last", 2, "--json").lines] == [
        "2",
        "3",
    ]
    assert run("history", "--store", store, "--last", 0).code == 2


def test_an_empty_store_and_none(run, tmp_path):
    (tmp_path / "empty").mkdir()

    empty = run("history", "--store", tmp_path / "empty")

    assert (empty.code, empty.out) == (0, "")
    assert list((tmp_path / "empty").iterdir()) == []
    assert run("history", "--store", tmp_path / "nowhere").code == 10
    assert run("history").code == 2
