"""A moto server for the tests of S3, started once."""

from collections.abc import Iterator

import pytest

pytest.register_assert_rewrite("tests.backends.contract")

from tests.peers import moto  # noqa: E402


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    with moto.moto_server() as url:
        yield url


@pytest.fixture
def bucket(moto_url: str) -> Iterator[str]:
    """A new bucket, and an environment in which boto3 finds it."""
    with moto.environment(moto_url):
        yield moto.new_bucket(moto_url)
