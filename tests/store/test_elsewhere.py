"""The store's small door to other people's buckets."""

import contextlib

import pytest

from symsrv.model.errors import UsageError
from symsrv.store import Access, open_place


@pytest.mark.parametrize("url", ["s3://bucket/sym", "gs://bucket/sym", "S3://bucket/sym"])
def test_a_bucket_opens_without_a_request(url):
    with contextlib.closing(open_place(url, Access(key="", endpoint="http://127.0.0.1:1"))) as place:
        assert place.url.lower() == url.lower()


@pytest.mark.parametrize("url", ["https://symbols.example/", "", "folder", "memory://a", "s3://"])
def test_nothing_else_does(url):
    with pytest.raises(UsageError, match=r"bucket"):
        open_place(url)
