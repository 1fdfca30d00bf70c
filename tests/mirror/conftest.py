"""A store and a state of the test's own."""

import pytest

from symsrv.ingest.publish import publish
from symsrv.ingest.sources import Source
from symsrv.ledger.state import open_state
from symsrv.store import open_store


@pytest.fixture
def store(tmp_path):
    store = open_store(str(tmp_path / "store"), create=True, state=tmp_path / "index")
    yield store
    store.close()


@pytest.fixture
def state(tmp_path):
    state = open_state(f"sqlite:///{tmp_path}/state.sqlite")
    yield state
    state.close()


@pytest.fixture
def add(store, tmp_path):
    """Publishes files, by their own names or another one: `add(path, (other, "name"))`."""

    def publish_all(*files, **options):
        sources = []
        for one in files:
            path, name = one if isinstance(one, tuple) else (one, one.name)
            sources.append(Source(path, name, name=name))
        receipt = publish(store, sources, **options)
        assert not receipt.failed, receipt.results
        store.catch_up()
        return receipt

    return publish_all
