"""Which reports wait for nothing any more; what they wait for is in test_reports.py."""

from symsrv.ledger.state.completing import OVER, complete_reports, complete_reports_of, waiting_for
from symsrv.ledger.state.tables import reports, wants
from tests.ledger.state.wishing import pdb_path, wish


def test_only_reports_with_nothing_open_are_marked(state):
    numbers = [
        state.reports.file(name, [wish(pdb_path(f"{name}.pdb"))], origin="", data={}) for name in ("open", "answered")
    ]
    with state._database.writing() as connection:
        connection.execute(wants.update().where(wants.c.name == "answered.pdb").values(state=OVER[0]))
        assert sorted(waiting_for(connection, wants.c.id > 0)) == numbers

        complete_reports(connection, reports.c.id == numbers[0], now=5)
        complete_reports_of(connection, [], now=6)
        assert sorted(waiting_for(connection, wants.c.id > 0)) == numbers

        complete_reports_of(connection, [want.id for want in state.wants.list()], now=7)
        assert waiting_for(connection, wants.c.id > 0) == numbers[:1]
