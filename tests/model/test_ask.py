import pytest

from symsrv.model.ask import Ask, Wants
from symsrv.model.ids import build_id


def test_an_ask_asks_for_no_more_than_it_says():
    ask = Ask(Wants.DEBUG, (build_id(b"\xab"),))

    assert (ask.name, ask.detail, ask.packed) == (None, None, False)


def test_asks_compare_and_hash_by_what_they_say():
    one, other = (Ask(Wants.CODE, (build_id(b"\xab"),), "a") for _ in range(2))

    assert one == other
    assert len({one, other, Ask(Wants.CODE, (build_id(b"\xab"),), "A")}) == 2


def test_an_ask_does_not_change():
    with pytest.raises(AttributeError):
        Ask(Wants.CODE, ()).name = "a"  # type: ignore[misc]


def test_the_words_are_those_of_the_documents():
    assert [str(one) for one in Wants] == ["code", "debug", "either", "sym", "section"]
