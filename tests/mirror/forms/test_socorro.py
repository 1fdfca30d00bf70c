import json
from urllib.parse import parse_qs, urlsplit

import pytest

from symsrv.mirror.forms import News, Reply
from symsrv.mirror.forms.socorro import AT_ONCE, Socorro
from symsrv.mirror.settings import TellOptions

OPTIONS = TellOptions(name="crash-stats", url="https://crash.example/", form="socorro", token={"env": "HOOK_TOKEN"})
CRASH = "de305d54-75b4-431b-adb2-eb6b9e546014"


class Server:
    """A Socorro that finds these crashes for any module."""

    def __init__(self, *found):
        self.calls = []
        self.found = found

    def __call__(self, call):
        self.calls.append(call)
        assert dict(call.headers)["Auth-Token"] == "very secret"
        hits = [{"uuid": one} for one in self.found]
        return Reply(200, json.dumps({"hits": hits, "total": len(hits)}).encode())

    def queued(self):
        posted = [call for call in self.calls if call.method == "POST"]
        assert all(call.url == "https://crash.example/api/Reprocessing/" for call in posted)
        return [parse_qs(call.body.decode())["crash_ids"] for call in posted]

    def searched(self):
        return [parse_qs(urlsplit(call.url).query) for call in self.calls if call.method == "GET"]


@pytest.fixture(autouse=True)
def token(monkeypatch):
    monkeypatch.setenv("HOOK_TOKEN", "very secret")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("crash.dmp", {"crash_id": CRASH}),
        ("crash.dmp", {"uuid": f"bp-{CRASH}"}),
        (f"{CRASH.upper()}.dmp", {}),
    ],
)
def test_the_crash_of_a_report_is_queued(name, data):
    server = Server()

    Socorro().tell(News("report", "k", ({"report": 1, "name": name, "data": data},)), OPTIONS, server)

    assert server.queued() == [[CRASH]]
    assert server.searched() == []


def test_a_report_that_is_no_crash_of_its_is_passed_over():
    server = Server()

    Socorro().tell(News("report", "k", ({"report": 1, "name": "crash.dmp"},)), OPTIONS, server)

    assert server.calls == []


def test_the_crashes_of_a_module_whose_text_symbols_arrived_are_queued_once():
    server = Server(CRASH, "not an id; drop", CRASH)
    sym = {"role": "sym", "debug_id": "3249D99D0C4049318610F4E4FB0B69361", "debug_file": "crash.pdb"}
    events = (
        {"id": 1, "identities": [sym | {"code_file": "crash.exe"}]},
        {"id": 2, "identities": [sym]},
        {"id": 3, "identities": [sym | {"role": "debug"}]},
        {"id": 4, "identities": [sym | {"code_file": "a name with spaces & more"}]},
        {"id": 5},
    )

    Socorro().tell(News("arrived", "k", events), OPTIONS, server)

    assert [one["modules_in_stack"] for one in server.searched()] == [
        ["crash.exe/3249D99D0C4049318610F4E4FB0B69361"],
        ["crash.pdb/3249D99D0C4049318610F4E4FB0B69361"],
    ]
    assert all(one["_columns"] == ["uuid"] for one in server.searched())
    assert server.queued() == [[CRASH]]


def test_many_crashes_go_in_pieces():
    many = [f"{number:08x}-75b4-431b-adb2-eb6b9e546014" for number in range(AT_ONCE + 1)]
    server = Server(*many)
    event = {"id": 1, "identities": [{"role": "sym", "debug_id": "AB1", "code_file": "crash.exe"}]}

    Socorro().tell(News("arrived", "k", (event,)), OPTIONS, server)

    assert server.queued() == [many[:AT_ONCE], many[AT_ONCE:]]


def test_a_test_searches_for_nothing():
    server = Server()

    Socorro().tell(News("test", "k"), OPTIONS, server)

    assert server.searched()[0]["_results_number"] == ["0"]
    assert server.queued() == []
