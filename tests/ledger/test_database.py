import os
import subprocess
import sys
import threading
from pathlib import Path

import psycopg
import pytest

from symsrv.ledger import database
from symsrv.ledger.database import Database, open_engine
from symsrv.ledger.index import Index
from symsrv.ledger.schema import LedgerError
from symsrv.ledger.tables import INDEX, SCHEMA, meta
from symsrv.model.errors import StoreError, UsageError
from tests.ledger.samples import PDB, add, entry

REPOSITORY = Path(__file__).parents[2]


def test_sqlite_is_set_up_for_a_derived_index_with_many_readers(tmp_path):
    one = Database(f"sqlite:///{tmp_path}/a/b/index.sqlite", INDEX)

    for pragma, value in (("journal_mode", "wal"), ("synchronous", 1), ("foreign_keys", 1), ("busy_timeout", 30_000)):
        assert one.rows(f"PRAGMA {pragma}")[0][0] == value, pragma
    one.close()


@pytest.mark.parametrize("url", ["postgres://host/name", "postgresql://host/name", "postgresql+psycopg://host/name"])
def test_every_spelling_of_postgresql_means_psycopg(url):
    assert open_engine(url).url.drivername == "postgresql+psycopg"


@pytest.mark.parametrize("url", ["", "nonsense", "mysql://host/name", "nosuch://host/name", "oracle://x", "/a/path"])
def test_an_address_that_is_none_is_wrong_usage(url):
    with pytest.raises(UsageError, match="sqlite:///PATH"):
        open_engine(url)


def test_a_missing_driver_is_named(monkeypatch):
    def fail(*_args, **_kwargs):
        raise ModuleNotFoundError("No module named 'psycopg'")

    monkeypatch.setattr(database, "create_engine", fail)

    with pytest.raises(UsageError, match=r"symsrv\[postgresql\]"):
        open_engine("postgresql://host/name")


def test_an_index_of_another_schema_is_made_again(url):
    index = Index(url)
    index.record(add(1, entry(PDB)))
    with index._database.writing() as connection:
        connection.exec_driver_sql(f"UPDATE {meta.name} SET value = {SCHEMA + 1} WHERE name = 'schema'")
        connection.exec_driver_sql("CREATE TABLE symsrv_index_of_the_future (a INTEGER)")
        connection.exec_driver_sql("CREATE TABLE somebody_elses (a INTEGER)")
    index.close()

    again = Index(url)

    assert (again.applied(), again.counts().files) == (0, 0)
    assert again._database.rows("SELECT count(*) FROM somebody_elses")[0][0] == 0
    with pytest.raises(LedgerError):
        again._database.rows("SELECT count(*) FROM symsrv_index_of_the_future")
    again.close()


def test_an_index_that_lacks_a_table_is_made_again(url):
    index = Index(url)
    index.record(add(1, entry(PDB)))
    with index._database.writing() as connection:
        connection.exec_driver_sql("DROP TABLE symsrv_index_entries")
    index.close()

    again = Index(url)

    assert again.applied() == 0
    again.record(add(1, entry(PDB)))
    again.close()


def test_an_index_stays_when_it_is_opened_again(url):
    index = Index(url)
    index.record(add(1, entry(PDB)))
    index.close()

    again = Index(url)

    assert again.applied() == 1
    again.close()


def test_a_file_that_is_no_database_is_named(tmp_path):
    file = tmp_path / "index.sqlite"
    file.write_bytes(b"this is a text that somebody wants to keep" * 100)

    with pytest.raises(LedgerError, match=r"index\.sqlite cannot be used: file is not a database; remove the file"):
        Index(f"sqlite:///{file}")

    assert file.read_bytes().startswith(b"this is a text")


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(LedgerError, match="its folder cannot be made"):
        Index(f"sqlite:///{tmp_path}/file/index.sqlite")


def test_a_server_that_is_not_there_is_named_without_its_password():
    with pytest.raises(LedgerError, match=r"127\.0\.0\.1") as caught:
        Index("postgresql://me:secret@127.0.0.1:1/name")

    assert "secret" not in str(caught.value)
    assert isinstance(caught.value, StoreError)
    assert caught.value.transient


def test_a_writer_that_raises_leaves_nothing(url):
    one = Database(url, INDEX)

    def fail() -> None:
        with one.writing() as connection:
            connection.execute(meta.update().values(value=77))
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert 77 not in [row[0] for row in one.rows(f"SELECT value FROM {meta.name}")]
    one.close()


def test_a_lost_connection_is_made_again(postgresql):
    with psycopg.connect(f"{postgresql}/postgres", autocommit=True) as server:
        server.execute("CREATE DATABASE lost")
        index = Index(f"{postgresql}/lost")

        def lose() -> None:
            server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'lost'")

        lose()
        assert index.revision() == 0  # what is asked on every request tries again by itself
        lose()
        index.record(add(1))  # and so does what begins a transaction

        def lose_it_half_way() -> None:
            with index.database.writing() as connection:
                lose()
                connection.execute(meta.update().values(value=77))

        with pytest.raises(LedgerError) as caught:
            lose_it_half_way()
        index.record(add(2))

    assert caught.value.transient
    assert index.applied() == 2
    index.close()


