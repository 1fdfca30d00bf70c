"""What is particular to S3: lost answers, conflicts, paging, large files, refusals."""

import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import botocore.exceptions
import pytest
from botocore.response import StreamingBody

from symsrv.backends import open_backend
from symsrv.backends.objects import ObjectBackend
from symsrv.backends.s3 import S3Objects
from symsrv.model.errors import AlreadyThere, BackendError, Missing, NoStore, UsageError
from tests.backends.contract import HOME, file
from tests.peers import moto


class Faulty:
    """A client of which some requests fail."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.faults: dict[str, list[Any]] = {}

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._client, name)
        if not self.faults.get(name):
            return real
        fault = self.faults[name].pop(0)
        return (lambda *arguments, **options: fault(real, *arguments, **options)) if callable(fault) else real


def refusing(status: int, code: str = ""):
    def refuse(_: Any, *arguments: Any, **options: Any) -> Any:
        raise refusal(status, code)

    return refuse


def refusal(status: int, code: str = "") -> Exception:
    answer = {"Error": {"Code": code or str(status)}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return botocore.exceptions.ClientError(answer, "Request")  # type: ignore[arg-type]


def raising(exc: Exception):
    def fail(_: Any, *arguments: Any, **options: Any) -> Any:
        raise exc

    return fail


@pytest.fixture
def faulty(moto_url: str, bucket: str):
    client = Faulty(moto.client(moto_url))
    yield client
    client.close()


@pytest.fixture
def objects(bucket: str, faulty: Faulty) -> S3Objects:
    return S3Objects(bucket, "some/prefix/", client=faulty)


def test_a_create_whose_answer_was_lost_is_no_other_writers(objects: S3Objects, faulty: Faulty):
    def lose(real: Any, **options: Any) -> Any:
        real(**options)
        return real(**options)  # what botocore sends again after a timeout

    faulty.faults["put_object"] = [lose]

    objects.put("claim", b"mine", create_only=True)

    with pytest.raises(AlreadyThere):
        objects.put("claim", b"another's", create_only=True)
    with objects.get("claim").stream as stream:
        assert stream.read() == b"mine"


def test_a_conflict_is_tried_again(objects: S3Objects, faulty: Faulty, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("symsrv.backends.s3.time.sleep", lambda _: None)
    faulty.faults["put_object"] = [refusing(409, "ConditionalRequestConflict")] * 2

    objects.put("claim", b"mine", create_only=True)

    faulty.faults["put_object"] = [refusing(409)]
    with pytest.raises(AlreadyThere):
        objects.put("claim", b"mine", create_only=True)
    faulty.faults["put_object"] = [refusing(409)] * 20
    with pytest.raises(BackendError) as caught:
        objects.put("other", b"mine", create_only=True)
    assert caught.value.transient


@pytest.mark.parametrize(
    ("fault", "reason", "transient"),
    [
        (refusing(500), "unavailable", True),
        (refusing(503, "SlowDown"), "unavailable", True),
        (refusing(429), "unavailable", True),
        (refusing(400, "RequestTimeout"), "unavailable", True),
        (refusing(400, "InvalidArgument"), "backend", False),
        (refusing(403, "AccessDenied"), "no-access", False),
        (refusing(401), "no-access", False),
        (raising(botocore.exceptions.EndpointConnectionError(endpoint_url="http://x")), "unavailable", True),
        (raising(botocore.exceptions.ReadTimeoutError(endpoint_url="http://x")), "unavailable", True),
        (raising(botocore.exceptions.NoCredentialsError()), "no-access", False),
        (raising(botocore.exceptions.ParamValidationError(report="x")), "backend", False),
    ],
)
def test_each_refusal_has_its_reason(objects: S3Objects, faulty: Faulty, fault: Any, reason: str, transient: bool):
    deeds = {
        "head_object": lambda: objects.head("a"),
        "get_object": lambda: objects.get("a"),
        "put_object": lambda: objects.put("a", b"", create_only=True),
        "delete_object": lambda: objects.delete("a"),
        "copy": lambda: objects.copy("a", "b"),
        "upload_file": lambda: objects.put_large("a", Path(__file__), sha256="00"),
    }
    for request, deed in deeds.items():
        faulty.faults[request] = [fault]

        with pytest.raises(BackendError) as caught:
            deed()

        assert (caught.value.reason, caught.value.transient) == (reason, transient)


def test_a_tail_that_is_refused_is_no_empty_file(objects: S3Objects, faulty: Faulty):
    faulty.faults["get_object"] = [refusing(500), refusing(416)]

    with pytest.raises(BackendError):
        objects.tail("a", 5)
    assert objects.tail("a", 5) == b""
    with pytest.raises(Missing):
        objects.tail("a", 0)


def test_a_lost_look_after_a_conflict_is_a_refusal(objects: S3Objects, faulty: Faulty):
    faulty.faults["put_object"] = [refusing(412)]
    faulty.faults["head_object"] = [refusing(500)]

    with pytest.raises(BackendError):
        objects.put("a", b"", create_only=True)


def test_deleting_in_a_bucket_that_says_404_is_done(objects: S3Objects, faulty: Faulty):
    faulty.faults["delete_object"] = [refusing(404)]

    objects.delete("a")


def test_a_body_that_breaks_off_is_transient(objects: S3Objects, faulty: Faulty):
    objects.put("a", b"symbols")

    def break_off(real: Any, **options: Any) -> Any:
        answer = real(**options)
        answer["Body"].close()
        return answer | {"Body": StreamingBody(io.BytesIO(b"sym"), 7)}

    faulty.faults["get_object"] = [break_off]

    with objects.get("a").stream as stream, pytest.raises(BackendError) as caught:
        stream.read()

    assert caught.value.transient


def test_a_bucket_that_is_not_there_is_no_store(moto_url: str):
    with moto.environment(moto_url):
        backend = open_backend("s3://nonesuch/prefix")

        assert backend.stat("a/1/a") is None
        for deed in (lambda: backend.create("a", b""), lambda: list(backend.walk()), lambda: backend.read("a")):
            with pytest.raises(NoStore):
                deed()
        backend.close()


def test_a_refused_upload_in_parts_has_its_reason(moto_url: str, tmp_path: Path):
    with moto.environment(moto_url):
        backend = ObjectBackend(S3Objects("nonesuch"), single_put_bytes=1, spool_folder=tmp_path)

        with pytest.raises(NoStore):
            backend.stage(file(tmp_path))
        backend.close()


def test_a_large_file_goes_in_parts(bucket: str, tmp_path: Path):
    backend = ObjectBackend(S3Objects(bucket), single_put_bytes=1 << 20)
    staged = backend.stage(file(tmp_path, b"x" * (20 << 20)))
    again = backend.stage(file(tmp_path, b"y" * (2 << 20)))

    stat = backend.place(staged, HOME)

    assert (stat.size, stat.sha256) == (20 << 20, staged.sha256)
    with pytest.raises(AlreadyThere):
        backend.place(again, HOME)
    backend.discard(again)
    assert list(backend.walk(".symsrv")) == []
    backend.close()


def test_listing_goes_on_after_a_thousand(moto_url: str, bucket: str):
    s3 = moto.client(moto_url)
    with ThreadPoolExecutor(8) as pool:
        keys = [f".symsrv/transactions/{number:010}" for number in range(1005)]
        list(pool.map(lambda key: s3.put_object(Bucket=bucket, Key=key, Body=b""), keys))
    s3.put_object(Bucket=bucket, Key="a.pdb/1/a.pdb", Body=b"")
    s3.close()
    backend = open_backend(f"s3://{bucket}")

    assert len(list(backend.walk(".symsrv"))) == 1005
    assert [found.path for found in backend.walk()] == ["a.pdb/1/a.pdb"]
    backend.close()


def test_prefixes_keep_stores_apart(bucket: str):
    one, other = open_backend(f"s3://{bucket}/one"), open_backend(f"s3://{bucket}/one-more/")
    one.create("a/1/a", b"one")
    other.create("a/1/a", b"other")

    assert one.read("a/1/a") == b"one"
    assert [found.path for found in one.walk()] == ["a/1/a"]
    assert other.url == f"s3://{bucket}/one-more"
    one.close()
    other.close()


def test_amazon_is_asked_by_the_buckets_host_name(monkeypatch: pytest.MonkeyPatch):
    for name, value in moto.CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    asked: list[str] = []
    objects = S3Objects("bucket")

    def note(request: Any, **_: Any) -> None:
        asked.append(request.url)
        raise botocore.exceptions.EndpointConnectionError(endpoint_url=request.url)

    objects._client.meta.events.register("before-send.s3", note)
    with pytest.raises(BackendError):
        objects.head("a")
    objects.close()

    assert asked[0].startswith("https://bucket.s3.")


def test_a_setting_that_cannot_be_is_wrong_usage(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "not a url")

    with pytest.raises(UsageError):
        open_backend("s3://bucket")
