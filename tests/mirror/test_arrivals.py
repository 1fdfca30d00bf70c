"""Arrivals: whoever publishes answers wants, once, however often and by however many it is looked at."""

import pytest

from symsrv.ingest import Source, publish
from symsrv.ledger.state import Rest
from symsrv.mirror.arrivals import Cursor, settle
from symsrv.model.wants import want_key
from symsrv.store import open_store
from tests.ingest.files import elf, pdb, written
from tests.mirror.pulling import Pulling, key_of


@pytest.fixture
def pulling(tmp_path):
    one = Pulling.at(tmp_path)
    yield one
    one.close()


def published(pulling, *numbers, store=None):
    folder = pulling.folder / "out"
    sources = [Source(written(folder / f"app{number}.pdb", pdb(number)), f"app{number}.pdb") for number in numbers]
    return publish(store or pulling.store, sources).transaction


def events(pulling):
    return [(one.data["transaction"], one.data["home"]) for one in pulling.state.events.after(0, 1000, kind="arrived")]


def states(pulling, numbers):
    return [pulling.want(number).state.value for number in numbers]


def test_what_is_published_answers_its_wants_and_ends_their_rests(pulling):
    settle(pulling.store, pulling.state)
    keys = [pulling.pdb(number)[0] for number in (1, 2)]
    numbers = pulling.wish(*keys)
    kept = [want_key(pulling.want(number).ask) for number in numbers]
    pulling.state.rests.put([Rest("there", key, None, "absent", skip=True) for key in kept])

    transaction = published(pulling, 1)
    answered = settle(pulling.store, pulling.state)

    assert [want.id for want in answered] == numbers[:1]
    assert states(pulling, numbers) == ["answered", "open"]
    assert [rest.key for rest in pulling.state.rests.list()] == kept[1:]
    assert events(pulling) == [(transaction, keys[0])]


def test_a_second_look_does_nothing(pulling):
    settle(pulling.store, pulling.state)
    pulling.wish(pulling.pdb(1)[0])
    published(pulling, 1)

    assert len(settle(pulling.store, pulling.state)) == 1
    assert settle(pulling.store, pulling.state) == []
    assert len(events(pulling)) == 1


def test_every_file_of_a_transaction_is_told_of_whether_wanted_or_not(pulling):
    settle(pulling.store, pulling.state)

    published(pulling, 1, 2, 3)
    settle(pulling.store, pulling.state)

    assert len(events(pulling)) == 3


def test_a_new_state_finds_what_was_published_before_its_wants(pulling):
    published(pulling, 1)
    numbers = pulling.wish(pulling.pdb(1)[0], pulling.pdb(2)[0])

    settle(pulling.store, pulling.state)

    assert states(pulling, numbers) == ["answered", "open"]


def test_what_another_machine_published_counts(pulling, tmp_path):
    settle(pulling.store, pulling.state)
    numbers = pulling.wish(pulling.pdb(1)[0])
    other = open_store(str(tmp_path / "store"), state=tmp_path / "another-machine")

    published(pulling, 1, store=other)
    other.close()
    settle(pulling.store, pulling.state)

    assert states(pulling, numbers) == ["answered"]


def test_what_was_deleted_meanwhile_answers_nothing(pulling):
    settle(pulling.store, pulling.state)
    numbers = pulling.wish(pulling.pdb(1)[0])
    pulling.store.delete([published(pulling, 1)])

    settle(pulling.store, pulling.state)

    assert states(pulling, numbers) == ["open"]


def test_a_store_that_came_out_of_a_backup_is_looked_at_anew(pulling):
    settle(pulling.store, pulling.state)
    pulling.state.marks.put(f"settled:{pulling.store.id}", str(Cursor(99)))
    numbers = pulling.wish(pulling.pdb(1)[0])
    published(pulling, 1)

    settle(pulling.store, pulling.state)

    assert states(pulling, numbers) == ["answered"]
    assert Cursor.of(pulling.state.marks.text(f"settled:{pulling.store.id}")) == Cursor(1)


def test_a_number_that_comes_late_is_read_then(pulling, tmp_path):
    """symstore.exe works under a number for minutes, and others get higher ones meanwhile."""
    settle(pulling.store, pulling.state)
    numbers = pulling.wish(pulling.pdb(1)[0], pulling.pdb(2)[0])
    first, second = published(pulling, 1), published(pulling, 2)
    admin = tmp_path / "store" / "000Admin"
    late = [admin / f"{first:010}", admin / "server.txt", admin / "history.txt"]
    late.append(tmp_path / "store" / ".symsrv" / "transactions" / f"{first:010}.jsonl")
    hidden = [path.rename(tmp_path / path.name) for path in late]
    later = open_store(str(tmp_path / "store"), state=tmp_path / "another-machine")

    settle(later, pulling.state)
    assert second == 2
    assert states(pulling, numbers) == ["open", "answered"]
    for path, place in zip(hidden, late, strict=True):
        path.rename(place)
    settle(later, pulling.state)
    later.close()

    assert states(pulling, numbers) == ["answered", "answered"]


def test_an_id_that_is_proof_needs_no_name(pulling):
    settle(pulling.store, pulling.state)
    data = elf(3)
    key = key_of(data, "libapp.so", pulling.folder / "made")
    numbers = pulling.wish(key.replace("libapp.so", "libother.so"))

    publish(pulling.store, [Source(written(pulling.folder / "out" / "libapp.so", data), "libapp.so")])
    settle(pulling.store, pulling.state)

    assert states(pulling, numbers) == ["answered"]


@pytest.mark.parametrize("text", ["", "7", "{}", '{"read": "x", "gaps": []}', '{"read": 1, "gaps": 2}'])
def test_a_mark_that_is_none_of_ours_is_no_cursor(text):
    assert Cursor.of(text) is None


def test_a_cursor_reads_what_it_wrote():
    assert Cursor.of(str(Cursor(7, (3, 5)))) == Cursor(7, (3, 5))
