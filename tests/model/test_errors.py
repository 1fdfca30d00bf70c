import inspect

import pytest

from symsrv.model import errors
from symsrv.model.errors import (
    EXIT_MEANING,
    AlreadyThere,
    BackendError,
    BadName,
    DamagedDocument,
    Exit,
    Missing,
    NewerFormat,
    NoStore,
    NoSuchTransaction,
    NotIdentified,
    SourceError,
    StoreError,
    StoreLocked,
    SymsrvError,
    UsageError,
)

TREE = [one for _, one in inspect.getmembers(errors, inspect.isclass) if issubclass(one, SymsrvError)]


def test_every_exit_code_has_a_meaning():
    assert set(EXIT_MEANING) == set(Exit)
    assert [int(code) for code in Exit] == [0, 1, 2, 3, 10, 11, 12]


def test_every_error_is_drawn_in_the_tree():
    assert errors.__doc__ is not None
    for one in TREE:
        assert one.__name__ in errors.__doc__


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("x"), Exit.USAGE),
        (NoStore("x"), Exit.NO_STORE),
        (StoreLocked("x"), Exit.LOCKED),
        (NoSuchTransaction("x"), Exit.NO_TRANSACTION),
        (StoreError("x"), Exit.FAILED),
        (Missing("x"), Exit.FAILED),
    ],
)
def test_exit_codes(error: SymsrvError, code: Exit):
    assert error.exit_code is code


def test_an_error_says_whether_to_try_again():
    assert StoreLocked("x").transient
    assert BackendError("unavailable", "x", transient=True).transient
    assert not BackendError("disk-full", "x").transient
    assert SourceError("vanished", "x", transient=True).transient
    assert not Missing("x").transient


def test_an_error_carries_its_reason_word_and_writes_its_sentence():
    assert (NotIdentified("truncated", "it ends").reason, str(NotIdentified("truncated", "it ends"))) == (
        "truncated",
        "it ends",
    )
    assert str(AlreadyThere("a/b")) == "a/b is there already"
    assert str(Missing("a/b")) == "a/b is not there"
    assert AlreadyThere("a/b").path == "a/b"
    assert "'a/b' cannot be a file name" in str(BadName("a/b", "because"))
    damaged = DamagedDocument("a/1.jsonl", "cut")
    assert (damaged.path, damaged.why) == ("a/1.jsonl", "cut")
    assert "a/1.jsonl is damaged (cut)" in str(damaged)
    assert str(NewerFormat("store.json", 9, 1)).startswith("store.json has format 9, and this symsrv knows 1")
    assert len({one.reason for one in TREE if one.__init__ is not NotIdentified.__init__}) > 5
