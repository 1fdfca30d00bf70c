"""What every kind of upstream promises, held over the table: a new kind is tested by being in it."""

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from symsrv.mirror import UPSTREAMS, kind_of, open_upstream
from symsrv.mirror.base import Absent, Refused, Unavailable
from symsrv.mirror.settings import UpstreamOptions
from symsrv.model.ask import Ask, Wants
from symsrv.model.ids import debug_id
from tests.peers import moto

GUID = "3249d99d0c4049318610f4e4fb0b6936"
FOLDER = f"Foo.pdb/{GUID.upper()}1"
ASK = Ask(Wants.DEBUG, (debug_id(GUID, 1),), "Foo.pdb")
DATA = bytes(range(256)) * 5000

NOT_HERE = {"convert"}
"""Kinds that have no files of their own to be asked for; they have tests of their own."""

Served = Callable[..., UpstreamOptions]


class _Quiet(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass


@pytest.fixture(params=sorted(set(UPSTREAMS) - NOT_HERE))
def kind(request):
    return request.param


@pytest.fixture
def served(kind, tmp_path, request):
    """Puts files where an upstream of the kind has them, and gives its options."""
    with contextlib.ExitStack() as stack:
        yield partial({"http": _http, "bucket": _bucket, "folder": _folder}[kind], stack, tmp_path / "there", request)


def _folder(_stack, folder, _request, files, **more):
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    folder.mkdir(exist_ok=True)
    return UpstreamOptions(**{"name": "there", "url": str(folder), "layouts": ("symstore",), "pause": 0} | more)


def _http(stack, folder, request, files, **more):
    _folder(stack, folder, request, files)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    stack.callback(thread.join)
    stack.callback(server.server_close)
    stack.callback(server.shutdown)
    return _folder(stack, folder, request, {}, url=f"http://127.0.0.1:{server.server_port}/", **more)


def _bucket(stack, folder, request, files, **more):
    endpoint = request.getfixturevalue("moto_url")
    name = moto.new_bucket(endpoint)
    with contextlib.closing(moto.client(endpoint)) as client:
        for path, data in files.items():
            client.put_object(Bucket=name, Key=f"sym/{path}", Body=data)
    request.getfixturevalue("monkeypatch").setenv("UPSTREAM_SECRET", "hidden")
    credentials = {"access_key": "AKIAMINE", "secret_key": {"env": "UPSTREAM_SECRET"}, "endpoint": endpoint}
    return _folder(stack, folder, request, {}, url=f"s3://{name}/sym", credentials=credentials, **more)


@pytest.fixture(scope="module")
def moto_url():
    with moto.moto_server() as url:
        yield url


@pytest.fixture
def into(tmp_path):
    folder = tmp_path / "into"
    folder.mkdir()
    return folder


@pytest.fixture
def opened(served):
    """Opens an upstream that has these files."""
    with contextlib.ExitStack() as stack:
        yield lambda files, **more: stack.enter_context(contextlib.closing(open_upstream(served(files, **more))))


def test_what_it_has_comes_whole(opened, into):
    upstream = opened({f"{FOLDER}/Foo.pdb": DATA})
    one = upstream.tries(ASK)[0]

    fetched = upstream.fetch(one, into)

    assert fetched.path.read_bytes() == DATA
    assert fetched.path.parent == into
    assert (fetched.received, fetched.encoding, fetched.address) == (len(DATA), None, one.address)


def test_what_it_has_not_is_absent(opened, into):
    upstream = opened({"a": b""})

    for one in upstream.tries(ASK):
        with pytest.raises(Absent) as caught:
            upstream.fetch(one, into)
        assert caught.value.reason == "absent"


def test_the_packed_twin_is_found(opened, into):
    upstream = opened({f"{FOLDER}/Foo.pd_": DATA})
    exact, packed = upstream.tries(ASK)

    with pytest.raises(Absent):
        upstream.fetch(exact, into)
    assert upstream.fetch(packed, into).path.read_bytes() == DATA


@pytest.mark.parametrize("name", ["c++ (x) 100%.pdb", "Größe #1.pdb", "a;b&c=d.pdb"])
def test_names_that_a_url_has_to_escape(opened, into, name):
    upstream = opened({f"{name}/{GUID.upper()}1/{name}": DATA})

    fetched = upstream.fetch(upstream.tries(Ask(Wants.DEBUG, ASK.ids, name))[0], into)

    assert fetched.path.read_bytes() == DATA


def test_each_stage_is_heard(opened, into):
    heard = []
    upstream = opened({f"{FOLDER}/Foo.pdb": DATA})

    upstream.fetch(upstream.tries(ASK)[0], into, stage=lambda *told: heard.append(told))

    assert heard[0] == ("downloading", 0)
    assert heard[-1] == ("receiving", len(DATA))
    assert [sent for _, sent in heard] == sorted(sent for _, sent in heard)


def test_what_is_whole_is_not_fetched_again(opened, into):
    upstream = opened({f"{FOLDER}/Foo.pdb": DATA})
    one = upstream.tries(ASK)[0]
    upstream.fetch(one, into)

    again = upstream.fetch(one, into)

    assert (again.received, again.path.read_bytes()) == (0, DATA)


def test_who_gives_up_in_the_middle_may_come_again(opened, into):
    upstream = opened({f"{FOLDER}/Foo.pdb": DATA})
    one = upstream.tries(ASK)[0]

    def give_up(stage, _sent):
        if stage == "receiving":
            raise InterruptedError

    with pytest.raises(InterruptedError):
        upstream.fetch(one, into, stage=give_up)

    assert upstream.fetch(one, into).path.read_bytes() == DATA


def test_what_is_too_big_does_not_come(opened, into):
    upstream = opened({f"{FOLDER}/Foo.pdb": DATA}, size_limit=len(DATA) - 1)

    with pytest.raises(Refused) as caught:
        upstream.fetch(upstream.tries(ASK)[0], into)

    assert caught.value.reason == "too-big"


def test_a_pointer_brings_what_it_leads_to_below_the_url(opened, into):
    files = {f"{FOLDER}/file.ptr": b"PATH:..\\..\\drop\\Foo.pdb", "drop/Foo.pd_": DATA}
    upstream = opened(files, pointers=True, packed=False)
    _, pointer = upstream.tries(ASK)

    assert upstream.fetch(pointer, into).path.read_bytes() == DATA


@pytest.mark.parametrize(
    ("text", "kind_of_error", "reason"),
    [
        (b"PATH:\\\\server\\share\\Foo.pdb", Refused, "pointer-elsewhere"),
        (b"PATH:../../../outside", Refused, "pointer-elsewhere"),
        (b"MSG: gone since May\x1b[0m", Absent, "pointer-message"),
        (b"", Absent, "pointer-empty"),
        (b"PATH:../../drop/Foo.pdb", Absent, "absent"),
    ],
)
def test_a_pointer_leads_nowhere_else(opened, into, text, kind_of_error, reason):
    upstream = opened({f"{FOLDER}/file.ptr": text, "other": b""}, pointers=True)

    with pytest.raises(kind_of_error) as caught:
        upstream.fetch(upstream.tries(ASK)[-1], into)

    assert caught.value.reason == reason
    assert "\x1b" not in str(caught.value)


def test_threads_share_it(opened, into):
    names = [f"f{number}.pdb" for number in range(24)]
    upstream = opened({f"{name}/{GUID.upper()}1/{name}": DATA + name.encode() for name in names})

    def fetch(name):
        return upstream.fetch(upstream.tries(Ask(Wants.DEBUG, ASK.ids, name))[0], into).path.read_bytes()

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(fetch, names)) == [DATA + name.encode() for name in names]


