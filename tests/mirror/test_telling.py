import json
import sys

import pytest

from symsrv.formats import identify_path
from symsrv.ledger.state import Arrival
from symsrv.mirror.forms import NotTold
from symsrv.mirror.settings import TellOptions
from symsrv.mirror.telling import Place, Receiver, announce, describing, sender
from symsrv.model.ask import Ask, Wants
from symsrv.model.errors import UsageError
from symsrv.model.identity import Identity
from symsrv.model.ids import SymbolId
from symsrv.model.wants import Wish
from tests.made.pdb_builder import build_pdb

NOW = 1_700_000_000.0


def plain(event):
    return {"id": event.id, **event.data}


class Clock:
    def __init__(self):
        self.now = NOW

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def told(state, receiver, clock):
    """A receiver that has begun, and what it was told."""

    def begun(answer=None, **options):
        url, one = receiver(answer)
        teller = Receiver(TellOptions(name="ci", url=f"{url}/hook", **options), state, plain, origin="here", now=clock)
        teller.begin()
        return teller, one

    return begun


def bodies(receiver):
    return [json.loads(one.body) for one in receiver.asked]


def arrive(state, *homes):
    for home in homes:
        state.events.add("arrived", {"home": home, "transaction": 1, "wants": []})


def wishes(*names):
    return [Wish(Ask(Wants.DEBUG, (SymbolId("debug", f"{number:032x}1"),), name)) for number, name in enumerate(names)]


def test_who_is_new_hears_of_what_comes_from_now_on(state, told):
    arrive(state, "before")
    teller, receiver = told()
    arrive(state, "after")

    assert teller.tell()
    assert not teller.tell()
    [body] = bodies(receiver)
    assert [one["home"] for one in body["events"]] == ["after"]


def test_arrivals_are_told_together_and_a_report_alone(state, told):
    teller, receiver = told(batch=2)
    arrive(state, "a", "b", "c")
    state.events.add("report", {"report": 1})
    state.events.add("something-else", {})
    arrive(state, "d")

    while teller.tell():
        pass

    assert [[one["type"], len(one["events"])] for one in bodies(receiver)] == [
        ["arrived", 2],
        ["arrived", 1],
        ["report", 1],
        ["arrived", 1],
    ]
    keys = [one.headers["Idempotency-Key"] for one in receiver.asked]
    assert len(set(keys)) == 4
    assert keys[0] == "here-ci-1-2"


def test_it_hears_only_of_what_it_wants_to(state, told):
    teller, receiver = told(events=["report"])
    arrive(state, "a")
    state.events.add("report", {"report": 1})

    while teller.tell():
        pass

    assert [one["type"] for one in bodies(receiver)] == ["report"]


def test_what_was_not_told_is_told_again_the_same_under_the_same_key(state, told, clock):
    answers = iter([(500, {}, b""), (500, {}, b""), (200, {}, b"")])
    teller, receiver = told(lambda asked: next(answers, (200, {}, b"")))
    arrive(state, "a")
    for _ in range(2):
        with pytest.raises(NotTold, match="ci answered 500"):
            teller.tell()
        clock.now += 60
        arrive(state, "later")

    assert teller.tell()
    assert teller.tell()
    first, second, third, fourth = receiver.asked
    assert first.body == second.body == third.body
    assert first.headers["webhook-id"] == third.headers["webhook-id"]
    assert [one["home"] for one in json.loads(fourth.body)["events"]] == ["later", "later"]


def test_that_holds_for_another_process_too(state, told, clock, receiver):
    refusing = [True]
    teller, one = told(lambda asked: (500 if refusing[0] else 200, {}, b""))
    arrive(state, "a")
    with pytest.raises(NotTold):
        teller.tell()
    arrive(state, "b")
    refusing[0] = False

    Receiver(teller.options, state, plain, origin="here", now=clock).tell()

    assert one.asked[0].body == one.asked[1].body


def test_its_patience_ends(state, told, clock, caplog):
    teller, receiver = told(lambda asked: (400 if b'"a"' in asked.body else 200, {}, b""), patience="1h")
    arrive(state, "a")
    state.events.add("report", {"report": 1})
    with pytest.raises(NotTold):
        teller.tell()
    clock.now += 3599
    with pytest.raises(NotTold):
        teller.tell()
    clock.now += 2

    assert teller.tell()
    assert "not tried any more" in caplog.text
    assert teller.tell()
    assert bodies(receiver)[-1]["type"] == "report"
    assert Place.of(state.marks.text("tell:ci")) == Place(2, lost=1)


def test_what_is_not_wanted_any_more_does_not_stop_it(state, told, clock):
    teller, _ = told(lambda asked: (500, {}, b""))
    arrive(state, "a")
    with pytest.raises(NotTold):
        teller.tell()
    options = teller.options.model_copy(update={"events": ("report",)})
    state.events.add("report", {"report": 1})

    other = Receiver(options, state, plain, origin="here", now=clock)

    assert other.pending().events[0]["report"] == 1


@pytest.mark.parametrize("text", ["", "nonsense", "[]", '{"other": 1}', "3"])
def test_a_place_that_cannot_be_read_is_none(text):
    assert Place.of(text) is None
    assert Place.of(str(Place(5, 7, 1.5, 2))) == Place(5, 7, 1.5, 2)


