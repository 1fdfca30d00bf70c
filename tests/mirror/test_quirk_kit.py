"""Whatever an upstream is like, what comes of it is the right file or a clear reason, and nothing wrong is kept."""

from dataclasses import dataclass, field

import pytest

from symsrv.mirror.base import Absent, FetchError
from symsrv.mirror.checking import check
from symsrv.mirror.faking import QUIRKS, FakeUpstream
from symsrv.mirror.faking.certificate import AUTHORITY
from symsrv.mirror.http import open_http
from symsrv.mirror.settings import Credentials, UpstreamOptions
from symsrv.model.ask import Ask, Wants
from symsrv.model.ids import debug_id
from tests.made.pdb_builder import GUID, GUID_TEXT, build_pdb, info_stream

ID = debug_id(GUID_TEXT, 1)
ASK = Ask(Wants.DEBUG, (ID,), "Crash.pdb")
FILE = build_pdb(more=[bytes(number * 7 % 251 for number in range(1_500_000))])
OTHER = build_pdb(info=info_stream().replace(GUID, bytes(16 * [7])))
NAME = f"Crash.pdb/{GUID_TEXT.upper()}1/Crash.pdb"
RIGHT = "the right file"


@dataclass
class Case:
    """How an upstream is asked, and what comes of it; `requests` if it matters how many."""

    outcome: str = RIGHT
    value: str | None = None
    more: tuple[str, ...] = ()
    ask: Ask = ASK
    requests: int | None = None
    options: dict = field(default_factory=dict)


PATIENT = {"pause": 0.01, "tries": 3, "first_byte_timeout": 10, "idle_timeout": 10, "connect_timeout": 10}
SHOUTED = Ask(Wants.DEBUG, (ID,), "CRASH.PDB")

