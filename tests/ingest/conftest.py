import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ingest.files import Place, place


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Place]:
    """A store on the disk."""
    made = place(tmp_path / "store")
    yield made
    made.store.close()


@pytest.fixture
def spools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where archives are unpacked in this test: a folder in which nothing else is."""
    folder = tmp_path / "spools"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder
