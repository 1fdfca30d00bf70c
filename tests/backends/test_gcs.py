"""What is particular to Google Cloud Storage: conditions on generations, lost answers, refusals, credentials.

The answers are single ones, in the words of the service; what a whole server does is for `make interop`.
"""

import base64
import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import google.auth
import google_crc32c
import pytest
import requests
import urllib3
from google.auth import exceptions as auth_exceptions
from google.auth.credentials import AnonymousCredentials
from google.auth.transport.requests import AuthorizedSession

from symsrv.backends import open_backend
from symsrv.backends.gcs import GcsObjects
from symsrv.backends.objects import ObjectBackend
from symsrv.model.errors import AlreadyThere, BackendError, Missing, NoStore, UsageError
from tests.backends.contract import HOME, file

NOT_MET = "At least one of the pre-conditions you specified did not hold."
NO_BUCKET = "The specified bucket does not exist."
NO_OBJECT = "No such object: bucket/some/prefix/a"
OBJECT = {"name": "some/prefix/a", "size": "7", "generation": "11", "timeCreated": "2026-11-20T10:11:12.345Z"}
SHA256 = "00" * 32


@dataclass
class Answer:
    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class Service(requests.adapters.BaseAdapter):
    """Gives one answer after the other, and keeps what was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[Any] = []
        self.asked: list[requests.PreparedRequest] = []

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:  # type: ignore[override]
        self.asked.append(request)
        answer = self.answers.pop(0)
        if callable(answer):
            answer = answer(self)
        if isinstance(answer, Exception):
            raise answer
        response = requests.Response()
        response.status_code, response.request, response.url = answer.status, request, str(request.url)
        response.headers.update({"content-length": str(len(answer.body)), **answer.headers})
        response.raw = urllib3.HTTPResponse(
            _Stream(answer.body), status=answer.status, headers=response.headers, preload_content=False
        )
        return response

    def close(self) -> None:
        """Nothing is open."""

    def asks(self) -> list[str]:
        """Verb, last part of the path, and the condition of each request."""
        found = []
        for request in self.asked:
            url = requests.utils.unquote(str(request.url))
            condition = re.search(r"(?:ifGenerationMatch|generation)=\d+", url)
            found.append(f"{request.method} {condition[0] if condition else '-'}")
        return found


class _Stream:
    """As little of a socket's stream as urllib3 needs."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.closed = False

    def read(self, size: int | None = None) -> bytes:
        part = self._data if size is None else self._data[:size]
        self._data = self._data[len(part) :]
        return part

    def close(self) -> None:
        self.closed = True


def said(status: int, message: str = "", reason: str = "") -> Answer:
    """An error as the JSON interface writes it."""
    error = {"code": status, "message": message, "errors": [{"message": message, "domain": "global", "reason": reason}]}
    return Answer(status, json.dumps({"error": error}).encode())


def known(**more: Any) -> Answer:
    return told(OBJECT | more)


def told(resource: object) -> Answer:
    return Answer(200, json.dumps(resource).encode())


def sent(request: requests.PreparedRequest) -> bytes:
    found = request.body or b""
    return found if isinstance(found, bytes) else str(found).encode()


def body(data: bytes, length: int | None = None) -> Answer:
    return Answer(206, data, {} if length is None else {"content-length": str(length)})


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def objects(service: Service, monkeypatch: pytest.MonkeyPatch) -> GcsObjects:
    monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
    monkeypatch.setattr("symsrv.backends.gcs.time.sleep", lambda _: None)
    session = AuthorizedSession(AnonymousCredentials())  # type: ignore[no-untyped-call]
    session.mount("https://", service)
    return GcsObjects("bucket", "some/prefix/", session=session, patience_seconds=0)


def test_create_only_names_no_generation(objects: GcsObjects, service: Service):
    service.answers = [known()]

    objects.put("a", b"symbols", sha256=SHA256, create_only=True)

    assert service.asks() == ["POST ifGenerationMatch=0"]
    assert SHA256.encode() in sent(service.asked[0])


def test_nothing_is_asked_beside(objects: GcsObjects, service: Service):
    service.answers = [said(404, NO_OBJECT)]

    objects.head("a")
    objects.close()

    assert [thread.name for thread in threading.enumerate() if "_background" in thread.name] == []
    assert len(service.asked) == 1


