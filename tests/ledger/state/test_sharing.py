"""Many workers, in threads and processes, on one state: what one has, no other gets."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from symsrv.ledger.state import LedgerError, open_state
from symsrv.model.wants import WantState
from tests.ledger.state.wishing import pdb_path, wish

REPOSITORY = Path(__file__).parents[3]
WANTS = 150
CLAIMING = """
import sys
from symsrv.ledger.state import open_state
state = open_state(sys.argv[1])
sys.stdin.readline()
while found := state.wants.claim(sys.argv[2], 4, lease_seconds=600):
    for want in found:
        assert want.worker == sys.argv[2]
        print(want.id, flush=True)
state.close()
"""
FILING = """
import sys
from symsrv.ledger.state import Attempt, open_state
from tests.ledger.state.wishing import pdb_path, wish
state = open_state(sys.argv[1])
sys.stdin.readline()
order = 1 if int(sys.argv[2]) % 2 else -1
for _ in range(10):
    state.wants.file([wish(pdb_path(f"{number}.pdb", number)) for number in range(20)][::order])
    state.attempts.note(*[Attempt(name, "k", "storing", "ok", bytes=1) for name in "abc"][::order])
    state.spending.add("a", 1)
state.close()
"""


def together(code, url, count):
    """Runs a program in several processes, which begin at the same moment; what each of them printed."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, url, str(number)],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(count)
    ]
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    printed = [process.communicate(timeout=120)[0].split() for process in processes]
    assert [process.returncode for process in processes] == [0] * count
    return printed


def test_no_want_is_claimed_by_two_processes(url):
    state = open_state(url)
    numbers = state.wants.file([wish(pdb_path(f"{number}.pdb")) for number in range(WANTS)])

    printed = together(CLAIMING, url, 3)

    assert sorted(int(number) for claimed in printed for number in claimed) == sorted(numbers)
    assert state.wants.counts()[WantState.CLAIMED] == WANTS
    state.close()


def test_no_want_is_claimed_by_two_threads(url):
    state = open_state(url)
    numbers = state.wants.file([wish(pdb_path(f"{number}.pdb")) for number in range(WANTS)])

    def work(name):
        claimed = []
        while found := state.wants.claim(name, 3, lease_seconds=600):
            claimed += [want.id for want in found]
        return claimed

    with ThreadPoolExecutor(4) as pool:
        claimed = [number for found in pool.map(work, "abcd") for number in found]

    assert sorted(claimed) == sorted(numbers)
    state.close()


def test_processes_that_write_the_same_lose_nothing(url):
    state = open_state(url)

    together(FILING, url, 3)

    assert [want.count for want in state.wants.list()] == [30] * 20
    assert [(one.upstream, one.ok, one.bytes) for one in state.attempts.statistics()] == [
        (name, 30, 30) for name in "abc"
    ]
    assert state.spending.today() == {"a": 30}
    state.close()


def test_on_postgresql_no_claim_waits_for_another(postgresql, url):
    if not url.startswith("postgresql"):
        pytest.skip("SQLite has one writer")
    state = open_state(url)
    first, second = sorted(state.wants.file([wish(pdb_path(f"{name}.pdb"), count=ord(name)) for name in "ab"]))
    found = {}

    def claim():
        found["other"] = [want.id for want in state.wants.claim("other", 5, lease_seconds=60)]

    with state.together():
        mine = [want.id for want in state.wants.claim("mine", 1, lease_seconds=60)]
        thread = threading.Thread(target=claim)
        thread.start()
        thread.join(20)
        assert not thread.is_alive()

    assert sorted([mine, found["other"]]) == [[first], [second]]
    state.close()


def test_on_postgresql_a_deadlock_is_tried_again(url):
    if not url.startswith("postgresql"):
        pytest.skip("SQLite has one writer")
    state = open_state(url)
    for name in "ab":
        state.marks.put(name, 0)
    both = threading.Barrier(2)
    tries = []

    def work(first, second):
        def once():
            tries.append(first)
            state.marks.put(first, state.marks.number(first) + 1)
            if len(tries) <= 2:
                both.wait(20)
            state.marks.put(second, state.marks.number(second) + 1)

        state.transaction(once)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, "ab", "ba"))

    assert len(tries) == 3
    assert state.marks.all() == {"a": 2, "b": 2}
    state.close()


def test_on_postgresql_a_lost_connection_is_made_again(postgresql):
    import psycopg

    with psycopg.connect(f"{postgresql}/postgres", autocommit=True) as server:
        server.execute("CREATE DATABASE losing")
        state = open_state(f"{postgresql}/losing")

        def lose():
            server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'losing'")

        def lose_half_way():
            state.marks.put("b", 1)
            lose()
            state.marks.put("c", 1)

        lose()
        state.marks.put("a", 1)
        lose()
        assert state.marks.all() == {"a": 1}
        with pytest.raises(LedgerError, match="the state at"):
            state.transaction(lose_half_way)
        assert state.marks.all() == {"a": 1}
    state.close()