CASES = {
    "slow-first-byte": [
        Case(value="300ms"),
        Case("first-byte-timeout", value="5s", options={"first_byte_timeout": 0.1}, requests=3),
    ],
    "trickle": [Case(value="30000"), Case(value="30000", options={"idle_timeout": 0.5})],
    "stall": [
        Case(options={"idle_timeout": 0.2}, requests=2),
        Case("stalled", value="always", more=("no-validator",), options={"idle_timeout": 0.1}, requests=3),
    ],
    "reset": [
        Case(requests=2),
        Case(value="2", requests=3),
        Case(more=("no-validator",), requests=2),
        Case("cut", value="always", more=("no-validator",), requests=3),
    ],
    "wrong-length": [Case(value="1"), Case("cut")],
    "short-length": [Case("damaged")],
    "html": [Case("login-page")],
    "html-for-absent": [Case(), Case("login-page", ask=Ask(Wants.DEBUG, (ID,), "none.pdb"))],
    "sign-in": [Case("login-page")],
    "203": [Case("login-page")],
    "forbidden": [
        Case(),
        Case("forbidden", ask=Ask(Wants.DEBUG, (ID,), "none.pdb")),
        Case("absent", ask=Ask(Wants.DEBUG, (ID,), "none.pdb"), options={"forbidden_is_absent": True}),
    ],
    "errors": [
        Case(requests=3),
        Case("busy", value="always", requests=3),
        Case("server-error", value="always", options={"tries": 1}),
    ],
    "busy": [Case(value="200ms", requests=2), Case("busy", value="121s", requests=1)],
    "redirect": [Case(requests=2), Case(more=("reset",), requests=4)],
    "redirect-loop": [Case("redirect-loop", requests=3)],
    "redirect-endless": [Case("redirect-loop", requests=9)],
    "redirect-private": [
        Case("private-address", requests=1),
        Case("private-address", value="http://169.254.169.254/latest/meta-data", requests=1),
        Case("private-address", value="http://[::1]/", requests=1),
        Case("private-address", value="http://localhost/", requests=1),
        Case("private-address", value="http://127.1/", requests=1),
    ],
    "gzip": [Case(), Case(more=("reset",))],
    "gzip-lie": [Case()],
    "gzip-unsaid": [Case()],
    "gzip-cut": [Case("damaged")],
    "encoding-unknown": [Case()],
    "cab-only": [Case(), Case("absent", options={"packed": False})],
    "two-tier": [Case(options={"layouts": ("two-tier",)}), Case("absent")],
    "wrong-file": [Case("wrong-file", requests=1)],
    "case-sensitive": [Case(), Case("absent", ask=SHOUTED), Case("absent", options={"name_case": "lower"})],
    "range-ignored": [Case(), Case(more=("reset",), requests=2)],
    "range-wrong": [Case(), Case(more=("reset",), requests=3)],
    "range-lie": [Case(), Case(more=("reset",), requests=3)],
    "changing": [Case(), Case(more=("reset",), requests=3)],
    "no-validator": [Case(), Case(more=("reset",), requests=2)],
    "chunked": [Case(), Case(more=("reset",), requests=2), Case(more=("gzip",))],
    "no-length": [Case(), Case(more=("reset",), requests=2), Case(more=("gzip",))],
    "empty": [Case("empty")],
    "tls": [Case(options={"credentials": "trusting"}), Case("certificate", requests=0)],
    "ntlm": [Case("ntlm", requests=1)],
    "basic": [Case("unauthorized", requests=1), Case(options={"credentials": "known"})],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("upstream")
    for name, data in ((NAME, FILE), (f"other.pdb/{'07' * 16}1/other.pdb", OTHER)):
        (root / name).parent.mkdir(parents=True)
        (root / name).write_bytes(data)
    return root


def test_every_quirk_is_in_the_kit():
    assert set(CASES) == set(QUIRKS)


def pull(upstream, ask, into):
    """What a puller does for one want: the reason that it ends with, or the file."""
    reason = "no-request"
    for one in upstream.tries(ask):
        try:
            return check(upstream.fetch(one, into), ask)
        except Absent as error:
            reason = error.reason
    return reason


def outcome_of(upstream, ask, into):
    try:
        checked = pull(upstream, ask, into)
    except FetchError as error:
        return error.reason
    if isinstance(checked, str):
        return checked
    assert checked.path.read_bytes() == FILE
    assert checked.name == ask.name
    return RIGHT


def quirks_of(name, case):
    named = [(name, case.value), *((other, None) for other in case.more)]
    return [(QUIRKS[one], QUIRKS[one].value if value is None else value) for one, value in named]


def credentials(word, tmp_path, monkeypatch):
    if word == "trusting":
        (tmp_path / "ca.pem").write_text(AUTHORITY)
        return Credentials(ca_bundle=tmp_path / "ca.pem")
    monkeypatch.setenv("KIT_SECRET", "secret")
    return Credentials(user="me", password={"env": "KIT_SECRET"})


@pytest.mark.parametrize(
    ("name", "case"),
    [
        pytest.param(name, case, id=f"{name}-{number}")
        for name, cases in CASES.items()
        for number, case in enumerate(cases)
    ],
)
def test_the_right_file_or_a_clear_reason(folder, tmp_path, monkeypatch, name, case):
    into = tmp_path / "into"
    into.mkdir()
    options = {**PATIENT, **case.options}
    if "credentials" in options:
        options["credentials"] = credentials(options["credentials"], tmp_path, monkeypatch)
    with FakeUpstream(folder, quirks_of(name, case)) as server:
        upstream = open_http(UpstreamOptions(name="kit", url=server.url, **options))
        try:
            assert outcome_of(upstream, case.ask, into) == case.outcome
        finally:
            upstream.close()

    if case.requests is not None:
        assert len(server.requests) == case.requests, [(one["path"], one["status"]) for one in server.requests]
    if case.outcome not in (RIGHT, "cut", "stalled"):
        assert not list(into.iterdir())  # and of these a part at most, which is gone on from or dropped
