"""Buckets of Google Cloud Storage, through google-cloud-storage.

Credentials come from where Google's libraries look: `$GOOGLE_APPLICATION_CREDENTIALS`, `gcloud auth application-default
login`, the machine's service account; without any, requests go unsigned, which is enough to read a public bucket.
`$STORAGE_EMULATOR_HOST` names another server. The hash of a file is kept in its metadata, `sha256`.

Every put names the generation that it replaces, none for create-only. That holds for a file of any size, since a
resumable upload is one object, whose condition is looked at when it is complete: nothing needs parts in `incoming/`.
"""

import contextlib
import datetime
import io
import os
import random
import re
import time
import uuid
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any, BinaryIO, cast

from symsrv.backends.access import Access
from symsrv.backends.base import Backend, Opened, Stat
from symsrv.backends.objects import ObjectBackend, bucket_and_prefix
from symsrv.model.errors import AlreadyThere, BackendError, Missing, NoStore, StoreError, UsageError

try:
    import google.auth
    import requests
    import urllib3
    from google.api_core import exceptions
    from google.auth.credentials import AnonymousCredentials
    from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError, TransportError
    from google.auth.transport.requests import AuthorizedSession, Request
    from google.cloud import storage
    from google.cloud.storage.exceptions import DataCorruption, InvalidResponse
    from google.cloud.storage.retry import DEFAULT_RETRY
    from google.oauth2 import service_account
except ImportError as exc:
    raise UsageError('stores in Google Cloud Storage need more packages: pip install "symsrv[gcs]"') from exc

_LARGEST_BYTES = 5 << 40
_PART_BYTES = 16 << 20
_BUFFER_BYTES = 256 << 10
_CONNECTIONS = 32
_TIMEOUTS = (10, 60)  # to connect, and between two answers
_PATIENCE_SECONDS = 60.0
_RETRY = DEFAULT_RETRY.with_delay(initial=0.25, multiplier=2, maximum=8)
_TRIES = 10
_READ_SCOPES = ("https://www.googleapis.com/auth/devstorage.read_only",)
_SCOPES = ("https://www.googleapis.com/auth/devstorage.read_write",)
_LISTED = "items(name,size,timeCreated),nextPageToken"
_CONTENT_TYPE = "application/octet-stream"
_NO_BUCKET = re.compile(r"\bbucket\b.* does not exist", re.IGNORECASE)
_REFUSALS = (
    exceptions.GoogleAPIError,
    GoogleAuthError,
    DataCorruption,
    InvalidResponse,
    urllib3.exceptions.HTTPError,
    OSError,
)
_SHA256 = "sha256"
_TOKEN = "put"
"""The metadata by which a put knows its own object again."""


