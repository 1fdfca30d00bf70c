"""Home, health and metrics."""

import pytest

from symsrv.model.errors import BackendError
from symsrv.serve.clients import CLIENTS
from symsrv.serve.pages import _own_url, home
from tests.made.pdb_builder import build_pdb


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


def test_what_the_browser_sent_is_not_taken_for_a_part_of_the_page():
    page = home("http://@ROWS@/@VERSION@/@URL@")

    assert page.count("<section>") == len(CLIENTS)
    assert "<strong>http://@ROWS@/@VERSION@/@URL@</strong>" in page


@pytest.mark.parametrize(
    ("server", "url"),
    [
        (("127.0.0.1", 8390), "http://127.0.0.1:8390"),
        (("::1", 8390), "http://[::1]:8390"),
        (("sock", None), "http://sock"),
        (None, "http://localhost"),
    ],
)
def test_without_a_host_header_the_address_is_the_servers(server, url):
    assert _own_url({"headers": [], "server": server}) == url


def test_metrics_count_the_files_of_the_store(site):
    assert b"symsrv_store_files" in site.get(b"/-/metrics").body
