import re
from pathlib import Path

from symsrv.ledger.state.tables import NUMBER, PREFIX, STATE, STEPS, metadata

PAGE = Path(__file__).parents[3] / "docs" / "state.md"


def test_the_page_says_of_every_table_what_it_holds():
    told = re.findall(r"^\| `(\w+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)

    assert sorted(told) == sorted(name.removeprefix(PREFIX) for name in metadata.tables)


def test_every_table_is_recognised_as_one_of_ours():
    assert metadata.tables
    assert all(name.startswith(PREFIX) for name in metadata.tables)


def test_the_state_is_kept_and_every_number_has_its_step():
    assert STATE.kept
    assert sorted(STEPS) == list(range(2, NUMBER + 1))
