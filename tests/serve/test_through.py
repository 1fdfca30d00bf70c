"""Fetch-through: who waits, for how long, and what comes of it."""

import asyncio
import threading
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from symsrv.layouts import parse_any
from symsrv.model.errors import StoreError
from symsrv.model.wants import Want, WantState, want_key, wanted
from symsrv.serve.through import LONGEST_SECONDS, FetchThrough, Outcome

PDB = "crash.pdb/3249D99D0C4049318610F4E4FB0B69361/crash.pdb"
EXE = "app.exe/5AB380779000/app.exe"
NOW = datetime(2026, 1, 2, tzinfo=UTC)
LONG = 20.0


class Wants:
    """A missing list in memory, in which a test says what becomes of a want."""

    def __init__(self, state=WantState.OPEN):
        self.state = state
        self.filed = []
        self.known = {}
        self.looked = 0
        self.error = None
        self.lock = threading.Lock()

    def file(self, wishes):
        if self.error:
            raise self.error
        numbers = []
        for one in wishes:
            self.filed.append(one)
            key = want_key(one.ask)
            numbers.append(
                next((n for n, want in self.known.items() if want_key(want.ask) == key), len(self.known) + 1)
            )
            self.known.setdefault(numbers[-1], Want(numbers[-1], wanted(one.ask), self.state, one.count, NOW, NOW))
        return numbers

    def get(self, number):
        with self.lock:
            self.looked += 1
            return self.known.get(number)

    def settle(self, state, number=1):
        with self.lock:
            self.known[number] = replace(self.known[number], state=state)


@pytest.fixture
def wants():
    return Wants()


@pytest.fixture
def through(wants):
    made = []

    def make(**options):
        one = FetchThrough(wants, **{"allow": ["*"], "poll_seconds": 0.002, **options})
        made.append(one)
        return one

    yield make
    for one in made:
        one.close()


def ask(path=PDB):
    return parse_any(path)


async def until(condition):
    async with asyncio.timeout(LONG):
        while not condition():
            await asyncio.sleep(0.001)


def waits(one, path=PDB, *, seconds=LONG, **options):
    return one.fetched(path.encode(), ask(path), who="serve:windbg", seconds=seconds, **options)


def test_a_client_waits_until_it_arrived(wants, through):
    async def run():
        one = through()
        client = asyncio.ensure_future(waits(one))
        await until(lambda: wants.looked > 2)
        assert not client.done()
        wants.settle(WantState.CLAIMED)
        wants.settle(WantState.ANSWERED)
        return await client

    assert asyncio.run(run()) == (Outcome.ARRIVED, True)
    (wish,) = wants.filed
    assert (wish.ask.name, wish.who, wish.urgent, wish.count) == ("crash.pdb", "serve:windbg", True, 1)


@pytest.mark.parametrize(
    ("state", "outcome"),
    [
        (WantState.RESTING, Outcome.RESTING),
        (WantState.GIVEN_UP, Outcome.SKIPLIST),
        (WantState.ANSWERED, Outcome.ARRIVED),
    ],
)
def test_what_is_settled_already_is_said_at_once(wants, through, state, outcome):
    wants.state = state

    async def run():
        one = through()
        return await waits(one), one.is_hushed(PDB.encode())

    (found, filed), hushed = asyncio.run(run())
    assert (found, filed) == (outcome, True)
    assert hushed is (outcome is not Outcome.ARRIVED)


def test_what_is_blocked_is_wished_and_not_waited_for(wants, through):
    async def run():
        one = through(refused=lambda ask: Outcome.NOT_ALLOWED if ask.name == "crash.pdb" else None)
        return await waits(one), one.is_hushed(PDB.encode())

    assert asyncio.run(run()) == ((Outcome.NOT_ALLOWED, True), True)
    assert [one.urgent for one in wants.filed] == [False]


def test_when_time_is_over_it_may_still_come(wants, through):
    async def run():
        one = through()
        first = await waits(one, seconds=0.02)
        return first, one.is_hushed(PDB.encode()), one.waiting

    assert asyncio.run(run()) == ((Outcome.FETCHING, True), False, 0)
    assert len(wants.filed) == 1


def test_without_any_time_the_wish_is_filed_all_the_same(wants, through):
    async def run():
        one = through()
        found = await waits(one, seconds=0)
        await until(lambda: wants.filed)
        return found

    assert asyncio.run(run())[0] is Outcome.FETCHING
    assert wants.filed[0].urgent


def test_clients_of_one_file_wait_for_one_want(wants, through):
    async def run():
        one = through()
        clients = [asyncio.ensure_future(waits(one, path)) for path in (PDB, PDB.lower(), PDB, EXE)]
        await until(lambda: len(wants.known) == 2)
        assert one.waiting == 4
        for number in (1, 2):
            wants.settle(WantState.ANSWERED, number)
        return await asyncio.gather(*clients)

    found = asyncio.run(run())
    assert [outcome for outcome, _ in found] == [Outcome.ARRIVED] * 4
    assert [filed for _, filed in found] == [True, False, False, True]
    assert len(wants.filed) == 2


