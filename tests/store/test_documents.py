"""Transaction documents: what is written is read back, and what is damaged says so."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symsrv.backends.disk import Disk
from symsrv.model.errors import DamagedDocument, NewerFormat
from symsrv.model.identity import Identity
from symsrv.model.ids import pe_id
from symsrv.model.records import CAB, Entry, Status, Transaction
from symsrv.store import documents, places

WHEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
IDENTITY = Identity("pe", "code", "a.dll", (pe_id(0x5AB38077, 0x9000),), code_id="5AB380779000", notes=("a note",))


def transaction(**fields) -> Transaction:
    entry = Entry(
        "a.dll/5AB380779000/a.dll", "C:\\a.dll", Status.STORED, 5, "ab" * 32, modified_ns=7, identities=(IDENTITY,)
    )
    conflict = Entry("b/1/b", "/b", Status.CONFLICT, 5, "cd" * 32, kept_sha256="ef" * 32)
    return Transaction(7, "add", WHEN, "01/02/2026,03:04:05", "prod", entries=(entry, conflict), **fields)


def test_a_transaction_is_read_back_as_it_was_written():
    written = transaction(tag="nightly", who="me", host="here", comment="ünïcode \ud800")

    assert documents.load(documents.dump(written), "x") == written


def test_both_facts_of_a_packed_file_are_read_back():
    facts = {"encoding": CAB, "plain_size": 70, "plain_sha256": "cd" * 32}
    entry = Entry("a.dll/5AB380779000/a.dl_", "C:\\a.dll", Status.STORED, 5, "ab" * 32, **facts)
    written = Transaction(7, "add", WHEN, "01/02/2026,03:04:05", entries=(entry,))

    data = documents.dump(written)

    assert documents.load(data, "x") == written
    assert json.loads(data.splitlines()[0])["format"] == 1, "a program that knows no encoding does no harm"
    assert json.loads(data.splitlines()[1]).items() >= facts.items()


def test_a_delete_is_read_back():
    written = Transaction(8, "del", WHEN, "stamp", deletes=(3, 4))

    assert documents.load(documents.dump(written), "x") == written


def test_the_lines_are_json_a_person_can_read():
    header, first, second = documents.dump(transaction()).decode().splitlines()

    assert header.startswith('{"format": 1, "number": 7, "type": "add"')
    assert '"home": "a.dll/5AB380779000/a.dll"' in first
    assert '"status": "conflict"' in second
    assert "null" not in header + first + second


def test_fields_of_later_versions_are_ignored():
    data = documents.dump(transaction()).replace(b'"number": 7', b'"number": 7, "colour": "blue"')

    assert documents.load(data, "x") == transaction()


def test_every_truncation_is_damage():
    data = documents.dump(transaction())
    for length in range(len(data) - 1):
        with pytest.raises(DamagedDocument):
            documents.load(data[:length], "x")


@given(st.binary(max_size=200))
def test_any_bytes_are_a_document_or_damage(data):
    with pytest.raises(DamagedDocument):
        documents.load(data, "x")


def test_a_newer_format_stops():
    data = documents.dump(transaction()).replace(b'"format": 1', b'"format": 2')

    with pytest.raises(NewerFormat, match="use the version that wrote it"):
        documents.load(data, "x")


def test_a_number_without_a_document_is_none(tmp_path):
    store = Disk(tmp_path)
    written = Transaction(4, "del", WHEN, "", deletes=(9,))
    store.create(places.document(4), documents.dump(written))

    assert documents.read(store, 3) is None
    assert documents.read(store, 4) == written
    assert places.document(4) == ".symsrv/transactions/0000000004.jsonl"