def test_nothing_is_changed_by_looking(state, told):
    teller, receiver = told()
    arrive(state, "a")

    before = state.marks.all()
    state.events.add("something-else", {})

    assert teller.pending(keep=False) == teller.pending(keep=False)
    assert (
        Receiver(teller.options.model_copy(update={"name": "new"}), state, plain, origin="here").pending(keep=False)
        is None
    )
    assert state.marks.all() == before
    assert receiver.asked == []


def test_a_test_is_told_at_once_and_moves_nothing(state, told):
    teller, receiver = told()
    before = state.marks.text("tell:ci")

    teller.deliver(teller.test())

    assert bodies(receiver)[0]["type"] == "test"
    assert state.marks.text("tell:ci") == before


def test_an_unknown_form_is_refused(state):
    with pytest.raises(UsageError, match="no form 'sentri'"):
        Receiver(TellOptions(name="ci", url="https://ci.example/", form="sentri"), state, plain, origin="here")


@pytest.mark.skipif(sys.platform == "win32", reason="the program is a script")
def test_a_program_gets_the_news_on_its_input(state, tmp_path):
    heard = tmp_path / "heard"
    command = [sys.executable, "-c", f"import sys; open({str(heard)!r}, 'a').write(sys.stdin.read())"]
    teller = Receiver(TellOptions(name="ci", exec=command), state, plain, origin="here")
    teller.begin()
    arrive(state, "a; rm -rf $HOME")

    assert teller.tell()
    assert json.loads(heard.read_text())["events"][0]["home"] == "a; rm -rf $HOME"


@pytest.mark.parametrize(
    ("program", "reason", "says"),
    [
        ("import sys; sys.exit('no such queue')", "receiver-refused", "exit code 1: no such queue"),
        ("import time; time.sleep(600)", "receiver-unavailable", "not done after 0.5s"),
    ],
)
def test_a_program_that_fails_was_not_told(program, reason, says):
    send = sender(
        TellOptions(name="ci", exec=[sys.executable, "-c", program], timeout=0.5 if "sleep" in program else 30)
    )

    with pytest.raises(NotTold, match=says) as raised:
        send(type("Call", (), {"body": b""})())

    assert raised.value.reason == reason


def test_a_program_that_is_not_there_was_not_told(tmp_path):
    with pytest.raises(NotTold, match="cannot be started"):
        sender(TellOptions(name="ci", exec=[str(tmp_path / "gone")]))(type("Call", (), {"body": b""})())


def test_an_arrival_is_told_with_what_the_file_is(state, store, add, tmp_path):
    path = tmp_path / "a.pdb"
    path.write_bytes(build_pdb())
    add(path)
    [file] = store.search("a.pdb", limit=1)
    state.events.add("arrived", {"home": file.home, "transaction": 1, "wants": [7]})
    state.events.add("arrived", {"home": "gone/1/gone", "transaction": 2, "wants": []})
    state.events.add("report", {"report": 1})
    here, gone, report = state.events.after(0)

    described = describing(store)(here)

    assert (described["key"], described["transaction"], described["wants"]) == (file.home, 1, [7])
    assert described["size"] == path.stat().st_size
    [identity] = described["identities"]
    assert (identity["role"], identity["name"], identity["debug_id"]) == ("debug", "a.pdb", file.identities[0].debug_id)
    assert describing(store)(gone)["identities"] == []
    assert describing(store)(report)["report"] == 1
    assert json.dumps(described)


def test_a_report_that_waits_for_three_files_is_told_once_after_the_third(state, told):
    teller, receiver = told()
    number = state.reports.file("crash.dmp", wishes("a.pdb", "b.pdb", "c.pdb"), origin="api", data={"issue": 5})
    for place, want in enumerate(state.reports.wants(number)):
        assert announce(state) == 0, place
        state.wants.claim("me", 1, lease_seconds=60, only=[want.id])
        state.wants.rest(want.id, "me", reason="absent", due=None, rounds=3)

    assert [announce(state), announce(state)] == [1, 0]
    while teller.tell():
        pass
    [body] = bodies(receiver)
    [event] = body["events"]
    assert (event["report"], event["name"], event["data"]) == (number, "crash.dmp", {"issue": 5})
    assert (event["wanted"], event["answered"], event["given_up"]) == (3, 0, 3)


def test_a_report_waits_for_the_text_symbols_of_its_files_where_those_are_made(store, state, add, tmp_path):
    path = tmp_path / "a.pdb"
    path.write_bytes(build_pdb())
    identity = identify_path(path, "a.pdb")[0]
    state.reports.file("crash.dmp", [Wish(Ask(Wants.DEBUG, identity.ids, "a.pdb"))], origin="api", data={})
    [sym] = state.wants.file([Wish(Ask(Wants.SYM, identity.ids, "a.pdb"), who="convert")])
    state.arrive([Arrival("a.pdb/1/a.pdb", (identity,), 1)])

    assert announce(state, converting=True) == 0
    state.wants.claim("me", 1, lease_seconds=60, only=[sym])
    assert announce(state, converting=True) == 0
    state.wants.rest(sym, "me", reason="conversion-failed", due=None, rounds=1)

    assert announce(state, converting=True) == 1


def test_where_none_are_made_it_does_not_wait(state):
    identity = Identity("pdb", "debug", "a.pdb", (SymbolId("debug", "1" * 33),))
    state.reports.file("crash.dmp", [Wish(Ask(Wants.DEBUG, identity.ids, "a.pdb"))], origin="api", data={})
    state.wants.file([Wish(Ask(Wants.SYM, identity.ids, "a.pdb"), who="serve")])
    state.arrive([Arrival("a.pdb/1/a.pdb", (identity,), 1)])

    assert announce(state) == 1
