"""What is done all the time costs the same in a long queue as in a short one."""

import json
import sqlite3

import pytest
from sqlalchemy import event, insert

from symsrv.layouts import home
from symsrv.ledger.state import Arrival, Attempt, Rest, Which, open_state
from symsrv.ledger.state.tables import attempts, rests, want_ids, wants
from symsrv.model.wants import WantState
from tests.ledger.samples import pdb
from tests.ledger.state.wishing import pdb_path, wish

FEW, MANY = 1_000, 20_000
STATES = (*[WantState.OPEN] * 7, WantState.RESTING, WantState.ANSWERED, WantState.GIVEN_UP)
LATER = 1 << 52  # in the year 2112


def filled(url, count):
    """A state with so many wants, most of them open, and as many rests and lines in the log."""
    state = open_state(url)
    made = [
        {
            "id": number,
            "key": f"debug:debug:{number:032x}1:{number}.pdb",
            "wants": "debug",
            "ids": json.dumps([["debug", f"{number:032x}1"]]),
            "name": f"{number}.pdb",
            "words": f"{number}.pdb",
            "state": STATES[number % len(STATES)].value,
            "urgent": 0,
            "waiting": number % 3,
            "count": number % 97,
            "first": number,
            "last": number,
            "who": "[]",
            "rounds": 0,
            "until": LATER,
        }
        for number in range(1, count + 1)
    ]
    identified = [{"value": f"{one['id']:032x}1", "kind": "debug", "want": one["id"]} for one in made]
    plain = {"reason": "absent", "answer": "", "words": "", "name": "", "rounds": 1, "skip": 0, "at": 0}
    resting = [{"upstream": f"u{one['id'] % 3}", "key": one["key"], "until": LATER} | plain for one in made]
    logged = [
        {
            "at": one["id"],
            "upstream": f"u{one['id'] % 3}",
            "key": one["key"],
            "name": one["name"],
            "words": one["name"],
            "address": "",
            "stage": "storing",
            "outcome": "ok",
            "reason": "",
            "bytes": 1,
        }
        for one in made
    ]
    with state._database.writing() as connection:
        for table, rows in ((wants, made), (want_ids, identified), (rests, resting), (attempts, logged)):
            connection.execute(insert(table), rows)
        if not state._database.is_sqlite:
            # The next numbers come from a sequence that did not see these.
            connection.exec_driver_sql(f"SELECT setval('{wants.name}_id_seq', {count})")
    with state._database.reading() as connection:
        connection.exec_driver_sql("ANALYZE")
    return state


def claim(state):
    assert len(state.wants.claim("w", 8, lease_seconds=60)) == 8


def wake(state):
    state.wants.claim("late", 8, lease_seconds=0)
    assert len(state.wants.claim("w", 8, lease_seconds=60)) == 8


def coalesce(state):
    assert len(state.wants.file([wish(pdb_path(f"{number}.pdb", number)) for number in range(1, 9)])) == 8


def go_on(state):
    held = [want.id for want in state.wants.claim("w", 8, lease_seconds=60)]
    assert state.wants.renew("w", held, lease_seconds=60) == sorted(held)
    assert state.wants.release(held[0], "w")
    assert state.wants.rest(held[1], "w", reason="absent", due=None, rounds=3)


def page(state):
    first = state.wants.list(limit=20)
    assert len(state.wants.list(limit=20, after=first[-1])) == 20
    assert len(state.wants.list(limit=20, after=first[-1].id, states=[WantState.GIVEN_UP])) == 20


def look_up(state):
    (want,) = state.wants.list(limit=1)
    assert state.wants.get(want.id) == state.wants.at(want.ask) == want
    assert len(state.rests.until("u1", [f"debug:debug:{number:032x}1:{number}.pdb" for number in range(1, 9)])) == 3


def rest(state):
    state.rests.put([Rest("u1", f"k{number}", None, "absent") for number in range(8)])
    assert len(state.rests.list(upstream="u1", limit=20)) == 20
    assert state.rests.clear(keys=[f"k{number}" for number in range(8)]) == 8


