"""Every backend in the table keeps every promise."""

import uuid
from functools import partial
from pathlib import Path

import pytest

from symsrv.backends import BACKENDS, open_backend
from tests.backends.contract import BackendContract, Place

NEEDS_A_PEER = {"gs"}
"""Of these no server can be had from pip that keeps what it promises; `make interop` has one."""


class TestContract(BackendContract):
    @pytest.fixture(
        params=[
            pytest.param(scheme, marks=pytest.mark.interop if scheme in NEEDS_A_PEER else ()) for scheme in BACKENDS
        ]
    )
    def place(self, request: pytest.FixtureRequest, tmp_path: Path) -> Place:
        if request.param == "file":
            return partial(open_backend, str(tmp_path / "store"), create=True)
        if request.param == "memory":
            return partial(open_backend, f"memory://{uuid.uuid4().hex}")
        if request.param == "s3":
            bucket = request.getfixturevalue("bucket")
            return partial(open_backend, f"s3://{bucket}/some/prefix")
        if request.param == "gs":
            bucket = request.getfixturevalue("gcs_bucket")
            return partial(open_backend, f"gs://{bucket}/some/prefix")
        raise AssertionError(f"say here how the tests open {request.param}://")
