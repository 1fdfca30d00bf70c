"""One site with the standard files for all tests that only read, and a fresh one for those that change it."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.serve.site import Site, standard_files


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("shared-site"))
    site.publish(*standard_files())
    yield site
    site.close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    one = Site(tmp_path)
    yield one
    one.close()


@pytest.fixture
def descriptors() -> Callable[[], int]:
    """How many descriptors this process has open, without the index's own; skips where nobody can say."""
    place = Path("/proc/self/fd")
    if not place.is_dir():
        pytest.skip("no /proc here")

    def count() -> int:
        found = 0
        for one in place.iterdir():
            with contextlib.suppress(FileNotFoundError):  # the one by which we list
                found += ".sqlite" not in str(one.readlink())
        return found

    return count
