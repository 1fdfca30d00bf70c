"""What one recorded answer cannot show: large files, races for one home, paging, over fake-gcs-server."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from symsrv.backends import open_backend
from symsrv.backends.base import INCOMING
from symsrv.model.errors import AlreadyThere, NoStore
from tests.backends.contract import HOME, file
from tests.peers import gcs

pytestmark = pytest.mark.interop


@pytest.fixture
def bucket(gcs_url: str) -> Iterator[str]:
    with gcs.environment(gcs_url):
        yield gcs.new_bucket(gcs_url)


def test_of_racing_large_files_one_wins(bucket: str, tmp_path: Path):
    backend = open_backend(f"gs://{bucket}/some/prefix")
    sources = [file(tmp_path, bytes([at]) * (20 << 20), f"{at}.bin") for at in range(4)]
    staged = [backend.stage(source) for source in sources]

    def race(at: int) -> int | None:
        try:
            stat = backend.place(staged[at], HOME)
        except AlreadyThere:
            return None
        assert (stat.size, stat.sha256) == (20 << 20, staged[at].sha256)
        return at

    with ThreadPoolExecutor(4) as pool:
        winners = [at for at in pool.map(race, range(4)) if at is not None]

    assert len(winners) == 1
    assert backend.read(HOME, last=3) == bytes(winners) * 3
    assert list(backend.walk(INCOMING)) == []
    backend.close()


def test_listing_goes_on_after_a_thousand(bucket: str):
    backend = open_backend(f"gs://{bucket}")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: backend.create(f".symsrv/transactions/{number:010}", b""), range(1005)))
    backend.create("a.pdb/1/a.pdb", b"")

    assert len(list(backend.walk(".symsrv"))) == 1005
    assert [found.path for found in backend.walk()] == ["a.pdb/1/a.pdb"]
    backend.close()


def test_a_bucket_that_is_not_there_is_no_store(gcs_url: str):
    with gcs.environment(gcs_url):
        backend = open_backend("gs://nonesuch/prefix")

        assert backend.stat("a/1/a") is None
        for deed in (lambda: backend.create("a", b""), lambda: list(backend.walk())):
            with pytest.raises(NoStore):
                deed()
        backend.close()
