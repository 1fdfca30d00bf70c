"""A store for verbs that need one."""

import pytest

from symsrv.ledger.state import open_state
from symsrv.store import open_store


@pytest.fixture
def stored(tmp_path, monkeypatch):
    """An empty store, named by the environment; gives the URL of the state that belongs to it."""
    url = f"sqlite:///{tmp_path}/state.sqlite"
    open_store(str(tmp_path / "store"), create=True, state=tmp_path / "state").close()
    monkeypatch.setenv("SYMSRV_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("SYMSRV_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("SYMSRV_DATABASE", url)
    monkeypatch.chdir(tmp_path)
    return url


@pytest.fixture
def state(stored):
    """The state that the verbs see."""
    state = open_state(stored)
    yield state
    state.close()
