"""Buckets and folders as upstreams: resuming, refusals by name, and credentials that are each upstream's own."""

import contextlib
import io
import threading

import pytest

from symsrv.mirror.base import Absent, Refused, Try, Unavailable
from symsrv.mirror.place import PlaceUpstream, access, open_bucket, open_folder
from symsrv.mirror.settings import UpstreamOptions
from symsrv.model.ask import Ask, Wants
from symsrv.model.errors import BackendError, Missing, NoStore, UsageError
from symsrv.model.ids import debug_id
from symsrv.store import Opened, Stat
from tests.peers import moto

ONE = Try("foo.pdb/ID/foo.pdb", "s3://bucket/foo.pdb/ID/foo.pdb")
DATA = bytes(range(256)) * 8192


class Flaky:
    """A place whose streams break off, as connections do."""

    url = "s3://bucket"

    def __init__(self, data=DATA, *, breaks=()):
        self.data, self.breaks, self.starts, self.modified, self.closed = data, list(breaks), [], 1, False

    def get(self, key, start=0, length=None):
        self.starts.append(start)
        end = self.breaks.pop(0) if self.breaks else None
        return Opened(Stat(key, len(self.data), self.modified), _Breaking(self.data[start:end], breaks=end is not None))

    def head(self, key):
        return Stat(key, len(self.data), self.modified)

    def close(self):
        self.closed = True


class _Breaking(io.BytesIO):
    def __init__(self, data, *, breaks):
        super().__init__(data)
        self._breaks = breaks

    def read(self, size=-1):
        data = super().read(size)
        if not data and self._breaks:
            raise BackendError("unavailable", "reset by peer", transient=True)
        return data


def upstream(place, **more):
    options = UpstreamOptions(**{"name": "a", "url": "s3://bucket", "pause": 0} | more)
    return PlaceUpstream(options, lambda: place)


def test_a_read_that_breaks_off_goes_on_where_it_was(tmp_path):
    place = Flaky(breaks=[300_000, 700_000])

    fetched = upstream(place).fetch(ONE, tmp_path)

    assert fetched.path.read_bytes() == DATA
    assert place.starts == [0, 300_000, 700_000]
    assert fetched.received == len(DATA)


def test_another_process_goes_on_where_the_first_gave_up(tmp_path):
    place = Flaky(breaks=[300_000, 600_000])
    with pytest.raises(Unavailable) as caught:
        upstream(place, tries=2).fetch(ONE, tmp_path)
    assert (caught.value.reason, caught.value.sent) == ("cut", 600_000)

    fetched = upstream(place, tries=1).fetch(ONE, tmp_path)

    assert fetched.path.read_bytes() == DATA
    assert (place.starts, fetched.received) == ([0, 300_000, 600_000], len(DATA) - 600_000)


def test_a_file_that_changed_meanwhile_is_read_anew(tmp_path):
    place = Flaky(breaks=[300_000])
    with pytest.raises(Unavailable):
        upstream(place, tries=1).fetch(ONE, tmp_path)
    place.data, place.modified = DATA[::-1], 2

    assert upstream(place).fetch(ONE, tmp_path).path.read_bytes() == DATA[::-1]
    assert place.starts == [0, 300_000, 0]


def test_as_many_tries_as_are_wanted_unless_much_came(tmp_path):
    small, large = Flaky(breaks=[1, 2, 3, 4]), Flaky(bytes(6 << 20), breaks=[n << 20 for n in range(1, 6)])

    with pytest.raises(Unavailable):
        upstream(small, tries=3).fetch(ONE, tmp_path)
    assert small.starts == [0, 1, 2]
    assert upstream(large, tries=1).fetch(Try("b", "b"), tmp_path).received == 6 << 20


class Refusing(Flaky):
    """A place that says no in one way."""

    def __init__(self, error):
        super().__init__()
        self.error = error

    def get(self, key, start=0, length=None):
        raise self.error


@pytest.mark.parametrize(
    ("error", "kind", "reason"),
    [
        (Missing("a"), Absent, "absent"),
        (NoStore("no such bucket"), Refused, "no-bucket"),
        (BackendError("no-access", "forbidden"), Refused, "forbidden"),
        (BackendError("backend", "400"), Refused, "bad-answer"),
        (BackendError("unavailable", "503", transient=True), Unavailable, "unavailable"),
    ],
)
def test_each_refusal_has_its_word(tmp_path, error, kind, reason):
    with pytest.raises(kind) as caught:
        upstream(Refusing(error), tries=1).fetch(ONE, tmp_path)

    assert caught.value.reason == reason


def test_where_forbidden_means_absent_it_does(tmp_path):
    refusing = Refusing(BackendError("no-access", "forbidden"))

    with pytest.raises(Absent):
        upstream(refusing, forbidden_is_absent=True).fetch(ONE, tmp_path)


