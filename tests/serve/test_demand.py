"""What the front does about misses, with a real state: counted, waited for, explained, and never in the way of hits."""

import asyncio
import json
import time
from datetime import UTC, datetime, timedelta

import pytest

from symsrv.formats import identify_path
from symsrv.layouts import parse_any
from symsrv.ledger.state import Arrival, Which, open_state
from symsrv.model.wants import WantState, Wish
from symsrv.serve import create_app
from symsrv.serve.demand import Explain, Through, Wanted
from symsrv.serve.through import Outcome
from tests.made.pdb_builder import build_pdb
from tests.serve.site import EXE, PDB, call, exchange, live

OTHER = "foo.pdb/497B72F6390A44FC878E5A2D63B6CC4B1/foo.pdb"
JSON = {"Accept": "application/json"}
AGENT = {"User-Agent": "Microsoft-Symbol-Server/10.0.1"}
LONG = 20.0


@pytest.fixture
def state(tmp_path):
    one = open_state(f"sqlite:///{tmp_path / 'state.sqlite'}")
    yield one
    one.close()


@pytest.fixture
def wanting(site, state):
    """Builds apps that do something about misses."""
    apps = []

    def build(**options):
        app = create_app(site.store, wanted=Wanted(**{"state": state, **options}))
        apps.append(app)
        return app

    yield build
    for one in apps:
        one.close()


def listed(state):
    return {(one.ask.name or "").lower(): (one.count, one.who, one.state) for one in state.wants.list()}


def test_misses_of_all_ways_are_on_the_missing_list(site, state, wanting):
    app = wanting()
    lines = b" HTTP/1.1\r\nHost: a\r\nUser-Agent: curl/8\r\n\r\n"

    assert site.get("/" + OTHER, AGENT, app=app).status == 404
    assert site.get("/" + OTHER, AGENT, method="HEAD", app=app).status == 404
    assert app.at_once(b"/" + EXE.encode(), lines)[0] == 404
    app.close()

    assert listed(state) == {
        "foo.pdb": (2, ("serve:windbg",), WantState.OPEN),
        "app.exe": (1, ("serve:curl",), WantState.OPEN),
    }
    assert app.metrics.misses == {"recorded": 3}


def test_a_miss_over_the_wire_is_on_the_missing_list(site, state):
    with live(site.store, wanted=Wanted(state)) as (address, _):
        for agent in ("Ghidra_HttpSymbolServer_client", "elfutils/0.19"):
            ask = f"GET /{OTHER} HTTP/1.1\r\nHost: a\r\nUser-Agent: {agent}\r\n\r\n"
            assert b" 404 " in exchange(
                address, ask.encode() + ask.replace("Host", "Connection: close\r\nHost").encode()
            )

    ((count, who, _),) = listed(state).values()
    assert (count, sorted(who)) == (4, ["serve:debuginfod", "serve:ghidra"])


def test_what_nobody_wishes_for_is_not_on_the_list(site, state, wanting):
    site.publish(("foo.pdb", build_pdb()))
    app = wanting()

    for path in (PDB, "index2.txt", "pingme.txt", OTHER.replace("/foo.pdb", "/file.ptr"), "nothing", "-/healthz"):
        site.get("/" + path, app=app)
    site.get("/foo.pdb/000000000000000000000000000000000/foo.pdb", app=app)
    site.get("/" + OTHER, method="PUT", app=app)
    app.close()

    assert listed(state) == {}


def test_recording_can_be_switched_off(site, state, wanting):
    app = wanting(record=False)

    assert site.get("/" + OTHER, app=app).status == 404
    app.close()

    assert listed(state) == {}


def test_without_a_state_misses_are_misses(site, wanting):
    app = wanting(state=None, through=Through(LONG, ("*",)))

    assert site.get("/" + OTHER, app=app).reason == "not-found"
    assert app.at_once(b"/" + OTHER.encode())[0] == 404


def test_a_state_that_fails_costs_nobody_an_answer(site, state, wanting, caplog):
    app = wanting(through=Through(LONG, ("*",)))
    state.close()
    (site.folder / "state.sqlite").unlink()
    (site.folder / "state.sqlite").mkdir()

    assert site.get("/" + OTHER, app=app).status == 404
    assert json.loads(site.get("/" + OTHER, JSON, app=app).body)["why"]["reason"] == "never-seen"
    app.close()

    assert app.metrics.misses["dropped"] >= 1
    (site.folder / "state.sqlite").rmdir()


async def settled(state, name, become):
    async with asyncio.timeout(LONG):
        while name not in listed(state):
            await asyncio.sleep(0.002)
    await asyncio.to_thread(become)


