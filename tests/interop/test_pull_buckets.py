"""Real buckets as upstreams: Ceph's S3 with a key and a secret of its own, moto, and a server of Google's protocol."""

from collections.abc import Callable
from pathlib import Path

import pytest

from symsrv.mirror.base import Absent, FetchError
from symsrv.mirror.settings import Credentials, UpstreamOptions
from symsrv.options import Secret
from tests.interop.pulling import Symbols, fetch
from tests.peers import ceph, gcs, moto

pytestmark = pytest.mark.interop

ABSENT = "absent.pdb/3249D99D0C4049318610F4E4FB0B69361/absent.pdb"
S3 = {"ceph": ceph.CREDENTIALS, "moto": moto.CREDENTIALS}
Place = tuple[str, Credentials, str]


def filled(endpoint: str, known: dict[str, str], symbols: Symbols, *, secret: str) -> tuple[str, Credentials]:
    """A bucket with the store's files, and who may read it; nothing of it is in the environment but the secret."""
    bucket = moto.new_bucket(endpoint, known)
    client = moto.client(endpoint, known)
    for key in (symbols.exe, symbols.pdb, symbols.elf):
        client.put_object(Bucket=bucket, Key=f"some/prefix/{key}", Body=symbols.bytes(key))
    client.close()
    return f"s3://{bucket}/some/prefix", Credentials(
        access_key=known["AWS_ACCESS_KEY_ID"],
        secret_key=Secret(env=secret),
        region=known["AWS_DEFAULT_REGION"],
        endpoint=endpoint,
    )


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind, known in S3.items():
        monkeypatch.setenv(f"{kind.upper()}_SECRET", known["AWS_SECRET_ACCESS_KEY"])
    monkeypatch.setenv("WRONG_SECRET", "not-the-secret")


@pytest.mark.parametrize("kind", ["ceph", "moto"])
def test_a_bucket_with_a_key_and_a_secret(kind, symbols: Symbols, tmp_path: Path, request: pytest.FixtureRequest):
    endpoint = request.getfixturevalue(f"{kind}_url")
    url, credentials = filled(endpoint, S3[kind], symbols, secret=f"{kind.upper()}_SECRET")
    options = UpstreamOptions(name=kind, url=url, credentials=credentials)

    for key in (symbols.exe, symbols.pdb, symbols.elf):
        assert fetch(options, key, tmp_path / "into") == symbols.bytes(key)
    with pytest.raises(Absent):
        fetch(options, ABSENT, tmp_path / "into")


def test_a_wrong_secret_is_told_and_not_shown(ceph_url: str, symbols: Symbols, tmp_path: Path):
    url, credentials = filled(ceph_url, ceph.CREDENTIALS, symbols, secret="WRONG_SECRET")
    options = UpstreamOptions(name="ceph", url=url, credentials=credentials, tries=1)

    with pytest.raises(FetchError) as caught:
        fetch(options, symbols.pdb, tmp_path / "into")

    assert caught.value.reason == "forbidden"
    assert "not-the-secret" not in str(caught.value)


def test_a_bucket_of_google(gcs_url: str, symbols: Symbols, tmp_path: Path, peer: Callable[..., str]):
    with gcs.environment(gcs_url):
        bucket = gcs.new_bucket(gcs_url)
        for key in (symbols.exe, symbols.pdb, symbols.elf):
            gcs.put(gcs_url, bucket, name=f"some/prefix/{key}", data=symbols.bytes(key))
        options = UpstreamOptions(name="google", url=f"gs://{bucket}/some/prefix")

        for key in (symbols.exe, symbols.pdb, symbols.elf):
            assert fetch(options, key, tmp_path / "into") == symbols.bytes(key)
        with pytest.raises(Absent):
            fetch(options, ABSENT, tmp_path / "into")