def test_credentials_are_each_upstreams_own(monkeypatch, tmp_path):
    monkeypatch.setenv("ONE_SECRET", "first")
    (tmp_path / "secret").write_text("second\n")
    places = [{"env": "ONE_SECRET"}, {"file": str(tmp_path / "secret")}]
    found = [
        access(UpstreamOptions(name="a", url="s3://b", credentials={"access_key": "k", "secret_key": place}))
        for place in places
    ]

    assert [one.secret for one in found] == ["first", "second"]
    assert "first" not in repr(found[0])


@pytest.mark.parametrize(
    ("proxy", "expected"),
    [
        ({}, None),
        ({"url": ""}, ""),
        ({"url": "http://proxy:3128"}, "http://proxy:3128"),
        ({"url": "http://proxy:3128", "except_for": ["storage.example"]}, ""),
        ({"url": "http://proxy:3128", "user": "me@corp", "password": {"env": "PW"}}, "http://me%40corp:p%2Fw@proxy:3128"),
    ],
)  # fmt: skip
def test_the_way_out_is_the_upstreams(monkeypatch, proxy, expected):
    monkeypatch.setenv("PW", "p/w")
    credentials = {"endpoint": "http://storage.example"}

    found = access(UpstreamOptions(name="a", url="s3://bucket", credentials=credentials, proxy=proxy))

    assert found.proxy == expected


def test_what_boto3_cannot_do_is_refused_and_google_can(tmp_path):
    proxy = {"url": "socks5h://127.0.0.1:1080"}
    one = open_bucket(UpstreamOptions(name="a", url="s3://bucket", proxy=proxy))

    with pytest.raises(Refused, match="SOCKS") as caught:
        one.fetch(ONE, tmp_path)

    assert caught.value.reason == "setup"
    assert access(UpstreamOptions(name="a", url="gs://bucket", proxy=proxy)).proxy == "socks5h://127.0.0.1:1080"


def test_a_secret_that_is_not_there_is_a_refusal_of_each_fetch_and_not_of_the_plan(tmp_path):
    credentials = {"access_key": "k", "secret_key": {"env": "NOT_SET"}}
    one = open_bucket(UpstreamOptions(name="a", url="s3://bucket", credentials=credentials))

    with pytest.raises(Refused, match="NOT_SET") as caught:
        one.fetch(ONE, tmp_path)

    assert caught.value.reason == "setup"


def test_two_buckets_with_two_keys_in_one_process(monkeypatch, tmp_path):
    """The environment stays as it is, whoever reads."""
    monkeypatch.setenv("A", "secret-a")
    with moto.moto_server() as endpoint, contextlib.closing(moto.client(endpoint)) as client:
        name = moto.new_bucket(endpoint)
        client.put_object(Bucket=name, Key=ONE.path, Body=b"symbols")
        credentials = [{"access_key": key, "secret_key": {"env": "A"}, "endpoint": endpoint} for key in ("K1", "K2")]
        both = [open_bucket(UpstreamOptions(name="a", url=f"s3://{name}", credentials=one)) for one in credentials]
        for number, one in enumerate(both):
            (tmp_path / str(number)).mkdir()
            with contextlib.closing(one):
                assert one.fetch(ONE, tmp_path / str(number)).path.read_bytes() == b"symbols"


def test_a_bucket_is_opened_once_whoever_comes_first(tmp_path):
    made = []
    options = UpstreamOptions(name="a", url="s3://bucket")
    one = PlaceUpstream(options, lambda: made.append(1) or Flaky(b"x"))
    threads = [threading.Thread(target=one.fetch, args=(Try(str(n), ""), tmp_path)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert made == [1]


def test_a_folder_is_asked_once_for_what_differs_in_case_only(tmp_path):
    ask = Ask(Wants.DEBUG, (debug_id("3249d99d0c4049318610f4e4fb0b6936", 1),), "Foo.pdb")
    options = {"name": "a", "layouts": ("symstore", "ssqp"), "pointers": True}
    folder = open_folder(UpstreamOptions(url=str(tmp_path), **options))
    bucket = open_bucket(UpstreamOptions(url="s3://bucket", **options))

    found = [(one.path.split("/")[0], one.packed, one.pointer) for one in folder.tries(ask)]

    assert found == [("Foo.pdb", False, False), ("Foo.pdb", True, False), ("Foo.pdb", False, True)]
    assert len(bucket.tries(ask)) == 6


@pytest.mark.parametrize("url", ["https://symbols.example/", "/srv/symbols", "s4://bucket"])
def test_a_bucket_is_a_bucket(url):
    with pytest.raises(UsageError, match="a bucket is"):
        open_bucket(UpstreamOptions(name="a", url=url, kind="bucket"))


def test_a_folder_is_a_folder():
    with pytest.raises(UsageError, match="folder"):
        open_folder(UpstreamOptions(name="a", url="", kind="folder"))