UNREACHABLE = {
    "http": {"url": "http://127.0.0.1:1/"},
    "bucket": {"url": "s3://bucket", "credentials": {"access_key": "", "endpoint": "http://127.0.0.1:1"}},
    "folder": {"url": "/proc/symsrv-is-not-there"},
}


def test_one_that_is_not_there_is_tried_as_often_as_it_says_and_opens_nothing_before(kind, into):
    options = UpstreamOptions(**{"name": "a", "tries": 3, "pause": "1ms"} | UNREACHABLE[kind])
    heard = []
    with contextlib.closing(open_upstream(options)) as upstream:
        one = upstream.tries(ASK)[0]  # asks nobody

        with pytest.raises(Unavailable) as caught:
            upstream.fetch(one, into, stage=lambda *told: heard.append(told[0]))

    assert caught.value.transient
    assert heard == ["downloading", "retrying", "downloading", "retrying", "downloading"]
    assert upstream.options is options


def test_after_close_nothing_is_asked(opened, into):
    upstream = opened({f"{FOLDER}/Foo.pdb": DATA})
    upstream.close()

    with pytest.raises(Unavailable) as caught:
        upstream.fetch(upstream.tries(ASK)[0], into)

    assert caught.value.reason == "closed"


def test_the_url_says_the_kind(kind):
    urls = {"http": "https://symbols.example/", "bucket": "gs://bucket/sym", "folder": "/srv/symbols"}

    assert kind_of(UpstreamOptions(name="a", url=urls[kind])) == kind