def test_a_replacement_names_the_generation_that_it_replaces(objects: GcsObjects, service: Service):
    service.answers = [known(), said(412, NOT_MET), known(generation="12"), known(generation="12"), known()]

    objects.put("a", b"symbols")  # another replaced it between our look and our put

    assert service.asks() == [
        "GET -",
        "POST ifGenerationMatch=11",
        "GET -",
        "GET -",
        "POST ifGenerationMatch=12",
    ]


def test_a_replacement_of_nothing_creates(objects: GcsObjects, service: Service):
    service.answers = [said(404, NO_OBJECT), known()]

    objects.put("a", b"symbols")

    assert service.asks() == ["GET -", "POST ifGenerationMatch=0"]


def test_a_replacement_that_others_never_let_in_is_transient(objects: GcsObjects, service: Service):
    service.answers = [known(), said(412, NOT_MET), known()] * 20

    with pytest.raises(BackendError) as caught:
        objects.put("a", b"symbols")

    assert (caught.value.reason, caught.value.transient) == ("unavailable", True)


def test_a_create_whose_answer_was_lost_is_no_other_writers(objects: GcsObjects, service: Service):
    def ours(service: Service) -> Any:
        token = re.search(rb'"put": "(\w+)"', sent(service.asked[0]))
        assert token
        return known(metadata={"put": token[1].decode()})

    service.answers = [said(412, NOT_MET), ours]
    objects.put("a", b"symbols", create_only=True)

    for other in (known(metadata={"put": "another's"}), known(), said(404, NO_OBJECT)):
        service.answers = [said(412, NOT_MET), other]
        with pytest.raises(AlreadyThere) as caught:
            objects.put("a", b"symbols", create_only=True)
        assert caught.value.path == "a"


def test_a_lost_look_after_a_conflict_is_a_refusal(objects: GcsObjects, service: Service):
    service.answers = [said(412, NOT_MET), said(500)]

    with pytest.raises(BackendError):
        objects.put("a", b"", create_only=True)


@pytest.fixture
def backend(objects: GcsObjects, tmp_path: Path) -> ObjectBackend:
    return ObjectBackend(objects, single_put_bytes=5 << 40, spool_folder=tmp_path)


def upload(data: bytes, **more: Any) -> list[Answer]:
    """The answers to a resumable upload in two parts."""
    checksum = base64.b64encode(google_crc32c.Checksum(data).digest()).decode()
    return [
        Answer(200, headers={"location": "https://storage.googleapis.com/upload?upload_id=SECRET"}),
        Answer(308, headers={"range": f"bytes=0-{(16 << 20) - 1}"}),
        known(**{"size": str(len(data)), "crc32c": checksum} | more),
    ]


def test_a_large_file_is_one_object_from_the_beginning(backend: ObjectBackend, service: Service, tmp_path: Path):
    data = b"x" * (20 << 20)

    staged = backend.stage(file(tmp_path, data))
    assert service.asked == []  # nothing waits in incoming/
    service.answers = [*upload(data), known(metadata={"sha256": staged.sha256}, size=str(len(data)))]
    stat = backend.place(staged, HOME)

    assert (stat.size, stat.sha256) == (len(data), staged.sha256)
    assert service.asks() == ["POST ifGenerationMatch=0", "PUT -", "PUT -", "GET -"]
    assert "uploadType=resumable" in str(service.asked[0].url)
    assert [len(ask.body or b"") for ask in service.asked[1:3]] == [16 << 20, 4 << 20]  # type: ignore[arg-type]


def test_a_large_file_that_meets_another_at_its_end(backend: ObjectBackend, service: Service, tmp_path: Path):
    data = b"x" * (20 << 20)
    service.answers = [*upload(data)[:2], said(412, NOT_MET), known(metadata={"put": "another's"})]

    with pytest.raises(AlreadyThere):
        backend.place(backend.stage(file(tmp_path, data)), HOME)


def test_bytes_that_changed_on_their_way_are_told(objects: GcsObjects, service: Service, tmp_path: Path):
    data = b"x" * (20 << 20)
    service.answers = [*upload(data, crc32c="AAAAAA=="), *[Answer(204)] * 3]

    with pytest.raises(BackendError) as caught:
        objects.put("a", file(tmp_path, data), create_only=True)

    assert caught.value.transient