def arrive(state):
    state.wants.file([wish(pdb_path("new.pdb", 99))])
    assert len(state.arrive([Arrival(home(one), (one,), 1) for one in [pdb("new.pdb", 99)]], mark="m", cursor=1)) == 1


def note(state):
    state.attempts.note(Attempt("u1", "debug:k", "storing", "ok", milliseconds=5))
    newest = state.attempts.list(upstream="u1", limit=20)
    assert len(state.attempts.list(upstream="u1", limit=20, after=newest[-1].id)) == 20
    assert len(state.attempts.list(limit=20, after=newest[-1].id)) == 20
    assert len(state.attempts.list(key="debug:k")) >= 1


def ask_lists(state):
    state.lists.add(Which.BLOCK, "a*")
    assert state.lists.entries(upstream="u1")
    assert state.lists.revision()
    assert state.breakers.allows("host") is None


DOINGS = [claim, wake, coalesce, go_on, page, look_up, rest, arrive, note, ask_lists]


def statements(state, doing):
    """The statements that something executes, with their parameters."""
    seen = []

    def hear(_connection, _cursor, statement, parameters, _context, many):
        seen.append((statement, parameters[0] if many and isinstance(parameters, list) else parameters))

    event.listen(state._database._engine, "before_cursor_execute", hear)
    try:
        doing(state)
    finally:
        event.remove(state._database._engine, "before_cursor_execute", hear)
    return [one for one in seen if one[0].split()[0] in ("SELECT", "UPDATE", "DELETE")]


def plan(state, statement, parameters):
    explain = "EXPLAIN QUERY PLAN" if state._database.is_sqlite else "EXPLAIN"
    with state._database.reading() as connection:
        rows = connection.exec_driver_sql(f"{explain} {statement}", parameters).fetchall()
    return "\n".join(str(row[-1]) for row in rows)


LARGE = {table.name for table in (wants, want_ids, rests, attempts)}


@pytest.fixture
def many(url):
    state = filled(url, MANY)
    yield state
    state.close()


def test_every_statement_goes_by_an_index(many):
    looked_at = 0
    for doing in DOINGS:
        for statement, parameters in statements(many, doing):
            said = plan(many, statement, parameters)
            whole = [
                line
                for line in said.splitlines()
                if any(f"{word} {table}" in line for word in ("SCAN", "Seq Scan on") for table in LARGE)
            ]
            # Going along an index in its order until a limit ends it is no scan of the whole table.
            bounded = [line for line in whole if "USING" in line and "LIMIT" in statement]
            assert whole == bounded, f"{doing.__name__}: {statement}\n{said}"
            if "ORDER BY" in statement and "LIMIT" in statement:
                assert "TEMP B-TREE" not in said, f"{doing.__name__}: {statement}\n{said}"
            looked_at += 1
    assert looked_at > 40


def test_the_work_does_not_grow_with_the_queue(tmp_path):
    """In SQLite's own unit, the instructions of its virtual machine."""
    work = {}
    for count in (FEW, MANY):
        state = filled(f"sqlite:///{tmp_path}/{count}.sqlite", count)
        for doing in DOINGS:
            doing(state)  # what is done once: prepared statements, marks that are made
            work[doing.__name__, count] = instructions(state, doing)
        state.close()

    for doing in DOINGS:
        few, much = work[doing.__name__, FEW], work[doing.__name__, MANY]
        assert much <= few * 1.2 + 300, f"{doing.__name__}: {few} with {FEW} wants, {much} with {MANY}"


def instructions(state, doing):
    counted = 0

    def count():
        nonlocal counted
        counted += 10

    with state._database.reading() as connection:
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        driver.set_progress_handler(count, 10)
        try:
            doing(state)
        finally:
            driver.set_progress_handler(None, 0)
    return counted


def test_on_postgresql_a_claim_visits_what_it_takes(many):
    if many._database.is_sqlite:
        pytest.skip("SQLite tells no number of rows")
    visited = 0
    for statement, parameters in statements(many, claim):
        with many._database.writing() as connection:
            rows = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", parameters).fetchall()
        visited += sum(rows_visited(rows[0][0][0]["Plan"]))

    assert 0 < visited < 200


def rows_visited(node):
    yield (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
    for part in node.get("Plans", ()):
        yield from rows_visited(part)
