"""The contract over a real S3 server, Ceph's: real signatures, real create-only puts, no condition on multipart."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from symsrv.backends import open_backend
from symsrv.backends.objects import ObjectBackend
from symsrv.backends.s3 import S3Objects
from symsrv.model.errors import AlreadyThere, BackendError
from tests.backends.contract import BackendContract, Place, file
from tests.peers import ceph, moto

pytestmark = pytest.mark.interop


@pytest.fixture
def bucket(ceph_url: str) -> Iterator[str]:
    with moto.environment(ceph_url, ceph.CREDENTIALS):
        yield moto.new_bucket(ceph_url, ceph.CREDENTIALS)


class TestCeph(BackendContract):
    @pytest.fixture
    def place(self, bucket: str) -> Place:
        return partial(open_backend, f"s3://{bucket}/some/prefix")


def test_a_large_file_is_placed_once(bucket: str, tmp_path: Path):
    backend = ObjectBackend(S3Objects(bucket), single_put_bytes=1 << 20)
    staged = backend.stage(file(tmp_path, b"x" * (40 << 20)))
    again = backend.stage(file(tmp_path, b"y" * (2 << 20)))

    stat = backend.place(staged, "big/1/big")

    assert stat.size == 40 << 20
    assert stat.sha256 == staged.sha256
    assert backend.read("big/1/big", last=3) == b"xxx"
    with pytest.raises(AlreadyThere):
        backend.place(again, "big/1/big")
    backend.discard(again)
    assert list(backend.walk(".symsrv")) == []
    backend.close()


def test_a_wrong_secret_is_no_access(ceph_url: str, bucket: str):
    wrong = {**ceph.CREDENTIALS, "AWS_SECRET_ACCESS_KEY": "wrong"}

    with moto.environment(ceph_url, wrong):
        backend = open_backend(f"s3://{bucket}")
        with pytest.raises(BackendError) as caught:
            backend.stat("a/1/a")
        backend.close()

    assert caught.value.reason == "no-access"
