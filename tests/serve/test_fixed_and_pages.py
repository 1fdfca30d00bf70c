import pytest

from symsrv.model.errors import BackendError
from symsrv.serve.clients import CLIENTS
from tests.made.pdb_builder import build_pdb
from tests.made.pe_builder import build_pe


def test_what_sentrys_index_reader_asks(site):
    site.publish(("foo.pdb", build_pdb()), ("app.exe", build_pe()))
    site.publish(("app2.exe", build_pe()))
    site.store.delete([2])

    assert site.get("/000Admin/lastid.txt").body.strip() == b"0000000003"
    lines = site.get("/000Admin/0000000001").body.decode().splitlines()
    assert len(lines) == 2
    for line in lines:
        key, source = line.split(",")
        assert site.get("/" + key.strip('"').replace("\\", "/") + "/" + key.strip('"').split("\\")[0]).status == 200
        assert source == '""'  # where a build machine keeps its files is nobody's business
    assert site.get("/000Admin/0000000002").body == site.get("/000Admin/0000000003").body == b""
    assert site.get("/000Admin/0000000004").status == 404
    for name in ("server.txt", "history.txt", "0000000002.deleted", "0000000000", "1", "", "x/y"):
        assert site.get(f"/000Admin/{name}").status == 404, name


def test_pingme_is_always_there(site):
    assert (site.get("/pingme.txt").status, site.get("/pingme.txt").body) == (200, b"")


def test_home_shows_the_lines_with_the_address_that_the_browser_used(shared):
    page = shared.get("/", {"Host": "symbols.example:8080", "X-Forwarded-Proto": "https"})
    text = page.body.decode()

    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "srv*C:\\symbols*https://symbols.example:8080" in text
    assert all(client.name.split(",")[0] in text for client in CLIENTS)
    assert "<script" not in text
    assert "src=" not in text


def test_home_escapes_what_the_browser_sent(shared):
    page = shared.get("/", {"Host": '"><script>alert(1)</script>'})

    assert b"<script" not in page.body


@pytest.mark.parametrize("path", ["/-/healthz", "/-/readyz", "/-/metrics", "/metrics", "/-/", "/-", "/"])
def test_pages_are_there(shared, path):
    assert shared.get(path).status == 200


def test_a_page_that_is_not_there(shared):
    assert shared.get("/-/nothing").status == 404


def test_ready_only_when_the_store_can_be_reached(site, monkeypatch):
    def fail(*_arguments):
        raise BackendError("unavailable", "no route")

    monkeypatch.setattr(site.store, "look", fail)

    assert site.get("/-/readyz").status == 503
    assert site.get("/-/healthz").status == 200


def test_metrics_count_what_was_asked(site):
    (home,) = site.publish(("foo.pdb", build_pdb()))
    body = site.get("/" + home).body
    site.get("/" + home, {"Range": "bytes=0-9"})
    site.get("/" + home, method="HEAD")
    site.get("/nothing/at/all")
    site.app.at_once(b"/" + home.encode())

    text = site.get("/metrics").body.decode()

    assert 'symsrv_requests_total{layout="symstore",outcome="part"} 1.0' in text
    assert 'symsrv_requests_total{layout="symstore",outcome="hit"} 3.0' in text
    assert 'outcome="miss"' in text
    assert f"symsrv_sent_bytes_total {float(2 * len(body) + 10)}" in text
    assert 'symsrv_request_seconds_bucket{le="+Inf"} 5.0' in text


def test_every_client_has_its_lines():
    for client in CLIENTS:
        assert client.name
        assert any("http://x:1" in line for line in client.lines_for("http://x:1/"))
        assert not any("{url}" in line or "x:1//" in line for line in client.lines_for("http://x:1/"))
