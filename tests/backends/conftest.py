"""Servers for the tests of buckets, each started once."""

import tempfile
from collections.abc import Iterator

import pytest

pytest.register_assert_rewrite("tests.backends.contract")

from tests.peers import gcs, moto  # noqa: E402


@pytest.fixture(autouse=True)
def _own_temp(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A temporary folder of each test's own: sweeping a bucket also takes old spools of this machine from there."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path_factory.mktemp("temp")))


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    with moto.moto_server() as url:
        yield url


@pytest.fixture
def bucket(moto_url: str) -> Iterator[str]:
    """A new bucket, and an environment in which boto3 finds it."""
    with moto.environment(moto_url):
        yield moto.new_bucket(moto_url)


@pytest.fixture(scope="session")
def gcs_url() -> Iterator[str]:
    with gcs.gcs_server() as url:
        yield url


@pytest.fixture
def gcs_bucket(gcs_url: str) -> Iterator[str]:
    """A new bucket, and an environment in which Google's library finds it."""
    with gcs.environment(gcs_url):
        yield gcs.new_bucket(gcs_url)
