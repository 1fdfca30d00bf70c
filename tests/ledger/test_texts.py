import pytest
from hypothesis import given
from hypothesis import strategies as st

from symsrv.ledger.texts import CHUNK, chunks, original_text, stored_text

ANY = st.text(st.characters(exclude_categories=()), max_size=20)


@given(text=ANY | st.sampled_from(["\x01", "\x01a", "\udc80", "\0", "a\0b"]))
def test_any_text_is_stored_and_read_back(text):
    kept = stored_text(text)

    assert original_text(kept) == text
    assert "\0" not in kept
    kept.encode()


@pytest.mark.parametrize("text", ["", "crash.pdb", "Größe 100%", "C:\\out\\a.pdb", '"quoted"', "\x02"])
def test_ordinary_text_is_stored_as_it_is(text):
    assert stored_text(text) == text


@pytest.mark.parametrize("count", [0, 1, CHUNK, CHUNK + 1])
def test_chunks_hold_everything_once(count):
    assert [one for batch in chunks(range(count)) for one in batch] == list(range(count))
