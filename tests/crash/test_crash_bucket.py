"""Every prefix of the requests that a writer sends to a bucket keeps the invariants, on a bucket in memory and on S3.

Each request is atomic and durable, so a crash can only come between two of them.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from symsrv.backends.gcs import GcsObjects
from symsrv.backends.memory import MemoryObjects
from symsrv.backends.objects import ObjectBackend, Objects
from symsrv.backends.s3 import S3Objects
from symsrv.store import SymbolStore
from tests.crash.checking import check_after_recovery, check_as_it_lies, sha256_of
from tests.crash.publishing import draft, image
from tests.crash.scenarios import SCENARIOS, Scenario
from tests.peers import gcs
from tests.peers.moto import client, environment, moto_server, new_bucket


@dataclass(frozen=True)
class Request:
    """A request that changes something, to be sent again to another bucket."""

    verb: str
    send: Callable[[Objects], None]


class Recorder:
    """Passes every request on, and writes down those that change something."""

    def __init__(self, objects: Objects) -> None:
        self.objects = objects
        self.url = objects.url
        self.log: list[Request] = []

    def __getattr__(self, name):
        return getattr(self.objects, name)

    def put(self, key, data, *, sha256=None, create_only=False):
        content = data if isinstance(data, bytes) else data.read_bytes()
        self.objects.put(key, content, sha256=sha256, create_only=create_only)
        self.log.append(Request(f"put {key}", lambda other: other.put(key, content, sha256=sha256)))

    def put_large(self, key, path, *, sha256):
        content = path.read_bytes()
        self.objects.put_large(key, path, sha256=sha256)
        self.log.append(Request(f"put_large {key}", lambda other: other.put(key, content, sha256=sha256)))

    def copy(self, key, target, *, sha256=None):
        self.objects.copy(key, target, sha256=sha256)
        self.log.append(Request(f"copy {key} {target}", lambda other: other.copy(key, target, sha256=sha256)))

    def delete(self, key):
        self.objects.delete(key)
        self.log.append(Request(f"delete {key}", lambda other: other.delete(key)))


def opened(objects: Objects, *, single_put_bytes: int) -> SymbolStore:
    return SymbolStore(ObjectBackend(objects, single_put_bytes=single_put_bytes), index_url="sqlite://")


class Recorded:
    """A scenario's requests, its setup's first; what was reported as done, and after how many of them."""

    def __init__(self, scenario: Scenario, work, *, single_put_bytes: int) -> None:
        self.single_put_bytes = single_put_bytes
        recorder = Recorder(MemoryObjects(uuid.uuid4().hex))
        store = opened(recorder, single_put_bytes=single_put_bytes)
        scenario.setup(store, work)
        self.start = len(recorder.log)
        self.whole = sha256_of(work.rglob("*.dll"))
        self.done: list[tuple[int, int]] = []
        scenario.deed(store, work, lambda number: self.done.append((len(recorder.log), number)))
        self.whole |= sha256_of(work.rglob("*.dll"))
        store.close()
        self.log = recorder.log


@pytest.fixture(scope="module", params=[64 << 20, 100], ids=["small files", "large files"])
def single_put_bytes(request) -> int:
    return request.param


@pytest.fixture(scope="module", params=SCENARIOS, ids=lambda scenario: scenario.name)
def recorded(request, single_put_bytes, tmp_path_factory) -> Recorded:
    return Recorded(request.param, tmp_path_factory.mktemp("work"), single_put_bytes=single_put_bytes)


def check_prefixes(recorded: Recorded, bucket: Callable[[], Objects], work) -> None:
    assert recorded.done, "the scenario commits something"
    for length in range(recorded.start, len(recorded.log) + 1):
        objects = bucket()
        for request in recorded.log[:length]:
            request.send(objects)
        store = opened(objects, single_put_bytes=recorded.single_put_bytes)
        try:
            used = check_as_it_lies(
                store, recorded.whole, [one for position, one in recorded.done if position <= length]
            )
            check_after_recovery(store, work, used)
        except AssertionError as exc:
            before = [request.verb for request in recorded.log[max(0, length - 4) : length]]
            raise AssertionError(f"after {length} of {len(recorded.log)} requests, the last {before}: {exc}") from exc
        finally:
            store.close()


def test_every_prefix_keeps_the_invariants_in_memory(recorded, tmp_path):
    check_prefixes(recorded, lambda: MemoryObjects(uuid.uuid4().hex), tmp_path)


@pytest.fixture(scope="module")
def s3():
    """A bucket on moto's server, and a client to it."""
    with moto_server() as endpoint, environment(endpoint):
        s3 = client(endpoint)
        yield new_bucket(endpoint), s3
        s3.close()


def test_every_prefix_keeps_the_invariants_on_s3(recorded, s3, tmp_path):
    bucket, s3_client = s3
    check_prefixes(recorded, lambda: S3Objects(bucket, f"{uuid.uuid4().hex}/", client=s3_client), tmp_path)


@pytest.mark.prove
def test_every_prefix_keeps_the_invariants_on_gcs(recorded, google, tmp_path):
    bucket, session = google
    check_prefixes(recorded, lambda: GcsObjects(bucket, f"{uuid.uuid4().hex}/", session=session), tmp_path)


@pytest.fixture(scope="module")
def google():
    """A bucket on fake-gcs-server, and a session to it."""
    with gcs.gcs_server() as endpoint, gcs.environment(endpoint), gcs.session() as session:
        yield gcs.new_bucket(endpoint), session


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_second_writer_between_any_two_requests(scenario, tmp_path):
    """Nothing keeps another machine out: it commits, and recovers what it finds, between any two of our requests."""
    for position in range(200):
        work = tmp_path / str(position)
        objects = MemoryObjects(uuid.uuid4().hex)
        intruder = Intruder(objects)
        store = opened(intruder, single_put_bytes=64 << 20)
        scenario.setup(store, work)
        done: list[int] = []
        intruder.arm(position, lambda objects=objects, work=work, done=done: done.append(_second(objects, work)))
        scenario.deed(store, work, done.append)
        fired = intruder.disarm()
        used = check_as_it_lies(store, sha256_of(work.rglob("*.dll")), done)
        assert len(done) == len(set(done)), "a number was used twice"
        check_after_recovery(store, work, used)
        store.close()
        if not fired:
            return
    raise AssertionError("the scenario sends more requests than this test expects")


def _second(objects: Objects, work) -> int:
    store = opened(objects, single_put_bytes=64 << 20)
    try:
        return store.commit(draft(store, image(work / "second", "a.dll"), image(work / "second", "n.dll"))).number
    finally:
        store.close()


class Intruder(Recorder):
    """Lets somebody in before the n-th changing request."""

    def __init__(self, objects: Objects) -> None:
        super().__init__(objects)
        self._left = -1
        self._act = lambda: None

    def arm(self, position: int, act: Callable[[], None]) -> None:
        self._left, self._act = position, act

    def disarm(self) -> bool:
        fired, self._left = self._left < 0, -1
        return fired

    def _knock(self) -> None:
        if self._left == 0:
            self._left = -1
            self._act()
        elif self._left > 0:
            self._left -= 1

    def put(self, key, data, **more):
        self._knock()
        super().put(key, data, **more)

    def copy(self, key, target, **more):
        self._knock()
        super().copy(key, target, **more)

    def delete(self, key):
        self._knock()
        super().delete(key)
