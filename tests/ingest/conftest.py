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