class GcsObjects:
    """A part of a bucket; `prefix` is "" or ends in a slash.

    What fails in passing (429, 5xx, a broken connection) is sent again for `patience_seconds`.
    """

    def __init__(
        self,
        bucket: str,
        prefix: str = "",
        *,
        session: Any = None,
        patience_seconds: float = _PATIENCE_SECONDS,
        endpoint: str | None = None,
        timeouts: tuple[float, float] = _TIMEOUTS,
    ) -> None:
        self.url = f"gs://{bucket}/{prefix}".rstrip("/")
        self._prefix = prefix
        self._session = session or _session()
        self._client = storage.Client(
            project=None,
            credentials=self._session.credentials,
            _http=self._session,
            client_options={"api_endpoint": endpoint} if endpoint else None,
        )
        # For traces that nobody asked for, the library asks for the bucket in threads of its own, at each 404 again.
        # tests/backends/test_gcs.py::test_nothing_is_asked_beside
        self._client._bucket_metadata_cache = None
        self._bucket = self._client.bucket(bucket)
        self._again = _RETRY.with_timeout(patience_seconds)
        self._timeouts = timeouts
        self._how: dict[str, Any] = {"timeout": timeouts, "retry": self._again}

    def head(self, key: str) -> Stat | None:
        """See Objects."""
        with self._mapped(key):
            found = self._look(key)
        return None if found is None else _stat(key, found)

    def get(self, key: str, start: int = 0, length: int | None = None) -> Opened:
        """See Objects."""
        return self._open(key, lambda size: (start, size if length is None else min(size, start + length)))

    def tail(self, key: str, length: int) -> bytes:
        """See Objects."""
        opened = self._open(key, lambda size: (max(0, size - length), size))
        with contextlib.closing(opened):
            return opened.stream.read()

    def put(self, key: str, data: bytes | Path, *, sha256: str | None = None, create_only: bool = False) -> None:
        """See Objects. Refused by our own first try, whose answer got lost: success, told by the token.

        A put that replaces, and finds that another did so meanwhile, replaces that.
        """
        blob = self._blob(key, sha256)
        for attempt in range(_TRIES):
            with self._mapped(key, absent_is_bucket=True):
                standing = None if create_only else self._look(key)
                try:
                    self._send(blob, data, over=standing.generation if standing else 0)
                    return
                except exceptions.PreconditionFailed:
                    found = self._look(key)
            if found is not None and (found.metadata or {}).get(_TOKEN) == blob.metadata[_TOKEN]:
                return
            if create_only:
                raise AlreadyThere(key)
            time.sleep(random.uniform(0, 0.05 * 2**attempt))
        raise self._contended(key)

    def put_large(self, key: str, path: Path, *, sha256: str) -> None:
        """See Objects; large files are nothing special here."""
        self.put(key, path, sha256=sha256)

    def copy(self, key: str, target: str, *, sha256: str | None = None) -> None:
        """See Objects; a large object takes several requests, of which the last makes it visible."""
        source, blob = self._bucket.blob(self._prefix + key), self._blob(target, sha256)
        with self._mapped(key):
            token, _, _ = blob.rewrite(source, **self._how)
            while token is not None:
                token, _, _ = blob.rewrite(source, token=token, **self._how)

    def delete(self, key: str) -> None:
        """See Objects."""
        with contextlib.suppress(Missing), self._mapped(key):
            self._bucket.delete_blob(self._prefix + key, **self._how)

    def list(self, prefix: str, *, after: str = "") -> Iterator[Stat]:
        """See Objects."""
        found = iter(
            self._client.list_blobs(
                self._bucket,
                prefix=self._prefix + prefix,
                start_offset=self._prefix + after if after else None,
                fields=_LISTED,
                **self._how,
            )
        )
        while True:
            with self._mapped(prefix, absent_is_bucket=True):
                blob = next(found, None)
            if blob is None:
                return
            key = blob.name.removeprefix(self._prefix)
            if key != after:  # the offset is the first that is told
                yield _stat(key, blob)

    def close(self) -> None:
        """See Objects."""
        self._client.close()

    def _look(self, key: str) -> Any:
        return self._bucket.get_blob(self._prefix + key, **self._how)

    def _open(self, key: str, part: Callable[[int], tuple[int, int]]) -> Opened:
        """Opens from one offset to another, chosen by the size. Stat and stream are of one generation."""
        for _ in range(_TRIES):
            blob = self._bucket.blob(self._prefix + key)
            with self._mapped(key):
                blob.reload(**self._how)
            stat = _stat(key, blob)
            start, end = part(stat.size)
            if start >= end:
                return Opened(stat, io.BytesIO())
            with contextlib.suppress(Missing), self._mapped(key):  # missing: this generation was replaced, or deleted
                answer = self._again(self._ask)(blob, start, end)
                body = _Body(answer, end - start, f"{self.url}/{key}")
                return Opened(stat, cast(BinaryIO, io.BufferedReader(body, _BUFFER_BYTES)))
        raise self._contended(key)

    def _blob(self, key: str, sha256: str | None) -> Any:
        """An object to be put, with a token of its own."""
        blob = self._bucket.blob(self._prefix + key, chunk_size=_PART_BYTES)
        blob.content_type = _CONTENT_TYPE
        blob.metadata = {_TOKEN: uuid.uuid4().hex} | ({} if sha256 is None else {_SHA256: sha256})
        return blob

    def _send(self, blob: Any, data: bytes | Path, *, over: int) -> None:
        """One upload, over this generation only; above 8 MiB a resumable one."""
        more = self._how | {"content_type": _CONTENT_TYPE, "if_generation_match": over}
        if isinstance(data, bytes):
            blob.upload_from_string(data, **more)
            return
        with data.open("rb") as stream:
            blob.upload_from_file(stream, size=data.stat().st_size, **more)

    def _ask(self, blob: Any, start: int, end: int) -> Any:
        """An answer whose body is to be read; the library's own downloads can only be pushed somewhere."""
        answer = self._session.get(
            f"{self._client.api_endpoint}/download/storage/v1{blob.path}",
            params={"alt": "media", "generation": blob.generation},
            # gzip: what was put compressed comes as it lies there, as long as the stat says.
            headers={"Range": f"bytes={start}-{end - 1}", "Accept-Encoding": "gzip"},
            stream=True,
            timeout=self._timeouts,
        )
        if answer.ok:
            return answer
        with contextlib.closing(answer):
            raise exceptions.from_http_response(answer)

    def _contended(self, key: str) -> BackendError:
        return BackendError("unavailable", f"{self.url}/{key}: others keep writing to it", transient=True)

    @contextlib.contextmanager
    def _mapped(self, key: str, *, absent_is_bucket: bool = False) -> Iterator[None]:
        """Turns what the library raises inside into errors of the store."""
        url = f"{self.url}/{key}"
        try:
            yield
        except exceptions.NotFound as exc:
            if absent_is_bucket or _NO_BUCKET.search(_words(exc)):
                raise NoStore(f"there is no symbol store at {self.url}: no such bucket") from exc
            raise Missing(key) from exc
        except _REFUSALS as exc:
            raise _refusal(exc, url) from exc