def test_no_more_than_some_may_wait(wants, through):
    async def run():
        one = through(waiters=2)
        clients = [asyncio.ensure_future(waits(one)) for _ in range(2)]
        await until(lambda: one.waiting == 2)
        refused = await waits(one, EXE)
        wants.settle(WantState.ANSWERED)
        await asyncio.gather(*clients)
        allowed = asyncio.ensure_future(waits(one, EXE))
        await until(lambda: len(wants.known) == 2)
        wants.settle(WantState.ANSWERED, 2)
        return refused, await allowed

    assert asyncio.run(run()) == ((Outcome.BUSY, False), (Outcome.ARRIVED, True))


def test_a_client_that_goes_makes_room_and_the_wish_stays(wants, through):
    async def run():
        one = through(waiters=1)
        gone = asyncio.get_running_loop().create_future()
        client = asyncio.ensure_future(waits(one, gone=gone))
        await until(lambda: wants.known)
        gone.set_result(None)
        await client
        return one.waiting

    assert asyncio.run(run()) == 0
    assert wants.filed[0].urgent


def test_a_client_that_is_cancelled_makes_room(wants, through):
    async def run():
        one = through(waiters=1)
        client = asyncio.ensure_future(waits(one))
        await until(lambda: wants.known)
        client.cancel()
        await asyncio.gather(client, return_exceptions=True)
        return one.waiting

    assert asyncio.run(run()) == 0


def test_the_poller_rests_when_nobody_waits(wants, through):
    async def run():
        one = through()
        await waits(one, seconds=0.02)
        await until(lambda: one._poller.done())
        looked = wants.looked
        client = asyncio.ensure_future(waits(one))
        await until(lambda: wants.looked > looked)
        wants.settle(WantState.ANSWERED)
        return await client

    assert asyncio.run(run())[0] is Outcome.ARRIVED


def test_a_state_that_fails_ends_the_wait(wants, through, caplog):
    async def run():
        one = through()
        wants.error = StoreError("the database is away")
        first = await waits(one)
        wants.error = None
        client = asyncio.ensure_future(waits(one))
        await until(lambda: wants.known)
        wants.settle(WantState.ANSWERED)
        return first, await client

    assert asyncio.run(run()) == ((Outcome.FAILED, False), (Outcome.ARRIVED, True))
    assert "the database is away" in [one.error for one in caplog.records]


def test_a_want_that_somebody_forgot_is_not_waited_for(wants, through):
    async def run():
        one = through()
        client = asyncio.ensure_future(waits(one))
        await until(lambda: wants.looked)
        wants.known.clear()
        return await client

    assert asyncio.run(run())[0] is Outcome.FAILED


@pytest.mark.parametrize(
    ("allow", "path", "may"),
    [
        ((), PDB, False),
        (("*",), PDB, True),
        (("CRASH.*",), PDB, True),
        (("nt*.pdb",), PDB, False),
        (("*",), PDB[:-1] + "_", False),
        (("*",), "crash.pdb/000000000000000000000000000000001/crash.pdb", False),
        (("*",), "buildid/dfb85de42daffd09640c8fe377d572de3e168920/debuginfo", True),
        (("lib*",), "buildid/dfb85de42daffd09640c8fe377d572de3e168920/debuginfo", False),
        (("*",), "buildid/dfb85de42daffd09640c8fe377d572de3e168920/section/.text", False),
    ],
)
def test_only_what_the_allow_list_names_may_be_waited_for(through, allow, path, may):
    assert through(allow=allow).may_wait(ask(path)) is may


def test_what_is_no_symbol_is_not_waited_for(through):
    assert not through().may_wait(None)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [(None, 7), (b"30000", 25), (b"6000", 5), (b"0", 0), (b"999999999", LONGEST_SECONDS), (b"soon", 7), (b"9" * 30, 7)],
)
def test_a_client_says_how_long_it_waits(through, said, seconds):
    headers = [] if said is None else [(b"symbol-agent-receive-timeout", said)]

    assert through(wait_seconds=7).patience(headers) == pytest.approx(seconds)


def test_what_was_hushed_may_be_asked_for_later(through, monkeypatch):
    one = through()
    one._hush(b"/a")
    assert one.is_hushed(b"/a")

    monkeypatch.setattr("symsrv.serve.through.HUSH_SECONDS", -1)
    for number in range(5000):
        one._hush(b"/%d" % number)

    assert not one.is_hushed(b"/4999")
    assert len(one._hushed) <= 4096
