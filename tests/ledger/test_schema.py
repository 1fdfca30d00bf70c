"""Tables with a number, on a toy of a schema."""

from dataclasses import replace

import pytest
from sqlalchemy import BigInteger, Column, Integer, MetaData, Table, Text

from symsrv.ledger.database import Database
from symsrv.ledger.schema import Schema, StateError
from symsrv.model.errors import NewerFormat


def toy(number, **changes):
    metadata = MetaData()
    meta = Table("toy_meta", metadata, Column("name", Text, primary_key=True), Column("value", BigInteger))
    columns = [Column("name", Text)] if number < 2 else [Column("name", Text), Column("size", Integer)]
    Table("toy_things", metadata, Column("id", Integer, primary_key=True), *columns)
    if number > 2:
        Table("toy_others", metadata, Column("id", Integer, primary_key=True))
    values = {"error": StateError, "mend": "restore it from a backup", "kept": True, "first": {"count": 0}} | changes
    return Schema("toy_", number, metadata, meta, **values)


def add_size(connection):
    connection.exec_driver_sql("ALTER TABLE toy_things ADD COLUMN size INTEGER")
    connection.exec_driver_sql("UPDATE toy_things SET size = length(name)")


def add_others(connection):
    connection.exec_driver_sql("CREATE TABLE toy_others (id INTEGER PRIMARY KEY)")


STEPS = {2: add_size, 3: add_others}


def write(url, schema, *statements):
    database = Database(url, schema)
    with database.writing() as connection:
        for one in statements:
            connection.exec_driver_sql(one)
    database.close()


def read(url, schema, query):
    database = Database(url, schema)
    try:
        return [tuple(row) for row in database.rows(query)]
    finally:
        database.close()


def test_an_older_one_is_brought_up_step_by_step(url):
    write(url, toy(1), "INSERT INTO toy_things VALUES (1, 'abc')", "UPDATE toy_meta SET value = 7 WHERE name = 'count'")

    assert read(url, toy(3, steps=STEPS), "SELECT id, name, size FROM toy_things") == [(1, "abc", 3)]
    assert dict(read(url, toy(3), "SELECT name, value FROM toy_meta")) == {"schema": 3, "count": 7}


def test_a_step_that_fails_leaves_what_was_there(url):
    def fail(connection):
        add_others(connection)
        raise OSError("the power went")

    write(url, toy(1), "INSERT INTO toy_things VALUES (1, 'abc')")

    with pytest.raises(OSError, match="the power went"):
        Database(url, toy(3, steps=STEPS | {3: fail}))

    assert read(url, toy(2), "SELECT size FROM toy_things") == [(3,)]
    assert read(url, toy(3, steps=STEPS), "SELECT count(*) FROM toy_others") == [(0,)]


def test_a_new_one_needs_no_step(url):
    assert dict(read(url, toy(3), "SELECT name, value FROM toy_meta")) == {"schema": 3, "count": 0}


def test_a_newer_one_is_refused(url):
    write(url, toy(3), "INSERT INTO toy_others VALUES (5)")

    with pytest.raises(NewerFormat, match=r"the state at .* has format 3, and this symsrv knows 2"):
        Database(url, toy(2))

    assert read(url, toy(3), "SELECT id FROM toy_others") == [(5,)]


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        ("DROP TABLE toy_others", "it lacks toy_others; restore"),
        ("DROP TABLE toy_meta", "it has toy_others, toy_things and no number; restore"),
        ("DELETE FROM toy_meta WHERE name = 'schema'", "it has toy_meta, toy_others, toy_things and no number"),
    ],
)
def test_what_is_kept_is_not_made_again_over_what_is_left(url, damage, why):
    write(url, toy(3), "INSERT INTO toy_things VALUES (1, 'a', 1)", damage)

    with pytest.raises(StateError, match=why):
        Database(url, toy(3))


def test_what_is_derived_is_made_again(url):
    derived = replace(toy(3), kept=False)
    write(url, derived, "INSERT INTO toy_others VALUES (5)", "DROP TABLE toy_things")

    assert read(url, derived, "SELECT count(*) FROM toy_others") == [(0,)]
    assert read(url, replace(toy(1), kept=False), "SELECT value FROM toy_meta WHERE name = 'schema'") == [(1,)]
