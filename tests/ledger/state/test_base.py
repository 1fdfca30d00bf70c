import time
from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from symsrv.ledger.state import open_state
from symsrv.ledger.state.base import maybe_micros, maybe_moment, maybe_original, maybe_stored, micros, moment, words_of


@given(when=st.datetimes(timezones=st.just(UTC)))
def test_times_are_kept_exactly(when):
    assert moment(micros(when)) == when


def test_a_time_without_a_zone_is_utc():
    noon = datetime(2026, 1, 2, 12)

    assert micros(noon) == micros(noon.replace(tzinfo=UTC))
    assert moment(micros(datetime(2026, 1, 2, 12, tzinfo=timezone(timedelta(hours=2))))).hour == 10


def test_what_is_missing_stays_so():
    assert maybe_micros(None) is maybe_moment(None) is maybe_stored(None) is maybe_original(None) is None
    assert maybe_original(maybe_stored("a\0")) == "a\0"


def test_words_are_folded_one_a_line():
    assert words_of("Größe.PDB", None, "", "AB") == "größe.pdb\nab"


def test_without_a_clock_it_is_now(url):
    state = open_state(url)
    before = time.time()

    state.marks.put("a", 1)

    (at,) = state._database.rows("SELECT at FROM symsrv_state_marks")[0]
    assert before - 5 < at / 1_000_000 < time.time() + 5
    state.close()