class _Body(io.RawIOBase):
    """The body of an answer, which may break off."""

    def __init__(self, answer: Any, length: int, url: str) -> None:
        super().__init__()
        self._answer = answer
        self._left = length
        self._url = url

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        wanted = min(len(buffer), self._left)
        if wanted == 0:
            return 0
        try:
            data = self._answer.raw.read(wanted, decode_content=False)
        except (urllib3.exceptions.HTTPError, OSError) as exc:
            raise _refusal(exc, self._url) from exc
        if not data:
            sentence = f"{self._url}: the answer ended {self._left} bytes too early"
            raise BackendError("unavailable", sentence, transient=True)
        buffer[: len(data)] = data
        self._left -= len(data)
        return len(data)

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._answer.close()


def open_gcs(url: str, *, read_only: bool = False) -> Backend:
    """Opens `gs://bucket/prefix`. Symsrv makes no buckets; one that is not there shows itself at the first request."""
    bucket, prefix = bucket_and_prefix(url)
    objects = GcsObjects(bucket, prefix)
    return ObjectBackend(objects, read_only=read_only, single_put_bytes=_LARGEST_BYTES)


def read_gcs(url: str, access: Access) -> GcsObjects:
    """Opens `gs://bucket/prefix` to read from, as `access` says; nobody else's credentials are touched."""
    bucket, prefix = bucket_and_prefix(url)
    return GcsObjects(
        bucket,
        prefix,
        session=_reader(access),
        patience_seconds=0,
        endpoint=access.endpoint,
        timeouts=(access.connect_seconds, access.read_seconds),
    )


def _session() -> Any:
    """A session that signs as the environment says, with a connection for every thread."""
    return _pooled(AuthorizedSession(_credentials()))


