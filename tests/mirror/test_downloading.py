"""A file comes whole, however often its connection breaks, and nothing of another file is ever mixed into it."""

import pytest

from symsrv.mirror import downloading as module
from symsrv.mirror.base import Unavailable, WrongContent
from symsrv.mirror.connections import Connections
from symsrv.mirror.downloading import Download
from symsrv.mirror.faking import QUIRKS, FakeUpstream
from symsrv.mirror.pace import Pace
from symsrv.mirror.progress import Part
from symsrv.mirror.receiving import BUFFER_BYTES
from symsrv.mirror.requesting import Requester
from symsrv.mirror.seats import Seats
from symsrv.mirror.settings import UpstreamOptions
from tests.made.pdb_builder import build_pdb
from tests.mirror.answering import Answering, ok

FILE = build_pdb() * 20
HALF = len(FILE) // 2
TAG = 'ETag: "1"'


@pytest.fixture
def download(request, tmp_path):
    """Downloads `/a` from a server into one folder; each call could be another process."""

    def download(url, *, stage=lambda *_stage: None, **more):
        options = UpstreamOptions(name="a", url=url, **{"pause": 0.001, "tries": 3, "idle_timeout": 5, **more})
        connections, pace = Connections(options), Pace(None)
        request.addfinalizer(connections.close)
        part = Part(tmp_path, (options.url, "a"))
        requester, seats = Requester(options, connections, pace), Seats(options.concurrency)
        made = Download(requester, pace, options, part=part, stage=stage, seats=seats)
        with seats.file():
            return made.run(f"{url}/a", {})

    return download


def half(*lines):
    return ok(FILE[:HALF], *lines, length=len(FILE))


def first(request):
    return int(request.headers.get("range", "bytes=0-").removeprefix("bytes=").partition("-")[0])


def rest(request, *lines, file=FILE, told=None):
    start = first(request)
    told = told or f"bytes {start}-{len(file) - 1}/{len(file)}"
    return ok(file[start:], f"Content-Range: {told}", *lines, status="206 Partial Content")


def closing(data):
    return lambda connection: connection.sendall(data)


def test_what_breaks_is_gone_on_from(download):
    def answer(request):
        return closing(half(TAG)) if request.number == 0 else rest(request, TAG)

    stages = []
    with Answering(answer) as server:
        fetched = download(server.url, stage=lambda name, _sent: stages.append(name))
    second = server.requests[1].headers

    assert fetched.path.read_bytes() == FILE
    assert fetched.received == len(FILE)
    assert (second["range"], second["if-range"]) == (f"bytes={HALF - 64}-", '"1"')
    assert "retrying" in stages


def test_another_process_goes_on_from_there(download):
    answers = [lambda _request: closing(half(TAG)), lambda request: rest(request, TAG)]
    with Answering(lambda request: answers[request.number](request)) as server:
        with pytest.raises(WrongContent) as caught:
            download(server.url, tries=1)
        fetched = download(server.url)

    assert (caught.value.reason, caught.value.sent) == ("cut", HALF)
    assert fetched.path.read_bytes() == FILE
    assert fetched.received == len(FILE) - HALF
    assert first(server.requests[1]) == HALF - 64


def test_without_a_validator_it_begins_anew(download):
    def answer(request):
        return closing(half()) if request.number == 0 else ok(FILE)

    with Answering(answer) as server:
        fetched = download(server.url)

    assert fetched.path.read_bytes() == FILE
    assert "range" not in server.requests[1].headers


OTHER = bytes(reversed(FILE))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda request: ok(FILE, TAG),
        lambda request: rest(request, told=f"bytes 0-{len(FILE) - 1}/{len(FILE)}"),
        lambda request: rest(request, told=f"bytes {HALF - 64}-{len(FILE) - 1}/*"),
        lambda request: rest(request, told=f"bytes {HALF - 64}-{len(FILE)}/{len(FILE) + 1}"),
        lambda request: rest(request, told="nonsense"),
        lambda request: rest(request, "Content-Encoding: gzip"),
        lambda request: rest(request, 'ETag: "2"', file=OTHER),
        lambda request: rest(request, TAG, file=OTHER),
        lambda request: ok(b"", status="416 Range Not Satisfiable"),
        lambda request: ok(FILE, "Content-Type: multipart/byteranges", status="206 Partial Content"),
    ],
)
def test_a_range_that_is_ignored_or_wrong_ends_with_the_whole(download, wrong):
    def answer(request):
        if request.number == 0:
            return closing(half(TAG))
        return wrong(request) if "range" in request.headers else ok(FILE, TAG)

    with Answering(answer) as server:
        fetched = download(server.url)

    assert fetched.path.read_bytes() == FILE


