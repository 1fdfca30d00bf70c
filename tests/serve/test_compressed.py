"""Files that are kept compressed, by us or by symstore.exe, under their plain and their packed names."""

import hashlib
import logging
import threading
import uuid
from dataclasses import replace
from pathlib import Path

import pytest

from symsrv.packing import write_cab
from symsrv.serve import create_app
from symsrv.store import copies, open_store
from tests.crash.publishing import draft, image
from tests.made.cab_builder import LZX, LzxPacker, cab_of
from tests.made.elf_builder import Part, build_elf
from tests.made.pdb_builder import build_pdb
from tests.serve.site import HEX, LINES, PDB, Site, publish

KEY = "a.dll/5AB380779000/a.dll"
PACKED = KEY[:-1] + "_"
DATA_SIZE = 900_000


@pytest.fixture
def kept(site, tmp_path):
    """A site with one compressed file of some size, and its bytes."""
    path = image(tmp_path, "a.dll", payload=b"0123456789" * (DATA_SIZE // 10))
    site.store.commit(replace(draft(site.store, path), compress=True))
    return site, path.read_bytes()


def lay(site: Site, home: str, cabinet: bytes) -> None:
    target = site.root / home
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(cabinet)


def cabinet(folder: Path, data: bytes, name: str = "foo.pdb") -> bytes:
    (folder / "plain").write_bytes(data)
    write_cab(folder / "plain", folder / "cab", name=name)
    return (folder / "cab").read_bytes()


@pytest.mark.parametrize("path", [KEY, KEY.upper(), f"a./{KEY}"])
def test_the_plain_name_gives_the_plain_bytes(kept, path):
    site, data = kept

    answers = [site.get(f"/{path}") for _ in range(3)]

    for answer in answers:
        assert (answer.status, answer.body) == (200, data)
        assert answer.headers["content-length"] == str(len(data))
        assert answer.headers["etag"] == f'"{hashlib.sha256(data).hexdigest()}"'
        assert answer.headers["last-modified"] == answers[0].headers["last-modified"]


def test_the_packed_name_gives_the_cabinet(kept):
    site, _ = kept
    stored = (site.root / PACKED).read_bytes()

    assert site.get(f"/{PACKED}").body == stored
    assert site.get(f"/{PACKED.upper()}").body == stored


def test_ranges_conditions_and_head(kept):
    site, data = kept
    whole = site.get(f"/{KEY}")
    etag = whole.headers["etag"]

    assert site.get(f"/{KEY}", {"Range": "bytes=400000-400099"}).body == data[400000:400100]
    assert site.get(f"/{KEY}", {"Range": "bytes=5-", "If-Range": etag}).body == data[5:]
    assert site.get(f"/{KEY}", {"If-None-Match": etag}).status == 304
    assert site.get(f"/{KEY}", {"Range": f"bytes={len(data)}-"}).status == 416
    head = site.get(f"/{KEY}", method="HEAD")
    assert (head.status, head.headers, head.body) == (200, whole.headers, b"")


def test_the_plain_file_is_given_where_both_lie(kept):
    site, _ = kept
    (site.root / KEY).write_bytes(b"plain all the same")
    site.store.reindex()

    assert site.get(f"/{KEY}").body == b"plain all the same"


@pytest.mark.parametrize("home", [PDB[:-1] + "_", PDB[:-1].upper() + "_", "fo/" + PDB[:-1].lower() + "_"])
@pytest.mark.parametrize("known", [False, True], ids=["never indexed", "indexed"])
def test_a_folder_of_symstore_without_any_record(site, tmp_path, home, known):
    data = build_pdb()
    lay(site, home, cabinet(tmp_path, data))
    if known:
        site.store.reindex()

    assert site.get(f"/{PDB}").body == data
    assert site.get(f"/{PDB.lower()}").body == data
    assert site.get(f"/{PDB[:-1]}_").body == (site.root / home).read_bytes()


def test_lzx_as_symstore_writes_it(site):
    data = build_pdb()
    lay(site, PDB[:-1] + "_", cab_of({"foo.pdb": data}, lambda plain: LzxPacker(21)(plain), LZX | 21 << 8))

    assert site.get(f"/{PDB}").body == data


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_damaged_file_is_a_miss_with_a_reason_and_told_once(kept, caplog, method):
    site, _ = kept
    stored = bytearray((site.root / PACKED).read_bytes())
    stored[-1] ^= 1
    (site.root / PACKED).write_bytes(stored)

    with caplog.at_level(logging.WARNING):
        answers = [site.get(f"/{KEY}", method=method) for _ in range(3)]

    assert [(one.status, one.reason) for one in answers] == [(404, "damaged")] * 3
    assert [record.message for record in caplog.records] == ["cannot unpack a stored file"]
    assert not [path for path in (site.folder / "state").rglob("*") if ".copies/" in path.as_posix()]


def test_a_mended_file_is_answered_again(kept, tmp_path):
    site, data = kept
    (site.root / PACKED).write_bytes(b"MSCF")
    assert site.get(f"/{KEY}").status == 404

    (site.root / PACKED).write_bytes(cabinet(tmp_path, data, "a.dll"))

    assert site.get(f"/{KEY}").body == data


def test_unpacking_is_never_done_in_the_loop(kept, monkeypatch):
    site, _ = kept
    threads, inner = [], copies.unpacked
    monkeypatch.setattr(copies, "unpacked", lambda *more: threads.append(threading.current_thread()) or inner(*more))

    site.get(f"/{KEY}")

    assert [one.name.startswith("symsrv-cpu") for one in threads] == [True]


def test_at_once_leaves_it_to_a_thread(kept):
    site, _ = kept

    assert site.app.at_once(f"/{KEY}".encode()) is None


def test_debuginfod_and_sections_of_a_compressed_elf(site, tmp_path):
    data = build_elf((Part(".debug_info", b"i" * 64), Part(".debug_line", LINES)))
    path = tmp_path / "app.debug"
    path.write_bytes(data)
    site.store.commit(replace(draft(site.store, path), compress=True))

    whole, line = site.get(f"/buildid/{HEX}/debuginfo"), site.get(f"/buildid/{HEX}/section/.debug_line")

    assert whole.body == data
    assert whole.headers["x-debuginfod-size"] == str(len(data))
    assert line.body == LINES
    assert site.get(f"/buildid/{HEX}/section/.debug_line", {"If-None-Match": line.headers["etag"]}).status == 304
    assert site.get(f"/buildid/{HEX}/section/.debug_line").body == LINES


def test_from_a_bucket(site, tmp_path):
    store = open_store(f"memory://{uuid.uuid4().hex}", create=True, state=tmp_path / "state")
    app = create_app(store)
    path = image(tmp_path, "a.dll", payload=b"x" * DATA_SIZE)
    store.commit(replace(draft(store, path), compress=True))
    try:
        for _ in range(2):
            assert site.get(f"/{KEY}", app=app).body == path.read_bytes()
        assert site.get(f"/{PACKED}", app=app).body[:4] == b"MSCF"
        assert site.get(f"/{KEY}", {"Range": "bytes=9-12"}, app=app).body == path.read_bytes()[9:13]
    finally:
        app.close()
        store.close()


def test_plain_files_are_answered_without_another_look(site, monkeypatch):
    publish(site.store, site.folder / "build", ("foo.pdb", build_pdb()))
    site.get(f"/{PDB}")
    looks, inner = [], site.store._backend.stat
    monkeypatch.setattr(site.store._backend, "stat", lambda path: looks.append(path) or inner(path))

    assert site.get(f"/{PDB}").status == 200

    assert looks == []
