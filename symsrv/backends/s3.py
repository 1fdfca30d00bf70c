"""Buckets that speak S3: Amazon's, Ceph, MinIO and others, through boto3.

Credentials, region, profile and endpoint come from where boto3 looks: `$AWS_ACCESS_KEY_ID`, `$AWS_PROFILE`,
`$AWS_ENDPOINT_URL`, `~/.aws/config`, the machine's role; or from an `Access`, for buckets that are only read.
The hash of a file is kept in its metadata, `sha256`.
"""

import base64
import contextlib
import datetime
import io
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

from symsrv.backends.access import Access
from symsrv.backends.base import Backend, Opened, Stat
from symsrv.backends.objects import ObjectBackend, bucket_and_prefix
from symsrv.model.errors import AlreadyThere, BackendError, Missing, NoStore, StoreError, UsageError

try:
    import boto3
    import botocore.exceptions
    import botocore.session
    from boto3.s3.transfer import TransferConfig
    from botocore import UNSIGNED
    from botocore.config import Config
    from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials
except ImportError as exc:
    raise UsageError('stores in S3 buckets need more packages: pip install "symsrv[s3]"') from exc

_PART_BYTES = 16 << 20
_COPY_PART_BYTES = 512 << 20
_UPLOAD = TransferConfig(multipart_threshold=_PART_BYTES, multipart_chunksize=_PART_BYTES, max_concurrency=4)
_COPY = TransferConfig(multipart_threshold=4 << 30, multipart_chunksize=_COPY_PART_BYTES, max_concurrency=4)
_CONFIG = Config(
    connect_timeout=10,
    read_timeout=60,
    max_pool_connections=32,
    retries={"mode": "standard", "total_max_attempts": 5},
    # boto3's checksums by default are more than Ceph 16 and others understand.
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
)
_NO_PROXY: dict[str | None, dict[str, str] | None] = {None: None, "": {}}  # the environment's, and none
_BUFFER_BYTES = 256 << 10
_CONFLICT_TRIES = 6
_TRANSIENT_CODES = {"SlowDown", "RequestTimeout", "Throttling"}
_BROKEN = (
    botocore.exceptions.ConnectionError,
    botocore.exceptions.HTTPClientError,
    botocore.exceptions.IncompleteReadError,
    OSError,
)
_SHA256 = "sha256"
_TOKEN = "put"
"""The metadata by which a create-only put knows its own object again."""


