"""A store and a state of the test's own."""

import pytest

from symsrv.ingest.publish import publish
from symsrv.ingest.sources import Source
from symsrv.ledger.state import open_state
from symsrv.store import open_store
from tests.mirror.receivers import Receiver


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


@pytest.fixture
def receiver():
    """Starts a receiver on loopback, which answers as it is told: `url, receiver = receiver(answer)`."""
    started = []

    def start(answer=None):
        one = Receiver() if answer is None else Receiver(answer)
        started.append(one)
        return one.start(), one

    yield start
    for one in started:
        one.close()