def _reader(access: Access) -> Any:
    # Tokens are fetched the same way as files.
    tokens = Request(_by_way_of(requests.Session(), access))
    if access.service_account is not None:
        try:
            credentials: Any = service_account.Credentials.from_service_account_file(
                str(access.service_account), scopes=_READ_SCOPES
            )
        except (OSError, ValueError) as exc:
            raise UsageError(f"{access.service_account} is no key file of a service account: {exc}") from exc
    else:
        credentials = AnonymousCredentials() if access.key == "" else _credentials(_READ_SCOPES)
    return _pooled(_by_way_of(AuthorizedSession(credentials, auth_request=tokens), access))


def _by_way_of(session: Any, access: Access) -> Any:
    if access.proxy is not None:
        session.trust_env = False
        session.proxies = {"http": access.proxy, "https": access.proxy} if access.proxy else {}
    if access.ca_bundle is not None:
        session.verify = str(access.ca_bundle)
    session.cert = access.certificate
    return session


def _pooled(session: Any) -> Any:
    adapter = requests.adapters.HTTPAdapter(pool_maxsize=_CONNECTIONS)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def _credentials(scopes: tuple[str, ...] = _SCOPES) -> Any:
    if os.environ.get("STORAGE_EMULATOR_HOST"):
        return AnonymousCredentials()
    try:
        return google.auth.default(scopes=scopes)[0]
    except DefaultCredentialsError as exc:
        if os.environ.get("GOOGLE_APPLICATION_CREDENTIALS"):
            raise UsageError(f"$GOOGLE_APPLICATION_CREDENTIALS cannot be used: {exc}") from exc
        return AnonymousCredentials()


def _refusal(exc: BaseException, url: str) -> StoreError:
    if isinstance(exc, exceptions.RetryError):
        exc = exc.cause or exc
    if isinstance(exc, exceptions.GoogleAPICallError) and exc.code is not None:
        return _answered(exc, url)
    if isinstance(exc, GoogleAuthError) and not isinstance(exc, TransportError) and not exc.retryable:
        return BackendError(
            "no-access", f"{url}: Google refuses us: {_words(exc)}; set $GOOGLE_APPLICATION_CREDENTIALS"
        )
    transient = not isinstance(exc, ValueError)  # an address that cannot be, an answer that nobody can read
    return BackendError("unavailable" if transient else "backend", f"{url}: {_words(exc)}", transient=transient)


def _answered(exc: Any, url: str) -> StoreError:
    """The error for a status other than 404 and, in a put, 412."""
    if exc.code in (401, 403):
        # Without storage.objects.list, Google says 403 also for what is not there.
        roles = "reading needs the role Storage Object Viewer, writing Storage Object User"
        return BackendError("no-access", f"{url}: {_words(exc)}; {roles} (or set $GOOGLE_APPLICATION_CREDENTIALS)")
    transient = exc.code >= 500 or exc.code in (408, 429)
    return BackendError("unavailable" if transient else "backend", f"{url}: {_words(exc)}", transient=transient)


def _words(exc: Any) -> str:
    """What went wrong, without the query of an address: that of an upload is as good as a password."""
    if not isinstance(exc, exceptions.GoogleAPICallError):
        return re.sub(r"\?[^\s'\")]*", "", str(exc)) or type(exc).__name__
    try:
        said = str(cast(Any, exc.response).json()["error"]["message"])
    except (AttributeError, ValueError, KeyError, TypeError):
        said = HTTPStatus(exc.code).phrase if exc.code else type(exc).__name__
    return f"{int(exc.code or 0)} {said}"


def _stat(key: str, blob: Any) -> Stat:
    return Stat(key, blob.size or 0, _nanoseconds(blob.time_created), (blob.metadata or {}).get(_SHA256))


def _nanoseconds(moment: datetime.datetime) -> int:
    return int(moment.timestamp() * 1e6) * 1000
