import json
import os
import shutil

import pytest

from symsrv.model.errors import BackendError
from symsrv.serve import create_app
from symsrv.serve.demand import Explain, Wanted
from symsrv.store import Opened
from tests.made.pdb_builder import GUID_TEXT, build_pdb
from tests.made.pe_builder import build_pe
from tests.serve.site import BIG, BIG_BYTES, PDB, call

OTHER = "/foo.pdb/497B72F6390A44FC878E5A2D63B6CC4B1/foo.pdb"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "QUERY"])
@pytest.mark.parametrize("path", ["/" + PDB, OTHER, "/", "/pingme.txt", "/-/healthz", "/nothing"])
def test_other_methods_are_misses(shared, method, path):
    assert shared.get(path, method=method).status == 404


def test_a_miss_says_why(shared):
    plain = shared.get(OTHER)
    told = shared.get(OTHER, {"Accept": "application/json"})
    head = shared.get(OTHER, method="HEAD")

    assert (plain.status, plain.reason, plain.headers["cache-control"]) == (404, "not-found", "no-cache")
    assert plain.headers["content-type"] == "text/plain; charset=utf-8"
    assert json.loads(told.body)["reason"] == "not-found"
    assert (head.status, head.body, head.headers) == (404, b"", plain.headers)


def test_a_miss_says_what_would_mend_it_to_who_reads_json(site):
    site.publish(("foo.pdb", build_pdb()))
    site.store.delete([1])
    accept = {"Accept": "text/html, application/json"}
    full = create_app(site.store, wanted=Wanted(explain=Explain.FULL))

    told = site.get("/" + PDB, accept, app=full)
    full.close()
    why = json.loads(told.body)["why"]

    assert (told.status, told.reason, told.headers["content-type"]) == (404, "not-found", "application/json")
    assert (why["reason"], why["here"], why["sights"][0]["deleted_by"]) == ("deleted", False, "0000000002")
    assert why["mend"]
    assert int(told.headers["content-length"]) == len(told.body)
    assert json.loads(site.get(OTHER.replace("foo", "bar"), accept).body)["why"]["reason"] == "never-seen"
    assert "why" not in json.loads(site.get("/nothing", accept).body)


def test_a_miss_is_one_even_if_nobody_can_say_why(site, monkeypatch):
    def refuse(*_):
        raise BackendError("unavailable", "no")

    monkeypatch.setattr("symsrv.serve.demand.whereabouts", refuse)

    told = site.get(OTHER, {"Accept": "application/json"})

    assert told.status == 404
    assert json.loads(told.body) == {"error": "not in this store", "reason": "not-found"}


def test_every_stretch_of_a_big_file(shared):
    whole = (shared.root / BIG).read_bytes()

    for first, last in [
        (0, 0),
        (0, 262143),
        (0, 262144),
        (262143, 262145),
        (5, BIG_BYTES - 1),
        (BIG_BYTES - 1, BIG_BYTES),
    ]:
        answer = shared.get("/" + BIG, {"Range": f"bytes={first}-{last}"})
        assert answer.status == 206
        assert answer.body == whole[first : last + 1]
    answer = shared.get("/" + BIG)
    assert (answer.status, answer.body) == (200, whole)
    assert answer.messages > 10


def test_what_is_published_deleted_and_copied_is_seen_at_once(site):
    assert site.get("/" + PDB).status == 404

    site.publish(("foo.pdb", build_pdb()))
    assert site.get("/" + PDB).status == 200

    site.store.delete([1])
    assert site.get("/" + PDB).status == 404

    (site.root / PDB).parent.mkdir(parents=True)
    (site.root / PDB).write_bytes(b"copied by hand")
    assert site.get("/" + PDB).body == b"copied by hand"

    shutil.rmtree(site.root / "foo.pdb")
    assert site.get("/" + PDB).status == 404


def test_a_replaced_file_is_served_anew_with_another_etag(site):
    site.publish(("app.exe", build_pe()))
    path = "/app.exe/0A1B2C3D3000/app.exe"
    before = site.get(path)

    site.publish(("app.exe", build_pe() + b"more"), replace=True)
    first = site.get(path)
    site.settle()
    after = site.get(path)

    assert first.headers.get("etag") != before.headers["etag"]

    assert after.body == before.body + b"more"
    assert after.headers["etag"] != before.headers["etag"]
    assert site.get(path, {"If-None-Match": before.headers["etag"]}).status == 200


def test_an_empty_file_is_a_miss(site):
    (site.root / PDB).parent.mkdir(parents=True)
    (site.root / PDB).touch()

    assert site.get("/" + PDB).reason == "empty"


