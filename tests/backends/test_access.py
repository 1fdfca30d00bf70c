"""Buckets of others are reached with the credentials that were told for each, whatever the environment says."""

import base64
import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from symsrv.backends.access import Access
from symsrv.backends.gcs import read_gcs
from symsrv.backends.s3 import read_s3
from symsrv.model.errors import BackendError, Missing, UsageError
from tests.peers import gcs, moto

ROLE = "arn:aws:iam::123456789012:role/reader"
ASSUMED = f"""<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>
<AssumedRoleUser><Arn>{ROLE}</Arn><AssumedRoleId>A:symsrv</AssumedRoleId></AssumedRoleUser>
<Credentials><AccessKeyId>ASIATAKEN</AccessKeyId><SecretAccessKey>taken</SecretAccessKey>
<SessionToken>the-token</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>
</AssumeRoleResult></AssumeRoleResponse>"""


class _Recorder(ThreadingHTTPServer):
    """Keeps what was asked; has STS and a token endpoint, and no object."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked = []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.asked.append(self)
        self._say(404, b"{}")

    def do_POST(self):
        self.form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.server.asked.append(self)
        if "assertion" in self.form:
            self._say(200, b'{"access_token": "bearer", "expires_in": 3600}', "application/json")
        else:
            self._say(200, ASSUMED.encode(), "text/xml")

    def _say(self, status, data, kind="text/plain"):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def log_message(self, *_):
        pass


@pytest.fixture
def recorder():
    with _Recorder() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def of_others(monkeypatch):
    """What the process's own store uses, and no upstream may."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOFTHESTORE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-of-the-store")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token-of-the-store")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def key_file(recorder, tmp_path):
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    record = {
        "type": "service_account",
        "client_email": "reader@project.example",
        "token_uri": f"{recorder.url}/token",
        "private_key": private.decode(),
        "private_key_id": "1",
    }
    place = tmp_path / "account.json"
    place.write_text(json.dumps(record))
    return place


def ask(place):
    with contextlib.closing(place), pytest.raises(Missing):
        place.get("foo.pdb/ID/foo.pdb")


def signed_by(request):
    return request.headers.get("Authorization", "").partition("Credential=")[2].partition("/")[0]


def test_a_key_of_its_own_signs(recorder):
    ask(read_s3("s3://bucket/sym", Access(key="AKIAMINE", secret="mine", endpoint=recorder.url, region="eu-west-1")))

    (asked,) = recorder.asked
    assert asked.path == "/bucket/sym/foo.pdb/ID/foo.pdb"
    assert signed_by(asked) == "AKIAMINE"
    assert "/eu-west-1/s3/" in asked.headers["Authorization"]
    assert "X-Amz-Security-Token" not in asked.headers


def test_no_key_at_all_is_unsigned(recorder, monkeypatch):
    ask(read_s3("s3://bucket", Access(key="", endpoint=recorder.url)))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    ask(read_s3("s3://bucket", Access(endpoint=recorder.url)))

    assert [asked.headers.get("Authorization") for asked in recorder.asked] == [None, None]


def test_a_null_key_is_where_boto3_looks(recorder):
    ask(read_s3("s3://bucket", Access(endpoint=recorder.url)))

    assert signed_by(recorder.asked[0]) == "AKIAOFTHESTORE"


def test_a_role_is_taken_on_with_the_key_and_once(recorder):
    place = read_s3("s3://bucket", Access(key="AKIAMINE", secret="mine", role=ROLE, endpoint=recorder.url))
    with pytest.raises(Missing):
        place.get("a")
    ask(place)

    assumed, *asked = recorder.asked
    assert assumed.form["RoleArn"] == [ROLE]
    assert signed_by(assumed) == "AKIAMINE"
    assert [(signed_by(one), one.headers["X-Amz-Security-Token"]) for one in asked] == [("ASIATAKEN", "the-token")] * 2


def test_a_failing_request_is_made_once(recorder):
    place = read_s3("s3://bucket", Access(key="", endpoint="http://127.0.0.1:1"))

    with contextlib.closing(place), pytest.raises(BackendError) as caught:
        place.get("a")

    assert caught.value.transient


