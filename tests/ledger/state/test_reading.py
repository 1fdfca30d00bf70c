from dataclasses import replace

from symsrv.ledger.state.reading import place_of, want_of
from symsrv.ledger.state.tables import ORDER, wants
from symsrv.model.wants import wanted
from tests.ledger.state.wishing import wish


def test_a_row_is_a_want_and_has_a_place(state):
    filed = wish(who="serve", path="a\0b", version="1", urgent=True)
    (number,) = state.wants.file([filed])

    (row,) = state._database.all(wants.select())

    want = want_of(row)
    assert want == replace(state.wants.get(number), ask=wanted(filed.ask), path="a\0b")
    assert place_of(row) == tuple(getattr(row, column.name) for column in ORDER) == (1, 0, 1, row.last, number)