def ask(app, path, headers=(), method="GET"):
    return call(
        app, b"/" + path.encode(), [(name.lower().encode(), value.encode()) for name, value in headers], method=method
    )


def arrive(site, state, *files):
    """What a puller does when it has fetched something."""
    homes = site.publish(*files)
    site.store.catch_up()
    state.arrive([Arrival(home, site.store.index.at(home).identities, 1) for home in homes])


def rest(state, path, *, due):
    """What a puller does when nobody has it."""
    (number,) = state.wants.file([Wish(parse_any(path), "dump:a.dmp")])
    assert state.wants.claim("puller", 1, lease_seconds=60)
    later = datetime.now(UTC) + timedelta(hours=1) if due else None
    assert state.wants.rest(number, "puller", reason="absent", due=later, rounds=1)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_client_waits_for_what_is_fetched_and_gets_it(site, state, wanting, method):
    app = wanting(through=Through(LONG, ("*.pdb",)))
    body = build_pdb()

    async def run():
        client = asyncio.ensure_future(ask(app, PDB, method=method))
        await settled(state, "foo.pdb", lambda: arrive(site, state, ("foo.pdb", body)))
        return await client

    found = site.loop.run_until_complete(run())

    assert (found.status, found.body) == (200, body if method == "GET" else b"")
    assert found.headers["content-length"] == str(len(body))
    (want,) = state.wants.list()
    assert (want.state, want.count, want.who) == (WantState.ANSWERED, 1, ("serve:unnamed",))
    assert app.metrics.waits == {"arrived": 1}


def test_many_clients_wait_for_one_want_and_all_get_it(site, state, wanting):
    app = wanting(through=Through(LONG, ("*",)))
    body = build_pdb()

    async def run():
        clients = [asyncio.ensure_future(ask(app, PDB)) for _ in range(20)]
        await settled(state, "foo.pdb", lambda: arrive(site, state, ("foo.pdb", body)))
        return await asyncio.gather(*clients)

    assert [(one.status, one.body) for one in site.loop.run_until_complete(run())] == [(200, body)] * 20
    app.close()
    assert state.wants.list()[0].count == 1  # the others missed nothing


def test_a_name_that_is_not_allowed_is_not_waited_for(site, state, wanting):
    app = wanting(through=Through(LONG, ("*.pdb",)))

    begun = time.monotonic()
    assert site.get("/" + EXE, app=app).reason == "not-found"
    assert site.get("/" + PDB[:-1] + "_", app=app).reason == "not-found"
    assert app.at_once(b"/" + EXE.encode())[0] == 404
    assert app.at_once(b"/" + PDB.encode()) is None

    assert time.monotonic() - begun < LONG / 2
    app.close()
    assert {one.urgent for one in state.wants.list()} == {False}


def test_when_time_is_over_a_client_hears_404_and_may_ask_again(site, state, wanting):
    app = wanting(through=Through(0.05, ("*",)))

    late = site.get("/" + PDB, app=app)
    told = site.get("/" + PDB, {"Symbol-Agent-Receive-Timeout": "60"}, app=app)

    assert (late.status, late.reason, late.headers["retry-after"]) == (404, "fetching", "10")
    assert "symbol-agent-status" not in late.headers
    assert (told.status, told.reason, told.headers["symbol-agent-status"]) == (404, "fetching", "0x80070512")
    assert state.wants.list()[0].urgent


def test_a_client_that_says_how_long_it_waits_is_answered_before(site, state, wanting):
    app = wanting(through=Through(LONG, ("*",)))
    begun = time.monotonic()

    assert site.get("/" + PDB, {"Symbol-Agent-Receive-Timeout": "300"}, app=app).reason == "fetching"

    assert time.monotonic() - begun < LONG / 2


@pytest.mark.parametrize(("due", "reason"), [(True, "resting"), (False, "skiplist")], ids=["resting", "given up"])
def test_what_rests_is_answered_at_once(site, state, wanting, due, reason):
    rest(state, PDB, due=due)
    app = wanting(through=Through(LONG, ("*",)))

    found = site.get("/" + PDB, app=app)

    assert (found.status, found.reason) == (404, reason)
    # From now on for a while it is not even looked up.
    assert app.at_once(b"/" + PDB.encode())[0] == 404


