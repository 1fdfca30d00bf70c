"""A state in SQLite and one in PostgreSQL, with a clock that the test moves."""

from collections.abc import Iterator

import pytest

from symsrv.ledger.state import State, open_state
from tests.ledger.state.wishing import Ticking


@pytest.fixture
def clock() -> Ticking:
    return Ticking()


@pytest.fixture
def state(url: str, clock: Ticking) -> Iterator[State]:
    one = open_state(url, clock=clock)
    yield one
    one.close()
