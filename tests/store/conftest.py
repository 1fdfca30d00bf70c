"""Real stores to test on: a folder, a bucket in memory, and a bucket behind moto."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from symsrv.backends.base import Backend
from symsrv.store import SymbolStore, open_store
from tests.peers import moto

Opening = Callable[..., SymbolStore]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opening]:
    """Opens the store at a URL (by default one folder), made if there is none; closed at the end."""
    stores = []

    def open_it(url: object = None, *, state: str = "state", create: bool = True, **options) -> SymbolStore:
        store = open_store(str(url or tmp_path / "store"), create=create, state=tmp_path / state, **options)
        stores.append(store)
        return store

    yield open_it
    for store in stores:
        store.close()


@pytest.fixture
def over() -> Iterator[Callable[[Backend], SymbolStore]]:
    """A store over a backend of the test's own making."""
    stores = []

    def open_it(backend: Backend) -> SymbolStore:
        stores.append(SymbolStore(backend, index_url="sqlite://", lock_seconds=5))
        return stores[-1]

    yield open_it
    for store in stores:
        store.close()


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    pytest.importorskip("moto")
    with moto.moto_server() as endpoint:
        yield endpoint


@pytest.fixture(params=["memory", "s3"])
def bucket(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a bucket nobody has used."""
    if request.param == "memory":
        yield f"memory://{uuid.uuid4().hex}"
        return
    endpoint = request.getfixturevalue("s3")
    with moto.environment(endpoint):
        yield f"s3://{moto.new_bucket(endpoint)}/symbols"


@pytest.fixture(params=["disk", "memory", "s3"])
def anywhere(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a store of each kind."""
    if request.param == "disk":
        yield str(tmp_path / "store")
    elif request.param == "memory":
        yield f"memory://{uuid.uuid4().hex}"
    else:
        endpoint = request.getfixturevalue("s3")
        with moto.environment(endpoint):
            yield f"s3://{moto.new_bucket(endpoint)}/symbols"
