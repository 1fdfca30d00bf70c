"""`symsrv missing`: one thing at a time."""

import pytest

from tests.crash.publishing import image


@pytest.fixture
def store(run, tmp_path):
    run("add", image(tmp_path / "built", "a.dll"), "--store", tmp_path / "store")
    return tmp_path / "store"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--dump", "a", "--access-log", "b"], "one thing at a time"),
        (["--retry", "--forget"], "one thing at a time"),
        (["a.dmp"], "--dump FILE"),
        (["--forget"], "--name '*' is all"),
        (["--since", "soon"], "is no time"),
        (["--state", "lost"], "lost"),
    ],
)
def test_what_cannot_be_meant_says_what_can(run, store, words, told):
    done = run("missing", *words, "--store", store)

    assert done.code == 2
    assert told in done.err


def test_no_store(run, tmp_path):
    assert run("missing", "--store", tmp_path / "nowhere").code == 10
