"""From a route to an answer: what is remembered, and that it is right."""

import json
import os
import threading
import time
import uuid

import pytest

from symsrv.serve import create_app
from symsrv.serve.answer import File, Miss, Reason
from symsrv.serve.finds import Finds
from symsrv.serve.hashes import Hashes
from symsrv.serve.pools import Pools
from symsrv.serve.routes import route
from symsrv.store import open_store
from tests.made.pdb_builder import build_pdb
from tests.made.pe_builder import build_pe
from tests.serve.site import BIG, BIG_BYTES, EXE, HEX, LINES, PDB, Site, publish, standard_files


@pytest.mark.parametrize("spelled", [PDB, PDB.upper(), "fo/" + PDB, PDB.replace("foo.pdb", "f+o.pdb")])
@pytest.mark.parametrize("there_before", ["", "foo.pdb", "FOO.PDB", PDB.rpartition("/")[0]])
def test_a_miss_that_is_remembered_ends_when_the_file_appears(site, spelled, there_before):
    raw = b"/" + spelled.encode()
    home = (spelled if "+" not in spelled else PDB.replace("foo.pdb", "f o.pdb")).removeprefix("fo/")
    if there_before:
        (site.root / there_before).mkdir(parents=True)
    old = time.time() - 100
    for folder in (site.root, *site.root.rglob("*")):
        if folder.is_dir():
            os.utime(folder, (old, old))

    assert [site.app.at_once(raw)[0] for _ in range(4)] == [404] * 4
    assert site.app._finds._missed[raw][1].holds()
    (site.root / home).parent.mkdir(parents=True, exist_ok=True)
    assert site.app.at_once(raw)[0] == 404
    (site.root / home).write_bytes(b"copied in by hand")

    assert site.get(raw).body == b"copied in by hand"
    assert (site.app.at_once(raw) or (200,))[0] == 200


def test_a_miss_among_folders_that_change_is_not_remembered(site):
    raw = b"/" + PDB.encode()
    (site.root / "foo.pdb").mkdir()

    assert [site.app.at_once(raw)[0] for _ in range(4)] == [404] * 4
    assert site.app._finds._missed[raw][1] is None


@pytest.fixture
def finds(site):
    pools = Pools()
    yield Finds(site.store, Hashes(site.store, pools), remembered=3)
    pools.close()


def remembered(finds, raw):
    prepared = finds.prepare(route(raw), "GET", None)
    prepared.close()
    finds.remember(raw, prepared.found, 1)


def test_what_is_remembered_is_opened_anew_and_bounded(site, finds):
    site.publish(("foo.pdb", build_pdb()))
    site.store.catch_up()
    raws = [b"/" + PDB.encode(), b"/" + PDB.lower().encode(), b"//" + PDB.encode(), b"/" + PDB.upper().encode()]

    for raw in raws:
        remembered(finds, raw)

    assert finds.known(raws[0], 1) is None
    for raw in raws[1:]:
        opened, found = finds.known(raw, 1)
        assert opened.stream.read() == (site.root / PDB).read_bytes()
        assert found.facts.tag is not None
        opened.close()
    assert finds.known(raws[1], 2) is None, "the store has changed"
    assert finds.known(raws[1], 1) is None, "and it was forgotten"


def test_what_is_remembered_is_forgotten_with_its_file(site, finds, descriptors):
    site.publish(("foo.pdb", build_pdb()))
    raw = b"/" + PDB.encode()
    before = descriptors()

    remembered(finds, raw)
    (site.root / PDB).write_bytes(b"other")
    assert finds.known(raw, 1) is None
    remembered(finds, raw)
    (site.root / PDB).unlink()
    assert finds.known(raw, 1) is None

    assert descriptors() == before


def test_misses_are_bounded(finds):
    for number in range(9):
        assert finds.misses(b"/a%d.exe/0A1B2C3D3000/a%d.exe" % (number, number), route(b"/a.exe/0A1B2C3D3000/a.exe"), 1)

    assert len(finds._missed) == 3