class S3Objects:
    """A part of a bucket; `prefix` is "" or ends in a slash."""

    def __init__(self, bucket: str, prefix: str = "", *, client: Any = None) -> None:
        self.url = f"s3://{bucket}/{prefix}".rstrip("/")
        self._bucket = bucket
        self._prefix = prefix
        self._client = client or _client()

    def head(self, key: str) -> Stat | None:
        """See Objects."""
        try:
            with self._mapped(key):
                return _stat(key, self._client.head_object(**self._at(key)))
        except Missing:
            return None

    def get(self, key: str, start: int = 0, length: int | None = None) -> Opened:
        """See Objects."""
        if length == 0:
            return self._nothing_of(key)
        end = "" if length is None else str(start + length - 1)
        span = {"Range": f"bytes={start}-{end}"} if start or end else {}
        with self._mapped(key):
            try:
                answer = self._client.get_object(**self._at(key), **span)
            except botocore.exceptions.ClientError as exc:
                if _status(exc) == 416:  # at or past the end
                    return self._nothing_of(key)
                raise
        stream = io.BufferedReader(_Body(answer["Body"], f"{self.url}/{key}"), _BUFFER_BYTES)
        return Opened(_stat(key, answer), cast(BinaryIO, stream))

    def tail(self, key: str, length: int) -> bytes:
        """See Objects."""
        if length == 0:  # Ceph takes "bytes=-0" for the whole
            self._nothing_of(key).close()
            return b""
        with self._mapped(key):
            try:
                answer = self._client.get_object(**self._at(key), Range=f"bytes=-{length}")
            except botocore.exceptions.ClientError as exc:
                if _status(exc) == 416:  # empty
                    return b""
                raise
            with contextlib.closing(answer["Body"]) as body:
                return bytes(body.read())

    def put(self, key: str, data: bytes | Path, *, sha256: str | None = None, create_only: bool = False) -> None:
        """See Objects."""
        arguments = self._at(key) | {"Metadata": _metadata(sha256)}
        if sha256 is not None:  # the server compares, where it knows how to
            arguments["ChecksumSHA256"] = base64.b64encode(bytes.fromhex(sha256)).decode()
        if create_only:
            self._put_new(key, data, arguments)
            return
        with self._mapped(key):
            self._send(data, arguments)

    def put_large(self, key: str, path: Path, *, sha256: str) -> None:
        """See Objects."""
        with self._mapped(key):
            self._client.upload_file(
                str(path), **self._at(key), ExtraArgs={"Metadata": _metadata(sha256)}, Config=_UPLOAD
            )

    def copy(self, key: str, target: str, *, sha256: str | None = None) -> None:
        """See Objects; in parts above 5 GiB, where S3 copies no object at once."""
        with self._mapped(key):
            self._client.copy(
                self._at(key),
                **self._at(target),
                ExtraArgs={"Metadata": _metadata(sha256), "MetadataDirective": "REPLACE"},
                Config=_COPY,
            )

    def delete(self, key: str) -> None:
        """See Objects."""
        with contextlib.suppress(Missing), self._mapped(key):
            self._client.delete_object(**self._at(key))

    def list(self, prefix: str, *, after: str = "") -> Iterator[Stat]:
        """See Objects."""
        arguments = {"Bucket": self._bucket, "Prefix": self._prefix + prefix}
        if after:
            arguments["StartAfter"] = self._prefix + after
        pages = iter(self._client.get_paginator("list_objects_v2").paginate(**arguments))
        while True:
            with self._mapped(prefix):
                page = next(pages, None)
            if page is None:
                return
            for found in page.get("Contents", ()):
                key = found["Key"].removeprefix(self._prefix)
                yield Stat(key, found["Size"], _nanoseconds(found["LastModified"]))

    def close(self) -> None:
        """See Objects."""
        self._client.close()

    def _put_new(self, key: str, data: bytes | Path, arguments: dict[str, Any]) -> None:
        """Puts create-only. Refused by our own first try, whose answer got lost: success, told by the token.

        409 says that another put of the same key was under way: the next try gets the real answer.
        """
        token = uuid.uuid4().hex
        arguments = arguments | {"IfNoneMatch": "*", "Metadata": {**arguments["Metadata"], _TOKEN: token}}
        for attempt in range(_CONFLICT_TRIES):
            with self._mapped(key):
                try:
                    self._send(data, arguments)
                    return
                except botocore.exceptions.ClientError as exc:
                    if _status(exc) not in (409, 412):
                        raise
                    conflict = _status(exc) == 409
                found = self._metadata_of(key)
            if found.get(_TOKEN) == token:
                return
            if found or not conflict:
                raise AlreadyThere(key)
            time.sleep(0.05 * 2**attempt)
        raise BackendError("unavailable", f"{self.url}/{key}: others keep writing to it", transient=True)

    def _send(self, data: bytes | Path, arguments: dict[str, Any]) -> None:
        if isinstance(data, bytes):
            self._client.put_object(**arguments, Body=data)
            return
        with data.open("rb") as stream:
            self._client.put_object(**arguments, Body=stream)

    def _metadata_of(self, key: str) -> dict[str, str]:
        """The metadata of what lies there, never empty if something does."""
        try:
            answer = self._client.head_object(**self._at(key))
        except botocore.exceptions.ClientError as exc:
            if _status(exc) == 404:
                return {}
            raise
        return {"": "", **_lower(answer.get("Metadata", {}))}

    def _nothing_of(self, key: str) -> Opened:
        found = self.head(key)
        if found is None:
            raise Missing(key)
        return Opened(found, io.BytesIO())

    def _at(self, key: str) -> dict[str, Any]:
        return {"Bucket": self._bucket, "Key": self._prefix + key}

    @contextlib.contextmanager
    def _mapped(self, key: str) -> Iterator[None]:
        """Turns what boto3 raises inside into errors of the store."""
        try:
            yield
        except boto3.exceptions.S3UploadFailedError as exc:  # says in words what its context was
            raise _refusal(exc.__context__ or exc, f"{self.url}/{key}", key) from exc
        except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError, OSError) as exc:
            raise _refusal(exc, f"{self.url}/{key}", key) from exc


class _Body(io.RawIOBase):
    """The body of an answer, which may break off."""

    def __init__(self, body: Any, url: str) -> None:
        super().__init__()
        self._body = body
        self._url = url

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        try:
            data = self._body.read(len(buffer))
        except (botocore.exceptions.BotoCoreError, OSError) as exc:
            raise _refusal(exc, self._url, self._url) from exc
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._body.close()


def open_s3(url: str, *, read_only: bool = False) -> Backend:
    """Opens `s3://bucket/prefix`. Symsrv makes no buckets; one that is not there shows itself at the first request."""
    bucket, prefix = bucket_and_prefix(url)
    return ObjectBackend(S3Objects(bucket, prefix), read_only=read_only)


def read_s3(url: str, access: Access) -> S3Objects:
    """Opens `s3://bucket/prefix` to read from, as `access` says; nobody else's credentials are touched."""
    bucket, prefix = bucket_and_prefix(url)
    return S3Objects(bucket, prefix, client=_reader(access))


