"""An archive of gigabytes that no compressor makes smaller goes into a store with little memory, byte by byte right.

`BIG_ARCHIVE_GIB=1 pytest -m prove tests/prove/test_big_archive.py` for another size.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile

import pytest
import zstandard

from tests.made.elf_builder import TEXT, build_elf, note
from tests.made.pe_builder import Entry, build_pe, rsds

pytestmark = pytest.mark.skipif(os.name == "nt", reason="wait4, which tells a process's memory, is POSIX's")

MIB = 1 << 20
MEMORY_LIMIT_BYTES = 200 * MIB
SHARES = (1 / 2, 1 / 8, 1 / 8, 1 / 8, 1 / 8)
ROOM = 3  # the archive, the store, and the members that are unpacked

big = pytest.mark.parametrize(
    "mebibytes",
    [
        pytest.param(256, marks=pytest.mark.interop, id="some"),
        pytest.param(int(float(os.environ.get("BIG_ARCHIVE_GIB", "10")) * 1024), marks=pytest.mark.prove, id="all"),
    ],
)

# A process's peak begins with that of the one which started it (Linux keeps it across exec), so a small one does.
LAUNCHER = """\
import os, subprocess, sys
_, status, used = os.wait4(subprocess.Popen(sys.argv[1:]).pid, 0)
print(used.ru_maxrss, file=sys.stderr)
sys.exit(os.waitstatus_to_exitcode(status))
"""


class Member:
    """A debug file of any size: a head that is identified, random bytes behind it. Read once, and hashed meanwhile."""

    def __init__(self, number, size):
        exe = build_pe([Entry(rsds())], stamp=0x50000000 + number)
        self.name = f"out/{number}.{'so' if number % 2 else 'exe'}"
        self.size = size
        self.hash = hashlib.sha256()
        self._head = build_elf((TEXT,), notes=note(bytes([number]) * 20)) if number % 2 else exe
        self._left = size

    def read(self, count):
        head, self._head = self._head[:count], self._head[count:]
        data = head + os.urandom(min(count, self._left) - len(head))
        self._left -= len(data)
        self.hash.update(data)
        return data


def write_zip(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for one in members:
            info = zipfile.ZipInfo(one.name)
            info.file_size = one.size
            with archive.open(info, "w", force_zip64=True) as stream:
                shutil.copyfileobj(one, stream, MIB)


def write_tar(path, members):
    with (
        path.open("wb") as file,
        zstandard.ZstdCompressor().stream_writer(file) as stream,
        tarfile.open(fileobj=stream, mode="w|", copybufsize=MIB) as archive,
    ):
        for one in members:
            info = tarfile.TarInfo(one.name)
            info.size = one.size
            archive.addfile(info, one)


WRITERS = {"zip": write_zip, "tar.zst": write_tar}


@big
@pytest.mark.parametrize("kind", WRITERS)
def test_a_big_archive_is_added_in_little_memory(tmp_path, kind, mebibytes):
    size, free = mebibytes * MIB, shutil.disk_usage(tmp_path).free
    if free < ROOM * size:
        pytest.skip(f"an archive of {size / (MIB << 10):g} GiB needs {ROOM} times as much room, {tmp_path} has {free}")
    archive, store, spool = tmp_path / f"big.{kind}", tmp_path / "store", tmp_path / "spool"
    spool.mkdir()
    try:
        members = [Member(number, int(size * share)) for number, share in enumerate(SHARES)]
        WRITERS[kind](archive, members)
        assert archive.stat().st_size >= size

        done, peak_bytes = add(archive, store, spool)

        assert done.returncode == 0, done.stderr
        assert [json.loads(line)["status"] for line in done.stdout.splitlines()[:-1]] == ["stored"] * len(members)
        assert stored(store) == {one.hash.hexdigest() for one in members}
        assert list(spool.iterdir()) == []
        print(f"{kind} of {mebibytes} MiB: {peak_bytes / MIB:.0f} MiB at the most")
        assert peak_bytes < MEMORY_LIMIT_BYTES
    finally:
        for path in (store, spool):
            shutil.rmtree(path, ignore_errors=True)
        archive.unlink(missing_ok=True)


def add(archive, store, spool):
    """`symsrv add` as a process of its own: how it ended, and the most memory that it had."""
    command = [sys.executable, "-m", "symsrv", "add", archive, "--store", store, "--json"]
    environment = {**os.environ, "TMPDIR": str(spool)}
    launched = [sys.executable, "-S", "-c", LAUNCHER, *map(str, command)]
    done = subprocess.run(launched, env=environment, capture_output=True, text=True, check=False)
    unit = 1 if sys.platform == "darwin" else 1024
    return done, int(done.stderr.split()[-1]) * unit


def stored(store):
    """The hashes of the stored files, wherever they lie."""
    found = set()
    for path in (*store.rglob("*.exe"), *store.rglob("*.so")):
        if path.is_file():
            with path.open("rb") as file:
                found.add(hashlib.file_digest(file, "sha256").hexdigest())
    return found