@pytest.fixture
def bucket(tmp_path):
    with_files = open_store(f"memory://{uuid.uuid4().hex}", create=True, index_url="sqlite://")
    publish(with_files, tmp_path / "build", *standard_files())
    with_files.catch_up()
    yield with_files
    with_files.close()


@pytest.mark.parametrize(
    ("headers", "status", "body"),
    [
        ({}, 200, LINES),
        ({"Range": "bytes=3-12"}, 206, LINES[3:13]),
        ({"Range": "bytes=9999-"}, 416, b""),
        ({"If-None-Match": "*"}, 304, b""),
        ({"X-Debuginfod-Maxsize": "1"}, 406, None),
    ],
)
def test_sections_in_a_bucket(site, bucket, headers, status, body):
    app = create_app(bucket)

    answer = site.get(f"/buildid/{HEX}/section/.debug_line", headers, app=app)

    assert answer.status == status
    if body is not None:
        assert answer.body == body
    app.close()


def test_of_a_bucket_only_the_span_that_is_asked_for_is_opened(bucket):
    pools = Pools()
    finds = Finds(bucket, Hashes(bucket, pools))

    part = finds.prepare(route(b"/" + BIG.encode()), "GET", {b"range": b"bytes=100-109"})
    head = finds.prepare(route(b"/" + BIG.encode()), "HEAD", None)

    assert isinstance(part.answer, File)
    assert part.positioned
    assert len(part.opened.stream.read()) == 10
    assert head.opened is None
    assert dict(head.answer.headers)[b"content-length"] == b"%d" % BIG_BYTES
    part.close()
    pools.close()


def test_an_object_that_goes_while_it_is_found_is_a_miss(bucket):
    pools = Pools()
    finds = Finds(bucket, Hashes(bucket, pools))
    bucket._backend.delete(PDB)

    assert finds.prepare(route(b"/" + PDB.encode()), "GET", None).answer == Miss(Reason.NOT_FOUND)
    assert finds.prepare(route(b"/" + PDB.encode()), "HEAD", None).answer == Miss(Reason.NOT_FOUND)
    pools.close()


def test_an_object_that_goes_after_its_section_was_found_is_a_miss(bucket, monkeypatch):
    pools = Pools()
    finds = Finds(bucket, Hashes(bucket, pools))
    real = bucket.open

    def open_after_it_went(file, start=0, length=None):
        if length == len(LINES):
            bucket._backend.delete(file.home)
        return real(file, start, length)

    monkeypatch.setattr(bucket, "open", open_after_it_went)

    answer = finds.prepare(route(f"/buildid/{HEX}/section/.debug_line".encode()), "GET", None).answer

    assert answer == Miss(Reason.NO_SECTION)
    pools.close()


POINTER = f"{PDB.rpartition('/')[0]}/file.ptr"


@pytest.fixture
def pointed(tmp_path):
    """A site with one pointer to a file below an allowed folder; the text may be changed, and so may the file."""
    (tmp_path / "out").mkdir()
    target = tmp_path / "out" / "foo.pdb"
    target.write_bytes(build_pdb())
    one = Site(tmp_path, pointer_roots=[tmp_path / "out"])
    pointer = one.root / POINTER
    pointer.parent.mkdir(parents=True)
    pointer.write_text(f"PATH:{target}")
    yield one, pointer, target
    one.close()


@pytest.mark.parametrize("path", [PDB, PDB.lower(), f"fo/{PDB}"])
def test_a_pointer_is_answered_with_its_target(pointed, path, descriptors):
    site, _, target = pointed
    data, before = target.read_bytes(), descriptors()

    answers = [site.get(f"/{path}") for _ in range(3)]

    assert [(one.status, one.body) for one in answers] == [(200, data)] * 3
    assert answers[0].headers["content-length"] == str(len(data))
    assert site.app.at_once(f"/{path}".encode()) is None
    part = site.get(f"/{path}", {"Range": "bytes=5-9"})
    assert (part.status, part.body) == (206, data[5:10])
    head = site.get(f"/{path}", method="HEAD")
    assert (head.status, head.body, head.headers) == (200, b"", answers[0].headers)
    assert site.get(f"/{path}", {"If-Modified-Since": head.headers["last-modified"]}).status == 304
    assert descriptors() == before