def _client() -> Any:
    """A client whose retries, timeouts and checksums suit symsrv."""
    try:
        return _made(boto3.session.Session(), _CONFIG)
    except (botocore.exceptions.BotoCoreError, ValueError) as exc:
        raise UsageError(f"S3 cannot be set up: {exc}") from exc


def _reader(access: Access) -> Any:
    config = _CONFIG.merge(
        Config(
            connect_timeout=access.connect_seconds,
            read_timeout=access.read_seconds,
            retries={"mode": "standard", "total_max_attempts": 1},
            client_cert=access.certificate,
            proxies={"http": access.proxy, "https": access.proxy} if access.proxy else _NO_PROXY[access.proxy],
        )
    )
    if access.key and not access.secret:
        raise UsageError(f"the key {access.key} came without its secret")
    more = {"endpoint_url": access.endpoint, "verify": str(access.ca_bundle) if access.ca_bundle else None}
    try:
        session = boto3.session.Session(access.key or None, access.secret, region_name=access.region)
        if access.role:
            session = _in_role(session, access, config=config, more=more)
        elif access.key == "" or session.get_credentials() is None:
            config = config.merge(Config(signature_version=UNSIGNED))
        return _made(session, config, **more)
    except (botocore.exceptions.BotoCoreError, ValueError) as exc:
        raise UsageError(f"S3 cannot be set up: {exc}") from exc


def _in_role(session: Any, access: Access, *, config: Any, more: dict[str, Any]) -> Any:
    """A session whose credentials are those of the role, fetched when they are needed and again before they expire."""
    region = access.region or session.region_name or "us-east-1"  # STS is asked somewhere in particular

    def client(service: str, **credentials: Any) -> Any:
        return session.client(service, region_name=region, config=config, **credentials, **more)

    source = session.get_credentials()
    if source is None:
        raise UsageError(f"the role {access.role} needs a key to take it on with")
    fetcher = AssumeRoleCredentialFetcher(client, source, access.role, {"RoleSessionName": "symsrv"})
    inner = botocore.session.Session()
    inner._credentials = DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role")
    return boto3.session.Session(botocore_session=inner, region_name=region)


def _made(session: Any, config: Any, **more: Any) -> Any:
    client = session.client("s3", config=config, **more)
    style = (client.meta.config.s3 or {}).get("addressing_style")
    if "amazonaws.com" in client.meta.endpoint_url or style is not None:
        return client
    # Other servers rarely have a host name per bucket.
    client.close()
    return session.client("s3", config=config.merge(Config(s3={"addressing_style": "path"})), **more)


def _refusal(exc: BaseException, url: str, key: str) -> StoreError:
    if isinstance(exc, botocore.exceptions.ClientError):
        return _client_error(exc, url, key)
    if isinstance(exc, botocore.exceptions.NoCredentialsError | botocore.exceptions.PartialCredentialsError):
        return BackendError("no-access", f"{url}: {exc}; set $AWS_ACCESS_KEY_ID and its secret, or $AWS_PROFILE")
    transient = isinstance(exc, _BROKEN)
    return BackendError("unavailable" if transient else "backend", f"{url}: {exc}", transient=transient)


def _client_error(exc: Any, url: str, key: str) -> StoreError:
    code = str(exc.response.get("Error", {}).get("Code", ""))
    status = _status(exc)
    if code == "NoSuchBucket":
        return NoStore(f"there is no symbol store at {url}: no such bucket")
    if status == 404:
        return Missing(key)
    if status == 412:
        return AlreadyThere(key)
    if status in (401, 403):
        # Without s3:ListBucket, S3 says 403 also for what is not there.
        return BackendError("no-access", f"{url}: {exc}; the key needs s3:ListBucket, s3:GetObject and s3:PutObject")
    transient = status >= 500 or status == 429 or code in _TRANSIENT_CODES
    return BackendError("unavailable" if transient else "backend", f"{url}: {exc}", transient=transient)


def _status(exc: Any) -> int:
    return int(exc.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _stat(key: str, answer: dict[str, Any]) -> Stat:
    """A stat out of the headers of an answer; those of a part say how big the whole is."""
    size = answer["ContentLength"]
    if "ContentRange" in answer:
        size = int(answer["ContentRange"].rpartition("/")[2])
    sha256 = _lower(answer.get("Metadata", {})).get(_SHA256)
    return Stat(key, size, _nanoseconds(answer["LastModified"]), sha256)


def _metadata(sha256: str | None) -> dict[str, str]:
    return {} if sha256 is None else {_SHA256: sha256}


def _lower(metadata: dict[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in metadata.items()}  # some servers capitalise


def _nanoseconds(moment: datetime.datetime) -> int:
    return int(moment.timestamp() * 1e6) * 1000
