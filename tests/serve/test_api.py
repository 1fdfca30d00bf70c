"""`/-/api/v1/`: the missing list, why, status, and posted dumps, with a real store and a real state."""

import asyncio
import gzip
import json
import threading
import urllib.error
import urllib.request

import pytest

from symsrv.layouts import parse_any
from symsrv.ledger.state import Attempt, open_state
from symsrv.model.wants import WantState, Wish
from symsrv.serve import api, create_app
from symsrv.serve.api import Dumps
from symsrv.serve.demand import Explain, Wanted
from tests.made import corpus
from tests.made.minidump_builder import Loaded, bpel, build_minidump, rsds
from tests.made.pdb_builder import GUID, build_pdb
from tests.serve.site import PDB, live
from tests.serve.test_forms import CRASHPAD, crashpad, form, multipart, part

ROOT = "/-/api/v1/"
OTHER = bytes(range(16))
CRASH = Loaded("C:\\out\\foo.exe", rsds(GUID, path=b"D:\\foo.pdb"), stamp=0x0A1B2C3D)
SYSTEM = Loaded("C:\\Windows\\kernel32.dll", rsds(OTHER, path=b"kernel32.pdb"), stamp=1, version=(10, 0, 1, 2))
DUMP = build_minidump([CRASH, SYSTEM, Loaded("anonymous", size=0)])
EVERY = Dumps(accept=True)


@pytest.fixture
def state(tmp_path):
    one = open_state(f"sqlite:///{tmp_path / 'state.sqlite'}")
    yield one
    one.close()


@pytest.fixture
def ask(site, state):
    """Asks an app for a path below the root; gives the status and the record."""
    apps = []

    def answer(path, *, method="GET", body=None, explain=Explain.FULL, dumps=EVERY, headers=(), with_state=True):
        app = create_app(site.store, wanted=Wanted(state if with_state else None, explain=explain), dumps=dumps)
        apps.append(app)
        path, _, query = path.partition("?")
        messages, sent = [], []
        if body is not None:
            messages = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive():
            return messages.pop(0) if messages else {"type": "http.disconnect"}

        async def send(message):
            sent.append(message)

        scope = {
            "type": "http", "method": method, "raw_path": (ROOT + path).encode(), "path": ROOT + path,
            "query_string": query.encode(), "headers": list(headers),
        }  # fmt: skip
        site.loop.run_until_complete(app(scope, receive, send))
        assert sent[0]["status"] == 200 or dict(sent[0]["headers"])[b"x-symsrv-reason"]
        assert dict(sent[0]["headers"])[b"content-type"] == b"application/json"
        text = sent[1]["body"]
        return sent[0]["status"], json.loads(text) if text else None

    yield answer
    for one in apps:
        one.close()


def post(ask, body=DUMP, **options):
    return ask("dumps" + options.pop("query", ""), method="POST", body=body, **options)


def wish(state, *paths):
    for number, path in enumerate(paths):
        state.wants.file([Wish(parse_any(path), "dump:a.dmp", len(paths) - number, path="C:\\a", version="1.0")])


EXES = [f"app{number}.exe/5AB380779000/app{number}.exe" for number in range(5)]


def test_the_missing_list_in_pages(ask, state):
    wish(state, *EXES)

    status, first = ask("missing?limit=2")
    _, second = ask(f"missing?limit=2&after={first['after']}")
    _, third = ask(f"missing?limit=2&after={second['after']}")

    assert status == 200
    assert [one["name"] for page in (first, second, third) for one in page["missing"]] == [
        f"app{number}.exe" for number in range(5)
    ]
    assert third["after"] is None
    one = first["missing"][0]
    assert (one["id"], one["kind"], one["path"], one["version"], one["count"]) == (
        "5ab380779000",
        "code",
        "C:\\a",
        "1.0",
        5,
    )


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("name=app[12].exe", 2),
        ("kind=debug", 0),
        ("kind=debug&kind=code", 5),
        ("state=open", 5),
        ("state=resting&state=given-up", 0),
        ("who=serve:", 0),
        ("since=1d", 5),
        ("since=2100-01-01", 0),
    ],
)
def test_the_missing_list_is_filtered(ask, state, query, count):
    wish(state, *EXES)

    assert len(ask(f"missing?{query}")[1]["missing"]) == count


@pytest.mark.parametrize(
    "query", ["state=lost", "kind=either", "since=soon", "limit=many", "after=-1", "limit=" + "9" * 30, "after=٣"]
)
def test_a_wrong_question_says_what_is_right(ask, query):
    status, record = ask(f"missing?{query}")

    assert (status, record["reason"]) == (400, "usage")


def test_the_missing_list_is_not_for_everybody(ask, state):
    assert ask("missing", explain=Explain.WORDS)[1]["reason"] == "closed"
    assert ask("missing", with_state=False)[1]["reason"] == "no-state"


