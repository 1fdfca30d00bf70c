"""The connection test against real servers: what it says of each is what each does."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from symsrv.mirror import open_upstream
from symsrv.mirror.probing import Found, Report, probe
from symsrv.mirror.settings import Credentials, UpstreamOptions
from symsrv.options import Secret
from symsrv.store import open_store
from tests.interop.pulling import PASSWORD, PASSWORD_NAME, Symbols
from tests.peers import gcs
from tests.peers.certificates import Authority
from tests.peers.debuginfod import debuginfod_server
from tests.peers.nginx import nginx_server, server
from tests.serve.site import publish

pytestmark = pytest.mark.interop


def probed(url: str, **more: object) -> Report:
    return probe(UpstreamOptions(name="real", url=url, **more), opener=open_upstream)


def answering(root: Path, tries: str) -> str:
    """A plain host that answers by the first of these."""
    return server(root).replace("    root ", f"    location / {{ try_files {tries}; }}\n    root ", 1)


def words(report: Report) -> list[Found]:
    return [finding.found for finding in report.findings]


@pytest.fixture
def nginx(peer: Callable[..., str], tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Starts nginx with these `server` blocks."""
    folder = tmp_path / "nginx"
    folder.mkdir()
    running = []

    def start(text: str) -> str:
        held = nginx_server(peer("nginx"), folder, text)
        _, port = held.__enter__()
        running.append(held)
        return f"http://127.0.0.1:{port}"

    yield start
    for held in running:
        held.__exit__(None, None, None)


def test_nginx_with_a_store(nginx: Callable[[str], str], symbols: Symbols):
    report = probed(nginx(server(symbols.folder)), probe_known=symbols.pdb)

    assert report.usable
    assert words(report)[:3] == [Found.ABSENT_404, Found.KNOWN, Found.EXACT_CASE]
    assert Found.TRANSACTIONS in words(report)
    assert Found.TWO_TIER not in words(report)


def test_nginx_that_forbids_what_it_has_not(nginx: Callable[[str], str], symbols: Symbols):
    text = answering(symbols.folder, "$uri =403")

    report = probed(nginx(text), probe_known=symbols.pdb)

    assert report.proposes == {"forbidden_is_absent": True}
    assert any("means that it has no such file" in finding.sentence for finding in report.findings)


def test_nginx_with_one_page_for_everything(nginx: Callable[[str], str], symbols: Symbols, tmp_path: Path):
    (symbols.folder / "app.html").write_text("<!doctype html><title>App</title>")
    text = answering(symbols.folder, "$uri /app.html")

    report = probed(nginx(text), probe_known=symbols.pdb)

    (symbols.folder / "app.html").unlink()
    assert (words(report), report.usable) == ([Found.ANSWERS_ANYTHING], False)


def test_nginx_with_a_password(
    peer: Callable[..., str], symbols: Symbols, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(PASSWORD_NAME, PASSWORD)
    (tmp_path / "users").write_text(f"reader:{{PLAIN}}{PASSWORD}\n")
    text = server(symbols.folder, tls=authority.issue("server"), users=tmp_path / "users")
    known = Credentials(ca_bundle=authority.bundle, user="reader", password=Secret(env=PASSWORD_NAME))

    with nginx_server(peer("nginx"), tmp_path, text) as (_, port):
        url = f"https://localhost:{port}"
        reports = [
            probed(url, credentials=one) for one in (known, Credentials(ca_bundle=authority.bundle), Credentials())
        ]

    assert [report.usable for report in reports] == [True, False, False]
    assert [report.findings[0].reason for report in reports] == [None, "unauthorized", "certificate"]


def test_nginx_with_two_tiers(nginx: Callable[[str], str], symbols: Symbols, tmp_path: Path):
    store = open_store(str(tmp_path / "tiers"), create=True, two_tier=True, state=tmp_path / "state")
    publish(store, tmp_path / "build", ("a.pdb", symbols.bytes(symbols.pdb)))
    store.close()

    report = probed(nginx(server(tmp_path / "tiers")))

    assert report.proposes == {"layouts": ["two-tier"]}


def test_another_symsrv(serving: Callable[..., str], symbols: Symbols):
    url = serving(symbols.folder)

    report = probed(url, preset="symsrv", layouts=("ssqp", "debuginfod", "breakpad"), probe_known=symbols.pdb)

    assert report.usable
    assert words(report)[:3] == [Found.ABSENT_404, Found.KNOWN, Found.ANY_CASE]


def test_elfutils_debuginfod(peer: Callable[..., str], symbols: Symbols, tmp_path: Path):
    started = debuginfod_server(peer("debuginfod"), tmp_path, files=symbols.folder, build_id=symbols.build_id)
    with started as url:
        known = f"buildid/{symbols.build_id}/executable"

        report = probed(url, layouts=("debuginfod",), probe_known=known)

    assert (words(report), report.usable) == ([Found.ABSENT_404, Found.KNOWN], True)


def test_a_bucket_of_google(gcs_url: str, symbols: Symbols):
    bucket = gcs.new_bucket(gcs_url)
    gcs.put(gcs_url, bucket, name=symbols.pdb, data=symbols.bytes(symbols.pdb))
    credentials = Credentials(access_key="", endpoint=gcs_url)

    report = probed(f"gs://{bucket}", probe_known=symbols.pdb, credentials=credentials)

    assert words(report)[:3] == [Found.ABSENT_404, Found.KNOWN, Found.EXACT_CASE]


def test_the_verb_connects_a_real_server(
    nginx: Callable[[str], str], symbols: Symbols, symsrv: Callable[..., object], tmp_path: Path
):
    url = nginx(server(symbols.folder))
    store = tmp_path / "ours"
    open_store(str(store), create=True, state=tmp_path / "state").close()

    symsrv("upstream", "add", "theirs", url, "--probe-known", symbols.pdb, "--store", store)
    listed = symsrv("upstream", "list", "--store", store, "--json")

    assert '"name": "theirs"' in listed.stdout