def test_a_bucket_is_asked_by_a_proxy(recorder):
    ask(read_s3("s3://bucket", Access(key="", endpoint="http://bucket.example", proxy=recorder.url)))
    ask(read_gcs("gs://bucket", Access(key="", endpoint="http://storage.example", proxy=recorder.url)))

    assert [asked.path.partition("?")[0] for asked in recorder.asked] == [
        "http://bucket.example/bucket/foo.pdb/ID/foo.pdb",
        "http://storage.example/storage/v1/b/bucket/o/foo.pdb%2FID%2Ffoo.pdb",
    ]


def test_a_service_account_signs_for_reading_only(recorder, key_file):
    ask(read_gcs("gs://bucket/sym", Access(service_account=key_file, endpoint=recorder.url)))

    token, asked = recorder.asked
    claims = json.loads(base64.urlsafe_b64decode(token.form["assertion"][0].split(".")[1] + "=="))
    assert claims["iss"] == "reader@project.example"
    assert claims["scope"].endswith("devstorage.read_only")
    assert asked.headers["Authorization"] == "Bearer bearer"
    assert asked.path.startswith("/storage/v1/b/bucket/o/sym%2Ffoo.pdb%2FID%2Ffoo.pdb")


def test_anybody_may_ask_google(recorder):
    ask(read_gcs("gs://bucket", Access(key="", endpoint=recorder.url)))

    assert "Authorization" not in recorder.asked[0].headers


@pytest.mark.parametrize("text", ["", "{}", "no json"])
def test_a_key_file_that_is_none_is_a_wrong_configuration(tmp_path, text):
    place = tmp_path / "account.json"
    place.write_text(text)

    with pytest.raises(UsageError, match="no key file"):
        read_gcs("gs://bucket", Access(service_account=place))
    with pytest.raises(UsageError, match="no key file"):
        read_gcs("gs://bucket", Access(service_account=tmp_path / "absent"))


def test_a_role_without_a_key_and_a_key_without_a_secret_are_wrong_configurations(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)

    with pytest.raises(UsageError, match="needs a key"):
        read_s3("s3://bucket", Access(role=ROLE))
    with pytest.raises(UsageError, match="without its secret"):
        read_s3("s3://bucket", Access(key="AKIAMINE"))


def test_secrets_do_not_show():
    shown = repr(Access(key="AKIAMINE", secret="hidden", proxy="http://me:hidden@proxy"))

    assert "hidden" not in shown


@pytest.mark.parametrize(
    ("cert", "key", "expected"),
    [(None, None, None), ("c.pem", None, "c.pem"), ("c.pem", "k.pem", ("c.pem", "k.pem"))],
)
def test_a_certificate_is_one_file_or_two(cert, key, expected):
    access = Access(client_cert=cert and Path(cert), client_key=key and Path(key))

    assert access.certificate == expected


def test_an_s3_server_is_read(moto_url):
    bucket = moto.new_bucket(moto_url)
    with contextlib.closing(moto.client(moto_url)) as client:
        client.put_object(Bucket=bucket, Key="sym/a", Body=b"symbols")
    place = read_s3(f"s3://{bucket}/sym", Access(key="AKIAMINE", secret="mine", endpoint=moto_url))

    with contextlib.closing(place), contextlib.closing(place.get("a", 3)) as opened:
        assert (opened.stat.size, opened.stream.read()) == (7, b"bols")


@pytest.mark.interop
def test_a_google_server_is_read(gcs_url):
    name = gcs.new_bucket(gcs_url)
    gcs.session().post(f"{gcs_url}/upload/storage/v1/b/{name}/o?uploadType=media&name=sym/a", data=b"symbols")
    place = read_gcs(f"gs://{name}/sym", Access(key="", endpoint=gcs_url))

    with contextlib.closing(place), contextlib.closing(place.get("a", 3)) as opened:
        assert (opened.stat.size, opened.stream.read()) == (7, b"bols")