def test_a_stream_is_of_the_generation_that_the_stat_tells_of(objects: GcsObjects, service: Service):
    gone, newer = said(404, NO_OBJECT), known(generation="12", size="9")
    service.answers = [known(), gone, newer, body(b"symbols++")]

    opened = objects.get("a")

    assert opened.stat.size == 9
    assert opened.stat.modified_ns == 1795169472345000000
    assert opened.stream.read() == b"symbols++"
    opened.close()
    assert service.asks() == ["GET -", "GET generation=11", "GET -", "GET generation=12"]
    assert service.asked[-1].headers["Range"] == "bytes=0-8"


def test_an_object_that_is_always_replaced_is_transient(objects: GcsObjects, service: Service):
    service.answers = [known(), said(404, NO_OBJECT)] * 20

    with pytest.raises(BackendError) as caught:
        objects.get("a")

    assert caught.value.transient


def test_a_part_is_asked_for_as_it_lies_there(objects: GcsObjects, service: Service):
    service.answers = [known(), body(b"mb"), known(), body(b"ols")]

    opened = objects.get("a", 2, 2)
    assert opened.stream.read() == b"mb"
    opened.close()

    assert objects.tail("a", 3) == b"ols"
    assert [ask.headers.get("Range") for ask in service.asked] == [None, "bytes=2-3", None, "bytes=4-6"]
    assert service.asked[1].headers["Accept-Encoding"] == "gzip"


@pytest.mark.parametrize("answer", [body(b"sym", 7), body(b"sym", 3)], ids=["short of its length", "short of the size"])
def test_a_body_that_breaks_off_is_transient(objects: GcsObjects, service: Service, answer: Any):
    service.answers = [known(), answer]

    with objects.get("a").stream as stream, pytest.raises(BackendError) as caught:
        stream.read()

    assert caught.value.transient


def test_a_copy_goes_on_until_it_is_done(objects: GcsObjects, service: Service):
    done = {"done": True, "totalBytesRewritten": "7", "objectSize": "7", "resource": OBJECT}
    part = {"done": False, "rewriteToken": "more", "totalBytesRewritten": "3", "objectSize": "7"}
    service.answers = [told(part), told(done)]

    objects.copy("a", "b", sha256=SHA256)

    assert "rewriteToken=more" in str(service.asked[1].url)
    assert all(SHA256.encode() in sent(ask) for ask in service.asked)


def test_a_listing_leaves_out_what_it_comes_after(objects: GcsObjects, service: Service):
    items = [{**OBJECT, "name": f"some/prefix/{name}"} for name in ("a", "b")]
    pages = [{"items": items, "nextPageToken": "more"}, {"items": [{**OBJECT, "name": "some/prefix/c"}]}]
    service.answers = [told(page) for page in pages]

    assert [found.path for found in objects.list("", after="a")] == ["b", "c"]

    assert "startOffset=some/prefix/a" in requests.utils.unquote(str(service.asked[0].url))
    assert "pageToken=more" in str(service.asked[1].url)


DEEDS: dict[str, Callable[[GcsObjects], object]] = {
    "head": lambda objects: objects.head("a"),
    "get": lambda objects: objects.get("a"),
    "tail": lambda objects: objects.tail("a", 5),
    "create": lambda objects: objects.put("a", b"", create_only=True),
    "replace": lambda objects: objects.put("a", b""),
    "large": lambda objects: objects.put_large("a", Path(__file__), sha256=SHA256),
    "copy": lambda objects: objects.copy("a", "b"),
    "delete": lambda objects: objects.delete("a"),
    "list": lambda objects: list(objects.list("")),
}