def test_a_file_removed_meanwhile_is_a_miss(site):
    site.publish(("foo.pdb", build_pdb()))
    assert site.get("/" + PDB).status == 200

    (site.root / PDB).unlink()

    assert site.get("/" + PDB).status == 404


def test_a_folder_in_the_place_of_a_file_is_a_miss(site):
    (site.root / PDB).mkdir(parents=True)

    assert site.get("/" + PDB).status == 404


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root reads everything")
def test_a_file_we_may_not_read_is_a_miss(site):
    site.publish(("foo.pdb", build_pdb()))
    (site.root / PDB).chmod(0)

    assert site.get("/" + PDB).status == 404


@pytest.mark.parametrize(
    "error", [OSError(5, "I/O error"), BackendError("unavailable", "gone"), ValueError("a defect")]
)
@pytest.mark.parametrize("where", ["find", "open"])
def test_our_own_troubles_are_misses(site, monkeypatch, error, where, caplog):
    site.publish(("foo.pdb", build_pdb()))

    def fail(*_arguments):
        raise error

    monkeypatch.setattr(site.store, where, fail)
    answer = site.get("/" + PDB)

    assert answer.status == 404
    assert answer.reason == ("failed" if isinstance(error, ValueError) else "unavailable")
    assert caplog.records


def test_what_is_known_is_served_when_news_cannot_be_read(site, monkeypatch, caplog):
    site.publish(("foo.pdb", build_pdb()))
    assert site.get("/" + PDB).status == 200

    def fail():
        raise BackendError("unavailable", "the index is locked")

    monkeypatch.setattr(site.store, "revision", fail)

    assert [site.get("/" + PDB).status for _ in range(3)] == [200] * 3
    assert len(caplog.records) == 1


def test_a_bucket_is_read_in_the_pool(site, monkeypatch, descriptors):
    site.publish(("foo.pdb", build_pdb()), ("big.exe", build_pe().ljust(BIG_BYTES, b"z")))
    monkeypatch.setattr(type(site.store), "local", False)
    real = site.store.open

    def open_stream(file, start=0, length=None):
        opened = real(file, start, length)
        return Opened(opened.stat, opened.stream)

    monkeypatch.setattr(site.store, "open", open_stream)
    app = create_app(site.store)
    before = descriptors()
    whole = (site.root / BIG).read_bytes()

    assert site.get("/" + PDB, app=app).body == (site.root / PDB).read_bytes()
    assert site.get("/" + BIG, app=app).body == whole
    assert site.get("/" + BIG, {"Range": "bytes=1000-2000000"}, app=app).body == whole[1000:2000001]
    assert site.get("/" + BIG, {"Range": "bytes=-7"}, app=app).body == whole[-7:]
    assert site.get("/" + BIG, method="HEAD", app=app).headers["content-length"] == str(BIG_BYTES)
    etag = site.get("/" + PDB, app=app).headers["etag"]
    assert site.get("/" + PDB, {"If-None-Match": etag}, app=app).status == 304
    assert site.get(OTHER, app=app).status == 404
    app.close()
    assert descriptors() == before


def test_many_at_once(shared, descriptors):
    import asyncio

    shared.get("/" + BIG)
    before = descriptors()
    whole = (shared.root / BIG).read_bytes()

    async def all_of_them():
        paths = [f"/{BIG}", f"/{PDB}", OTHER, "/"] * 25
        return await asyncio.gather(*(call(shared.app, path.encode(), []) for path in paths))

    answers = shared.loop.run_until_complete(all_of_them())

    assert [one.status for one in answers] == [200, 200, 404, 200] * 25
    assert all(one.body == whole for one in answers[::4])
    assert descriptors() == before


def test_at_once_and_asgi_say_the_same(shared):
    for path in (PDB, PDB.lower(), OTHER[1:], BIG, "index2.txt", "", "x/y/z", PDB):
        raw = b"/" + path.encode()
        slow = shared.get(raw)
        quick = shared.app.at_once(raw)
        if quick is None:
            continue
        status, head, body = quick
        assert (status, body) == (slow.status, slow.body)
        lines = [line.split(b": ", 1) for line in head.decode().encode().split(b"\r\n") if line]
        assert {name.decode(): value.decode() for name, value in lines} == slow.headers
    assert shared.app.at_once(b"/" + PDB.encode()) is not None
    assert shared.app.at_once(OTHER.encode()) is not None


def test_build_ids_that_only_look_like_one(shared):
    assert shared.get(f"/foo.pdb/{GUID_TEXT}ffffffff/foo.pdb").status == 404
