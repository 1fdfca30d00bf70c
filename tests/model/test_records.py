import pytest

from symsrv.model.records import Evidence, Status, StoredFile, Transaction, digits
from tests.ledger.samples import WHEN


@pytest.mark.parametrize(
    ("status", "holds"), [("stored", True), ("present", True), ("replaced", True), ("conflict", False)]
)
def test_only_a_conflict_holds_nothing(status: str, holds: bool):
    assert Status(status).holds is holds


def test_every_status_is_decided():
    assert [str(one) for one in Status] == ["stored", "present", "replaced", "conflict"]
    assert [str(one) for one in Evidence] == ["content", "sibling", "hash"]


@pytest.mark.parametrize(
    ("number", "text"), [(1, "0000000001"), (1234567890, "1234567890"), (12345678901, "12345678901")]
)
def test_digits(number: int, text: str):
    assert digits(number) == text


def test_an_adopted_file_is_known_by_its_size_alone():
    file = StoredFile("a/b/a", 1)

    assert (file.sha256, file.modified_ns, file.identities) == (None, None, ())


def test_a_transaction_is_ours_and_empty_unless_said_otherwise():
    transaction = Transaction(1, "add", WHEN, "")

    assert not transaction.foreign
    assert (transaction.entries, transaction.deletes, transaction.deleted_by) == ((), (), None)