@pytest.mark.parametrize("deed", DEEDS)
@pytest.mark.parametrize(
    ("answer", "reason", "transient"),
    [
        (said(408, "Request timeout"), "unavailable", True),
        (said(429, "The object exceeded the rate limit for object mutation operations"), "unavailable", True),
        (said(500, "Backend Error", "backendError"), "unavailable", True),
        (said(503, "Service Unavailable"), "unavailable", True),
        (Answer(502, b"<html>Bad Gateway</html>"), "unavailable", True),
        (said(400, "Invalid argument.", "invalid"), "backend", False),
        (said(403, "x does not have storage.objects.get access", "forbidden"), "no-access", False),
        (said(401, "Anonymous caller does not have storage.objects.get access", "required"), "no-access", False),
        (requests.exceptions.ConnectTimeout("slow"), "unavailable", True),
        (requests.exceptions.ReadTimeout("slow"), "unavailable", True),
        (requests.exceptions.ConnectionError("refused"), "unavailable", True),
        (requests.exceptions.ChunkedEncodingError("broken"), "unavailable", True),
        (requests.exceptions.InvalidURL("no such address"), "backend", False),
        (auth_exceptions.TransportError(requests.exceptions.ConnectionError("refused")), "unavailable", True),
        (auth_exceptions.RefreshError("invalid_grant"), "no-access", False),
    ],
    ids=lambda value: str(value.status) if isinstance(value, Answer) else value if isinstance(value, str) else None,
)
def test_each_refusal_has_its_reason(
    objects: GcsObjects, service: Service, deed: str, answer: Any, reason: str, transient: bool
):
    service.answers = [answer]

    with pytest.raises(BackendError) as caught:
        DEEDS[deed](objects)

    assert (caught.value.reason, caught.value.transient) == (reason, transient)
    assert "gs://bucket/some/prefix" in str(caught.value)


@pytest.mark.parametrize("deed", [name for name in DEEDS if name not in ("head", "delete")])
def test_a_bucket_that_is_not_there_is_no_store(objects: GcsObjects, service: Service, deed: str):
    service.answers = [said(404, NO_BUCKET, "notFound")] * 3

    with pytest.raises(NoStore):
        DEEDS[deed](objects)


def test_what_is_not_there_is_missing(objects: GcsObjects, service: Service):
    service.answers = [said(404, NO_OBJECT, "notFound")] * 5

    assert objects.head("a") is None
    objects.delete("a")
    for deed in ("get", "tail", "copy"):
        with pytest.raises(Missing):
            DEEDS[deed](objects)


def test_a_refusal_in_the_middle_of_a_read_is_none_of_its_absence(objects: GcsObjects, service: Service):
    service.answers = [known(), said(503)]

    with pytest.raises(BackendError) as caught:
        objects.get("a")

    assert caught.value.transient


def test_the_address_of_an_upload_is_told_to_nobody(objects: GcsObjects, service: Service):
    url = "/upload/storage/v1/b/bucket/o?uploadType=resumable&upload_id=SECRET"
    service.answers = [requests.exceptions.ConnectionError(f"Max retries exceeded with url: {url} (refused)")]

    with pytest.raises(BackendError) as caught:
        objects.put("a", b"", create_only=True)

    assert "SECRET" not in str(caught.value)
    assert "(refused)" in str(caught.value)


def test_without_credentials_requests_go_unsigned(monkeypatch: pytest.MonkeyPatch):
    def none(**_: Any) -> Any:
        raise auth_exceptions.DefaultCredentialsError("nowhere")

    for name in ("GOOGLE_APPLICATION_CREDENTIALS", "STORAGE_EMULATOR_HOST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(google.auth, "default", none)

    backend = open_backend("gs://bucket/some/prefix/")

    assert backend.url == "gs://bucket/some/prefix"
    assert isinstance(backend._objects._client._credentials, AnonymousCredentials)  # type: ignore[attr-defined]
    backend.close()


def test_credentials_that_cannot_be_read_are_wrong_usage(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "absent.json"))

    with pytest.raises(UsageError, match="GOOGLE_APPLICATION_CREDENTIALS"):
        open_backend("gs://bucket")


def test_the_credentials_of_the_environment_sign(monkeypatch: pytest.MonkeyPatch):
    wanted: list[Any] = []

    def found(**options: Any) -> Any:
        wanted.append(options)
        return AnonymousCredentials(), "project"  # type: ignore[no-untyped-call]

    monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
    monkeypatch.setattr(google.auth, "default", found)

    open_backend("gs://bucket").close()

    assert "devstorage.read_write" in wanted[0]["scopes"][0]


def test_another_server_is_asked_where_the_environment_names_one(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:1")

    backend = open_backend("gs://bucket")

    assert backend._objects._client.api_endpoint == "http://127.0.0.1:1"  # type: ignore[attr-defined]
    backend.close()
