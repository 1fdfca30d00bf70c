import subprocess
import sys
from pathlib import Path

import pytest

from symsrv.ledger.index import Index
from symsrv.ledger.state import LedgerError, StateError, open_state
from symsrv.model.errors import NewerFormat, UsageError
from tests.ledger.samples import PDB, add, entry
from tests.ledger.state.wishing import pdb_path, wish

REPOSITORY = Path(__file__).parents[3]


def test_a_state_is_as_durable_as_sqlite_can_be(tmp_path):
    state = open_state(f"sqlite:///{tmp_path}/a/b/state.sqlite")

    for pragma, value in (("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)):
        assert state._database.rows(f"PRAGMA {pragma}")[0][0] == value, pragma
    state.close()


def test_a_state_and_an_index_may_share_a_database(url):
    index, state = Index(url), open_state(url)
    index.record(add(1, entry(PDB)))
    state.wants.file([wish()])
    with index.database.writing() as connection:
        connection.exec_driver_sql("UPDATE symsrv_index_meta SET value = 1 WHERE name = 'schema'")
    index.close()
    state.close()

    index, state = Index(url), open_state(url)

    assert index.applied() == 0
    assert len(state.wants.list()) == 1
    index.close()
    state.close()


def test_together_is_one_transaction(state):
    def fail():
        with state.together():
            state.wants.file([wish()])
            state.marks.put("read", 5)
            assert state.marks.number("read") == 5
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert (state.wants.list(), state.marks.all()) == ([], {})

    with state.together():
        state.wants.file([wish()])
        state.marks.put("read", 5)
    assert (len(state.wants.list()), state.marks.number("read")) == (1, 5)


def test_nothing_that_was_returned_is_lost_when_the_process_is_killed(url):
    code = (
        "import os, sys\n"
        "from symsrv.ledger.state import open_state\n"
        "from tests.ledger.state.wishing import pdb_path, wish\n"
        "state = open_state(sys.argv[1])\n"
        "for number in range(100):\n"
        "    state.wants.file([wish(pdb_path(f'{number}.pdb'))])\n"
        "    os.write(1, b'.')\n"
        "    if number == 20:\n"
        "        os.kill(os.getpid(), 9)\n"
    )
    killed = subprocess.run([sys.executable, "-c", code, url], cwd=REPOSITORY, capture_output=True, check=False)
    assert killed.returncode == -9

    state = open_state(url)

    assert len(state.wants.list(limit=1000)) == len(killed.stdout) == 21
    state.wants.file([wish(pdb_path("after.pdb"))])
    state.close()


def test_a_state_of_a_later_version_is_refused_and_left_alone(url):
    state = open_state(url)
    state.wants.file([wish()])
    with state._database.writing() as connection:
        connection.exec_driver_sql("UPDATE symsrv_state_meta SET value = 999 WHERE name = 'schema'")
    state.close()

    with pytest.raises(NewerFormat, match=r"the state at .* has format 999"):
        open_state(url)


def test_what_is_no_database_is_named(tmp_path):
    file = tmp_path / "state.sqlite"
    file.write_bytes(b"this is a text that somebody wants to keep" * 100)

    with pytest.raises(StateError, match=r"the state at .*state\.sqlite cannot be used: .*; restore it from a backup"):
        open_state(f"sqlite:///{file}")
    with pytest.raises(UsageError, match="no address of a database"):
        open_state("nonsense")
    with pytest.raises(LedgerError, match=r"the state at .* its folder cannot be made") as caught:
        open_state(f"sqlite:///{file}/state.sqlite")
    assert (caught.value.reason, caught.value.transient) == ("state", True)


def test_many_processes_open_a_new_state_at_once(url):
    code = (
        "import sys; from symsrv.ledger.state import open_state; "
        "from tests.ledger.state.wishing import wish; "
        "s = open_state(sys.argv[1]); s.wants.file([wish()]); s.close()"
    )
    processes = [subprocess.Popen([sys.executable, "-c", code, url], cwd=REPOSITORY) for _ in range(4)]

    assert [process.wait(timeout=60) for process in processes] == [0] * 4
    state = open_state(url)
    assert [want.count for want in state.wants.list()] == [4]
    state.close()