def test_why_by_name_and_id_or_by_path(ask, site, state):
    site.publish(("foo.pdb", build_pdb()))
    other = PDB.replace("13121110", "99121110")

    by_id = ask("why?name=foo.pdb&id=" + other.split("/")[1])[1]
    by_path = ask("why?name=" + other)[1]
    here = ask("why?name=" + PDB)[1]

    assert by_id["reason"] == by_path["reason"] == "other-id"
    assert by_id["sights"][0]["product"] == "app"
    assert by_id["wanted"]["reason"] == "never-wanted"
    assert (here["here"], "wanted" in here) == (True, False)
    assert ask("why?name=nonsense")[1]["reason"] == "unknown-path"
    assert ask("why")[1]["reason"] == "usage"


def test_why_says_no_names_to_everybody(ask, site):
    site.publish(("foo.pdb", build_pdb()))

    record = ask("why?name=" + PDB.replace("13121110", "99121110"), explain=Explain.WORDS)[1]

    assert set(record) == {"asked", "reason", "here", "sentence", "mend", "wanted"}
    assert set(record["wanted"]) == {"reason", "sentence", "mend"}


def test_status_counts(ask, site, state):
    site.publish(("foo.pdb", build_pdb()))
    wish(state, *EXES)

    record = ask("status", explain=Explain.WORDS)[1]

    assert (record["files"], record["wants"]["open"], record["wants"]["resting"]) == (1, 5, 0)
    assert ask("status", with_state=False)[1]["wants"] is None


def test_status_tells_how_fetching_goes_to_who_may_hear_it(ask, state):
    state.attempts.note(Attempt("one", "key", "receiving", "ok", bytes=7, milliseconds=20))
    state.spending.add("one", 7)
    for _ in range(5):
        state.breakers.failed("one.example", "stalled")

    full = ask("status")[1]

    assert (full["bytes_today"], full["reports_complete"]) == (7, 0)
    assert [(one["upstream"], one["ok"], one["bytes"]) for one in full["upstreams"]] == [("one", 1, 7)]
    assert [(one["host"], one["state"], one["reason"]) for one in full["breakers"]] == [
        ("one.example", "open", "stalled")
    ]
    assert set(ask("status", explain=Explain.WORDS)[1]) == {"version", "files", "wants"}


def test_head_and_other_methods(ask):
    assert ask("status", method="HEAD") == (200, None)
    assert ask("status", method="POST")[0] == 405
    assert ask("dumps")[0] == 405
    assert ask("nothing")[1]["reason"] == ask("")[1]["reason"] == "unknown-path"


def test_a_state_that_cannot_be_read_is_said(ask, state, monkeypatch, tmp_path):
    state.close()
    (tmp_path / "state.sqlite").unlink()
    (tmp_path / "state.sqlite").mkdir()

    status, record = ask("missing")
    (tmp_path / "state.sqlite").rmdir()

    assert (status, record["reason"]) == (503, "state")


def test_a_posted_dump_says_what_it_lacks_and_waits_for_it(ask, site, state):
    site.publish(("foo.pdb", build_pdb()))

    body = crashpad(DUMP)
    status, record = post(ask, body, headers=[(b"content-type", multipart(CRASHPAD))])

    assert status == 200
    assert record["name"] == "5b8a1f0a-3f2d-4d2c-9a53-1a2b3c4d5e6f.dmp"
    modules = {one["name"]: one for one in record["modules"]}
    assert [one["state"] for one in record["modules"]] == ["near", "missing", "no-id"]
    assert modules["kernel32.dll"]["version"] == "10.0.1.2"
    assert {(one.ask.wants.value, one.ask.name) for one in state.wants.list()} == {
        ("code", "foo.exe"),
        ("code", "kernel32.dll"),
        ("debug", "kernel32.pdb"),
    }
    report = state.reports.get(record["report"])
    assert (report.wanted, report.answered, report.data) == (3, 0, {"prod": "App"})


def test_the_same_dump_again_changes_nothing(ask, state):
    first = post(ask)[1]["report"]
    before = state.wants.list()

    assert post(ask, gzip.compress(DUMP), headers=[(b"content-encoding", b"gzip")])[1]["report"] == first
    assert state.wants.list() == before


def test_what_names_the_crash_is_kept_for_who_is_told(ask, state):
    body = form(CRASHPAD, part("crash_id", b"bp-7"), part("upload_file_minidump", DUMP, file_name="x.dmp"))

    number = post(ask, body, query="?issue=12&email=x", headers=[(b"content-type", multipart(CRASHPAD))])[1]["report"]

    assert state.reports.get(number).data == {"crash_id": "bp-7", "issue": "12"}


def test_a_dump_that_lacks_nothing_is_no_report(ask, site, state):
    site.publish(("foo.pdb", build_pdb()))

    record = post(ask, build_minidump([Loaded("foo.exe", CRASH.record, size=0)]))[1]

    assert ([one["state"] for one in record["modules"]], record["report"]) == (["have"], None)
    assert state.wants.list() == []


def test_near_misses_are_not_for_everybody(ask):
    assert "near" in post(ask)[1]["modules"][0]
    assert "near" not in post(ask, explain=Explain.WORDS)[1]["modules"][0]


