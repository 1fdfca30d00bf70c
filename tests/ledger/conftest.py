"""An index in SQLite and one in PostgreSQL: every test that asks for a database gets both."""

import itertools
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import psycopg
import pytest

from symsrv.ledger.index import Index

_OPTIONS = "-c listen_addresses=127.0.0.1 -p {port} -k {folder} -c fsync=off -c full_page_writes=off"


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """A throw-away cluster of Debian's PostgreSQL, started once."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not folders:
        reason = "no PostgreSQL in /usr/lib/postgresql (apt install postgresql)"
        if os.environ.get("CI") == "true" and os.environ.get("SYMSRV_PEERS") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    binaries = folders[-1].parent
    folder = Path(tempfile.mkdtemp(prefix="symsrv-pg-", dir="/tmp"))
    # PostgreSQL refuses to run as root.
    user = "postgres" if os.geteuid() == 0 else None
    if user is not None:
        shutil.chown(folder, user)
    port = _free_port()
    data = folder / "data"
    try:
        _as(user, [binaries / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8"])
        start = [binaries / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o"]
        _as(user, [*start, _OPTIONS.format(port=port, folder=folder), "start"])
        try:
            yield f"postgresql://postgres@127.0.0.1:{port}"
        finally:
            _as(user, [binaries / "pg_ctl", "-D", data, "-m", "immediate", "stop"])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _as(user: str | None, command: Sequence[object]) -> None:
    words = [str(word) for word in command]
    groups = None if user is None else []
    subprocess.run(words, check=True, capture_output=True, cwd="/", user=user, group=user, extra_groups=groups)


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


_numbers = itertools.count(1)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database that is empty, or not there yet; on PostgreSQL a schema, which costs less."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/state/index.sqlite"
    server = request.getfixturevalue("postgresql")
    schema = f"test_{next(_numbers)}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}")
    return f"{server}/postgres?options=-csearch_path%3D{schema}"


@pytest.fixture
def index(url: str) -> Iterator[Index]:
    one = Index(url)
    yield one
    one.close()