def test_threads_that_ended_leave_no_connection(url):
    one = Database(url, INDEX)

    for _ in range(5):
        thread = threading.Thread(target=one.rows, args=(f"SELECT value FROM {meta.name}",))
        thread.start()
        thread.join()

    assert len(one._open) <= 2
    one.close()
    assert not one._open


def test_many_processes_open_a_new_index_at_once(url):
    code = "import sys; from symsrv.ledger.index import Index; i = Index(sys.argv[1]); print(i.applied()); i.close()"
    processes = [
        subprocess.Popen([sys.executable, "-c", code, url], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
        for _ in range(6)
    ]

    assert [process.communicate(timeout=60)[0] for process in processes] == ["0\n"] * 6


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_child_leaves_its_parents_connections_alone(url):
    index = Index(url)
    index.record(add(1, entry(PDB)))
    child = os.fork()
    if child == 0:
        code = 1
        try:
            index.record(add(2, entry(PDB)))
            code = 0 if index.applied() == 2 else 2
            index.close()
        finally:
            os._exit(code)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert index.applied() == 2
    assert index.live(2)
    index.close()


def test_closing_twice_and_using_it_again_is_fine(url):
    one = Database(url, INDEX)
    one.close()
    one.close()

    assert one.rows(f"SELECT value FROM {meta.name} WHERE name = 'applied'")[0][0] == 0
    one.close()


def test_nothing_is_written_by_who_goes_on_after_an_error(url):
    one = Database(url, INDEX)

    def go_on() -> None:
        with one.writing() as connection:
            connection.execute(meta.insert().values(name="first", value=1))
            with pytest.raises(LedgerError), one.writing() as inner:
                inner.execute(meta.insert().values(name="schema", value=1))  # which is there
            with one.writing() as inner:
                inner.execute(meta.insert().values(name="second", value=2))

    with pytest.raises(LedgerError, match="the transaction failed before"):
        go_on()

    names = {row[0] for row in one.rows(f"SELECT name FROM {meta.name}")}
    assert names == {"schema", "applied", "revision"}
    one.write(lambda connection: connection.execute(meta.insert().values(name="third", value=3)))
    assert len(one.rows(f"SELECT name FROM {meta.name}")) == 4
    one.close()


def test_a_number_that_no_database_can_hold_is_an_error_of_ours(url):
    one = Database(url, INDEX)

    for ask in (one.all, lambda query: one.write(lambda connection: connection.execute(query))):
        with pytest.raises(LedgerError):
            ask(meta.select().where(meta.c.value == 1 << 70))
    one.close()


def test_writers_of_one_process_take_turns(url):
    one = Database(url, INDEX)

    def add_one() -> None:
        for _ in range(10):
            one.write(lambda connection: connection.execute(meta.update().values(value=meta.c.value + 1)))

    threads = [threading.Thread(target=add_one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert one.rows(f"SELECT value FROM {meta.name} WHERE name = 'revision'")[0][0] == 40
    one.close()


CLOSING = """
import sys, threading, time
from symsrv.ledger.database import Database
from symsrv.ledger.tables import INDEX, meta
one = Database(sys.argv[1], INDEX)
stop = threading.Event()
failed = []

def work():
    try:
        while not stop.is_set():
            one.rows(f"SELECT value FROM {meta.name}")
            one.all(meta.select())
            one.write(lambda connection: connection.execute(meta.update().values(value=meta.c.value + 1)))
    except BaseException as error:
        failed.append(error)

threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads:
    thread.start()
for _ in range(200):
    one.close()
    time.sleep(0.001)
stop.set()
for thread in threads:
    thread.join()
one.close()
print(failed)
"""


def test_closing_waits_for_threads_at_work(url):
    done = subprocess.run(
        [sys.executable, "-c", CLOSING, url], cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=False
    )

    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr


def test_closing_does_not_wait_for_a_thread_that_waits_for_us(url, monkeypatch):
    monkeypatch.setattr(database, "_BUSY_SECONDS", 0.1)
    one = Database(url, INDEX)
    begun, end = threading.Event(), threading.Event()

    def work() -> None:
        with one.writing() as connection:
            connection.execute(meta.update().where(meta.c.name == "applied").values(value=5))
            begun.set()
            end.wait(20)

    thread = threading.Thread(target=work)
    thread.start()
    assert begun.wait(20)
    one.close()
    end.set()
    thread.join()

    assert one.rows(f"SELECT value FROM {meta.name} WHERE name = 'applied'")[0][0] == 5
    one.close()