def test_a_file_that_changed_meanwhile_is_fetched_anew(download):
    def answer(request):
        return closing(half(TAG)) if request.number == 0 else ok(OTHER, 'ETag: "2"')

    with Answering(answer) as server:
        assert download(server.url).path.read_bytes() == OTHER


def test_a_line_that_always_breaks_later_gets_there(download):
    file = FILE * 12
    step = (1 << 20) + 100

    def answer(request):
        start = first(request)
        lines = [TAG, f"Content-Range: bytes {start}-{len(file) - 1}/{len(file)}"] if start else [TAG]
        status = "206 Partial Content" if start else "200 OK"
        return closing(ok(file[start : start + step], *lines, length=len(file) - start, status=status))

    assert len(file) > 5 * step
    with Answering(answer) as server:
        fetched = download(server.url, tries=2)

    assert fetched.path.read_bytes() == file


def test_what_always_breaks_at_once_ends(download):
    with Answering(lambda _request: closing(half(TAG)[:200])) as server, pytest.raises(WrongContent) as caught:
        download(server.url)

    assert caught.value.reason == "cut"
    assert len(server.requests) == 3


def test_a_wait_that_is_too_long_is_left_to_the_caller(download):
    busy = ok(b"", "Retry-After: 121", status="503 Busy")
    with Answering(lambda _request: busy) as server, pytest.raises(Unavailable) as caught:
        download(server.url)

    assert (caught.value.reason, caught.value.retry_after) == ("busy", 121)
    assert len(server.requests) == 1


def test_an_empty_file_is_one(download):
    with Answering(lambda _request: ok(b"", TAG)) as server:
        assert download(server.url).path.read_bytes() == b""


def test_nothing_more_comes_is_stalled(download):
    def stall(connection):
        connection.sendall(half(TAG))
        connection.recv(1)

    with Answering(lambda _request: stall) as server, pytest.raises(Unavailable) as caught:
        download(server.url, tries=1, idle_timeout=0.2)

    assert (caught.value.reason, caught.value.sent) == ("stalled", HALF)


@pytest.fixture
def eager(monkeypatch):
    """Splits files of a size that a test can wait for, at once."""
    monkeypatch.setattr(module, "SPLIT_BYTES", BUFFER_BYTES)
    monkeypatch.setattr(module, "PATIENT_SECONDS", 0.05)


BIG = bytes(number * 7 % 251 for number in range(6_000_000))
SLOW = ("trickle", "60000")  # a hundredth of a second each


@pytest.fixture
def served(tmp_path):
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "a").write_bytes(BIG)

    def served(*quirks):
        return FakeUpstream(tmp_path / "served", [(QUIRKS[name], value) for name, value in quirks])

    return served


def ranges(server):
    return [one["headers"]["range"] for one in server.requests if "range" in one["headers"]]


def test_a_slow_line_is_helped_by_others(download, eager, served):
    with served(SLOW) as server:
        fetched = download(server.url, concurrency=4)

    assert fetched.path.read_bytes() == BIG
    assert fetched.notes == []
    assert len(ranges(server)) >= 3
    assert fetched.received == len(BIG)


def test_a_fast_line_is_not(download, served):
    with served() as server:
        assert download(server.url, concurrency=4).path.read_bytes() == BIG
    assert len(server.requests) == 1


def test_where_no_connection_is_to_spare_it_comes_in_one_piece(download, eager, served):
    with served(SLOW) as server:
        assert download(server.url, concurrency=1).path.read_bytes() == BIG
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "quirk",
    [
        ("range-ignored", ""),
        ("range-wrong", ""),
        ("range-lie", ""),
        ("changing", ""),
        ("no-validator", ""),
        ("reset", "1"),
        ("reset", "4"),
        ("stall", "2"),
    ],
)
def test_helpers_that_meet_trouble_spoil_nothing(download, eager, served, quirk):
    with served(SLOW, quirk) as server:
        fetched = download(server.url, concurrency=4, tries=6, idle_timeout=0.3)

    assert fetched.path.read_bytes() == BIG


def test_a_stop_in_the_middle_leaves_what_all_had(download, eager, served):
    class StopError(Exception):
        pass

    def stop(_name, sent):
        if sent > len(BIG) // 2:
            raise StopError

    with served(SLOW) as server:
        with pytest.raises(StopError):
            download(server.url, concurrency=4, stage=stop)
        first = len(server.requests)
        fetched = download(server.url, concurrency=4)

    assert fetched.path.read_bytes() == BIG
    assert fetched.received < len(BIG) * 0.6
    assert "range" in server.requests[first]["headers"]