def test_a_big_target_is_sent_in_pieces(pointed):
    site, _, target = pointed
    target.write_bytes(build_pdb() + bytes(BIG_BYTES))

    assert site.get(f"/{PDB}").body == target.read_bytes()
    assert site.get(f"/{PDB}", {"Range": "bytes=9-700000"}).body == target.read_bytes()[9:700001]


def test_a_pointer_that_may_not_be_followed_is_a_miss_with_its_reason(pointed, descriptors):
    site, pointer, target = pointed
    before = descriptors()
    outside = site.folder / "secret.pdb"
    outside.write_bytes(target.read_bytes())

    def reason(text):
        pointer.write_text(text)
        answers = [site.get(f"/{PDB}") for _ in range(2)]
        assert [one.status for one in answers] == [404, 404]
        return answers[1].reason

    assert reason(f"PATH:{outside}") == "pointer-refused"
    assert reason("MSG:ask Mary") == "pointer-refused"
    assert reason(f"PATH:{target}x") == "pointer-broken"
    assert reason("") == "pointer-broken"
    target.write_bytes(b"other bytes")
    assert reason(f"PATH:{target}") == "pointer-refused"
    target.write_bytes(build_pdb())
    assert site.get(f"/{PDB}").body == target.read_bytes()
    assert site.get(f"/{PDB[:-1]}_").reason == "not-found"
    assert site.get(f"/{POINTER}").reason == "hidden"
    pointer.write_text("MSG:ask Mary")
    answer = site.get(f"/{PDB}", {"Accept": "application/json"})
    assert json.loads(answer.body)["why"]["reason"] == "pointer"
    assert descriptors() == before


def test_a_file_goes_before_a_pointer_and_is_seen_when_it_comes(pointed):
    site, _, _ = pointed
    assert site.get(f"/{PDB}").status == 200

    (site.root / PDB).write_bytes(b"copied in by hand")

    assert site.get(f"/{PDB}").body == b"copied in by hand"


def test_a_remembered_miss_ends_when_a_pointer_appears(pointed):
    site, pointer, target = pointed
    text = pointer.read_text()
    pointer.unlink()
    old = time.time() - 100
    for folder in (site.root, *site.root.rglob("*")):
        os.utime(folder, (old, old))
    raw = f"/{PDB}".encode()
    assert [site.app.at_once(raw)[0] for _ in range(4)] == [404] * 4
    assert site.app._finds._missed[raw][1].holds()

    pointer.write_text(text)

    assert site.get(raw).body == target.read_bytes()


def test_without_allowed_folders_pointers_are_not_even_looked_for(site, monkeypatch):
    (site.root / POINTER).parent.mkdir(parents=True)
    (site.root / POINTER).write_text("PATH:/etc/passwd")
    monkeypatch.setattr(site.store, "pointer", lambda ask: pytest.fail("looked for a pointer"))

    assert site.app.at_once(f"/{PDB}".encode())[0] == 404
    assert site.get(f"/{PDB}").reason == "not-found"


def test_a_hit_does_not_look_for_a_pointer(pointed, monkeypatch):
    site, _, _ = pointed
    site.publish(("app.exe", build_pe()))
    monkeypatch.setattr(site.store, "pointer", lambda ask: pytest.fail("looked for a pointer"))

    assert [site.get(f"/{EXE}").status for _ in range(3)] == [200] * 3


def test_a_pointer_is_never_followed_in_the_loop(pointed, monkeypatch):
    site, _, _ = pointed
    threads, inner = [], site.store.open_pointed
    monkeypatch.setattr(
        site.store, "open_pointed", lambda lead: threads.append(threading.current_thread().name) or inner(lead)
    )

    site.get(f"/{PDB}")

    assert [name.startswith("symsrv-io") for name in threads] == [True]
