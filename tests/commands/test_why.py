"""`symsrv why`: one sentence, what would mend it, and everything that was seen."""

import pytest

from tests.crash.publishing import image

KEY = "a.dll/5AB380779000/a.dll"


@pytest.fixture
def store(run, tmp_path):
    folder = tmp_path / "store"
    run("add", image(tmp_path, "a.dll"), "--store", folder, "--product", "Calculator", "--version", "1.0")
    return folder


@pytest.mark.parametrize("words", [("A.DLL", "5ab380779000"), (KEY,), (f"http://server/{KEY}",)])
def test_here(run, store, words):
    done = run("why", *words, "--store", store)

    first, sight = done.out.splitlines()
    assert (done.code, first) == (0, f"{' '.join(words)}: it is here (here)")
    size = (store / KEY).stat().st_size
    assert sight.startswith(f"  here        {KEY}  {size} bytes  transaction 0000000001  20")
    assert sight.endswith("  Calculator 1.0")


def test_deleted(run, store):
    run("delete", "1", "--store", store)

    done = run("why", KEY, "--store", store)

    first, sight, mend = done.out.splitlines()
    assert (done.code, first) == (1, f"{KEY}: it was here, and its transaction was deleted (deleted)")
    assert sight.endswith("Calculator 1.0  deleted by 0000000002")
    assert mend == "  to mend it  publish that build again"


def test_json(run, store):
    (line,) = run("why", "a.dll", "5AB38077A000", "--store", store, "--json").lines

    assert (line["asked"], line["reason"], line["here"]) == ("a.dll 5AB38077A000", "other-id", False)
    assert line["sentence"]
    assert line["mend"]
    assert (line["sights"][0]["key"], line["sights"][0]["product"]) == (KEY, "Calculator")


def test_what_no_client_asks_for(run, store):
    done = run("why", "a.dll", "--store", store)

    assert (done.code, done.out.splitlines()[0]) == (1, "a.dll: no client's dialect has such a path (unknown-path)")
    assert "NAME ID" in done.out


def test_no_store(run, tmp_path):
    assert run("why", KEY, "--store", tmp_path / "nowhere").code == 10