def test_without_a_state_a_dump_is_looked_at_all_the_same(ask):
    status, record = post(ask, with_state=False)

    assert (status, "report" in record, len(record["modules"])) == (200, False, 3)


def test_the_door_is_closed_by_default(ask):
    status, record = post(ask, dumps=Dumps())

    assert (status, record["reason"]) == (403, "closed")
    assert "serve.accept_dumps" in record["error"]


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (b"no dump", 400, "unknown-format"),
        (b"", 400, "empty"),
        (build_minidump(count=70_000), 400, "too-complex"),
        (build_minidump([Loaded(f"{number}.dll", stamp=number + 1) for number in range(4200)]), 400, "too-complex"),
        (b"MDMP" + b"\xff" * 60, 400, "too-complex"),
    ],
)
def test_a_dump_that_lies_gets_a_reason(ask, state, body, status, reason):
    found, record = post(ask, body)

    assert (found, record["reason"]) == (status, reason)
    assert state.wants.list() == []


def test_a_cut_dump_tells_what_it_has_and_what_is_wrong(ask, state):
    cut = build_minidump([CRASH, Loaded("x.dll", rsds(), record_at=0xFFFFFF)])

    status, record = post(ask, cut)

    assert (status, record["reason"]) == (200, "truncated")
    assert [one["name"] for one in record["modules"]] == ["foo.exe", "x.dll"]
    assert len(state.wants.list()) == 3


def test_a_dump_that_is_too_large(ask):
    assert post(ask, dumps=Dumps(accept=True, limit_bytes=100))[1]["reason"] == "too-large"


def test_elf_modules_are_wanted_by_their_build_ids(ask, state):
    post(ask, build_minidump([Loaded("/usr/lib/libfoo.so.6", bpel())], platform=0x8201))

    assert sorted(one.ask.wants.value for one in state.wants.list()) == ["code", "debug"]
    assert {one.ask.ids[0].kind for one in state.wants.list()} == {"build"}


def test_nothing_is_left_on_the_disk(ask, tmp_path, monkeypatch):
    (tmp_path / "spool").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "spool"))

    post(ask)
    post(ask, b"no dump")
    post(ask, b"x" * 1000, headers=[(b"content-encoding", b"gzip")])

    assert list((tmp_path / "spool").iterdir()) == []


def test_only_some_dumps_are_looked_at_at_once(site, state, monkeypatch):
    monkeypatch.setattr(api, "POSTS", 1)
    app = create_app(site.store, wanted=Wanted(state), dumps=EVERY)
    answers = []

    async def run():
        held = asyncio.Event()

        async def slow():
            await held.wait()
            return {"type": "http.request", "body": DUMP, "more_body": False}

        async def quick():
            return {"type": "http.request", "body": DUMP, "more_body": False}

        async def one(receive):
            async def send(message):
                answers.append(message)

            path = ROOT + "dumps"
            scope = {"type": "http", "method": "POST", "raw_path": path.encode(), "path": path, "headers": []}
            await app(scope, receive, send)

        first = asyncio.ensure_future(one(slow))
        await asyncio.sleep(0)
        await one(quick)
        held.set()
        await first

    site.loop.run_until_complete(run())
    app.close()

    assert [one["status"] for one in answers[::2]] == [503, 200]
    assert json.loads(answers[1]["body"])["reason"] == "busy"


def test_over_the_wire_as_crashpad_sends_it(site, state):
    """Chunked, packed with gzip, without a length."""
    with live(site.store, wanted=Wanted(state), dumps=EVERY) as ((host, port), _):
        body = gzip.compress(crashpad(DUMP))
        request = urllib.request.Request(
            f"http://{host}:{port}/-/api/v1/dumps",
            data=iter([body[:100], body[100:]]),
            headers={
                "Content-Type": multipart(CRASHPAD).decode(),
                "Content-Encoding": "gzip",
                "Transfer-Encoding": "chunked",
            },
            method="POST",
        )
        with urllib.request.urlopen(request, timeout=20) as response:
            record = json.loads(response.read())

    assert len(record["modules"]) == 3
    assert {one.state for one in state.wants.list()} == {WantState.OPEN}


def test_over_the_wire_a_closed_door_is_said_and_the_connection_lives(site, state):
    with live(site.store, wanted=Wanted(state)) as ((host, port), _):
        url = f"http://{host}:{port}/-/api/v1/"
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(urllib.request.Request(url + "dumps", data=DUMP * 20), timeout=20)
        with caught.value as refused:
            assert (refused.code, json.loads(refused.read())["reason"]) == (403, "closed")
        with urllib.request.urlopen(url + "status", timeout=20) as response:
            assert json.loads(response.read())["wants"]["open"] == 0
    assert threading.active_count() < 50


@pytest.mark.parametrize("entry", corpus.in_folders("minidump"))
def test_real_dumps(entry, ask, state):
    status, record = post(ask, entry.path.read_bytes())

    assert status in (200, 400)
    if status == 200:
        assert record["modules"]
        named = [one for one in record["modules"] if one["state"] != "no-id"]
        assert bool(state.wants.list()) is bool(named)