def test_what_is_blocked_is_answered_at_once_and_counted(site, state, wanting):
    state.lists.add(Which.BLOCK, "foo*")
    state.lists.add(Which.BLOCK, "app*", upstream="other")
    app = wanting(through=Through(LONG, ("*",)))

    assert site.get("/" + PDB, app=app).reason == "blocked"
    assert site.get("/" + EXE, {"Symbol-Agent-Receive-Timeout": "60"}, app=app).reason == "fetching"
    app.close()

    assert listed(state)["foo.pdb"][0] == 1


def test_what_every_upstream_refuses_is_answered_at_once(site, state, wanting):
    refused = {"one": ("not-allowed", "its name is on no allow list"), "two": ("not-allowed", "the same")}
    app = wanting(through=Through(LONG, ("*",)), refuse=lambda _ask: refused, explain=Explain.FULL)

    found = site.get("/" + PDB, JSON, app=app)

    assert found.reason == found.headers["x-symsrv-wanted"] == "not-allowed"
    assert [one["upstream"] for one in json.loads(found.body)["why"]["wanted"]["refusals"]] == ["one", "two"]


def test_waiting_clients_take_no_thread_from_hits(site, state, wanting):
    site.publish(("foo.pdb", build_pdb()))
    app = wanting(through=Through(LONG, ("*",)))

    async def run():
        waiting = [
            asyncio.ensure_future(ask(app, f"a{number}.exe/0A1B2C3D3000/a{number}.exe")) for number in range(200)
        ]
        await settled(state, "a0.exe", lambda: None)
        begun = time.monotonic()
        hits = [await ask(app, PDB) for _ in range(50)]
        took = time.monotonic() - begun
        refused = [one for one in waiting if one.done()]
        held = app.metrics.waiting()
        for one in waiting:
            one.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        return hits, took, len(refused), held

    hits, took, refused, held = site.loop.run_until_complete(run())

    assert {one.status for one in hits} == {200}
    assert took < LONG / 2
    assert (held, refused) == (64, 136)


def test_a_client_that_goes_away_makes_room(site, state, wanting):
    app = wanting(through=Through(LONG, ("*",)))
    messages = []

    async def run():
        gone = asyncio.Event()

        async def receive():
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message):
            messages.append(message)

        scope = {"type": "http", "method": "GET", "raw_path": b"/" + PDB.encode(), "path": PDB, "headers": []}
        client = asyncio.ensure_future(app(scope, receive, send))
        await settled(state, "foo.pdb", lambda: None)
        gone.set()
        await client

    site.loop.run_until_complete(asyncio.wait_for(run(), LONG))

    assert app.metrics.waiting() == 0
    assert messages[0]["status"] == 404


def test_anybody_hears_reason_words_alone(site, state, wanting):
    site.publish(("foo.pdb", build_pdb()))
    rest(state, OTHER, due=True)
    app = wanting()

    found = site.get("/" + OTHER, JSON, app=app)
    why = json.loads(found.body)["why"]

    assert set(why) == {"reason", "here", "sentence", "mend", "wanted"}
    assert (why["reason"], why["wanted"]["reason"]) == ("other-id", "resting")
    assert set(why["wanted"]) == {"reason", "sentence", "mend"}
    assert (found.headers["x-symsrv-why"], found.headers["x-symsrv-wanted"]) == ("other-id", "resting")


def test_who_may_hears_everything(site, state, wanting):
    site.publish(("foo.pdb", build_pdb()))
    rest(state, OTHER, due=True)

    why = json.loads(site.get("/" + OTHER, JSON, app=wanting(explain=Explain.FULL)).body)["why"]

    assert why["sights"][0]["product"] == "app"
    assert (why["wanted"]["want"]["count"], why["wanted"]["want"]["who"]) == (1, ["dump:a.dmp"])


def test_publishing_is_seen_though_a_miss_was_hushed(site, state, wanting):
    rest(state, PDB, due=False)
    app = wanting(through=Through(LONG, ("*",)))
    assert site.get("/" + PDB, app=app).status == 404

    site.publish(("foo.pdb", build_pdb()))

    assert site.get("/" + PDB, app=app).status == 200


def test_arrived_and_still_not_to_be_had_is_a_miss(site, state, wanting):
    app = wanting(through=Through(LONG, ("*",)))

    async def run():
        client = asyncio.ensure_future(ask(app, PDB))
        (site.folder / "foo.pdb").write_bytes(build_pdb())
        told = [Arrival(PDB, identify_path(site.folder / "foo.pdb"), 1)]
        await settled(state, "foo.pdb", lambda: state.arrive(told))
        return await client

    found = site.loop.run_until_complete(run())

    assert (found.status, found.reason) == (404, "not-found")
    assert Outcome.ARRIVED in app.metrics.waits
