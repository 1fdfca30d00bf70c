"""000Admin and refs.ptr are held to the documents: every way in which they can say otherwise is named."""

import pytest

from symsrv.ledger.index import Index
from symsrv.store import microsoft
from symsrv.store.bookkeeping import admin_faults
from tests.crash.publishing import draft, image

REFS = "a.dll/5AB380779000/refs.ptr"


@pytest.fixture
def store(opened, tmp_path):
    """1 was deleted by 3, and 2 is live; both had a.dll."""
    one = opened()
    for _ in range(2):
        one.commit(draft(one, image(tmp_path, "a.dll")))
    one.delete([1])
    return one


def told(store) -> list[tuple[str, str]]:
    index = Index("sqlite://")
    list(store.care.read_into(index))
    try:
        return list(admin_faults(store._backend, index))
    finally:
        index.close()


def test_nothing_is_said_of_what_a_writer_left(store):
    assert told(store) == []


@pytest.mark.parametrize(
    ("path", "before", "after", "sentence"),
    [
        (microsoft.LASTID, b"3", b"1", "it says 0000000001, but transaction 0000000003 is committed"),
        (
            microsoft.HISTORY,
            b"0000000002,add",
            b"0000000009,add",
            "transaction 0000000002 is committed, and has no line",
        ),
        (microsoft.SERVER, b"0000000002,add", b"0000000009,add", "transaction 0000000002 is live, and has no line"),
        (microsoft.SERVER, b"0000000002", b"0000000001", "transaction 0000000001 is deleted, and has a line"),
        ("000Admin/0000000002", b"a.dll", b"b.dll", "it does not list a.dll/5AB380779000"),
        (REFS, b"0000000002", b"0000000007", "transaction 0000000002 holds the file, and has no line"),
        (REFS, b"0000000002", b"0000000001", "transaction 0000000001 is deleted, and has a line"),
    ],
)
def test_each_difference_is_named(store, path, before, after, sentence):
    data = store._backend.read(path)
    store._backend.write(path, data.replace(before, after))

    assert (path, sentence) in told(store)


def test_a_torn_line_is_named(store):
    data = store._backend.read(microsoft.HISTORY)
    first, second, third = data.split(b"\r\n")
    store._backend.write(microsoft.HISTORY, b"\r\n".join([first, second[:30], third]))

    assert told(store) == [(microsoft.HISTORY, "the line of transaction 0000000002 is torn")]


def test_on_a_bucket_a_missing_list_is_named(bucket, opened, tmp_path):
    store = opened(bucket)
    store.commit(draft(store, image(tmp_path, "a.dll")))
    assert told(store) == []

    store._backend.delete("000Admin/0000000001")

    assert told(store) == [("000Admin/0000000001", "the transaction is committed, and its list is missing")]
