"""The nginx configuration that we ship, in front of a real store: it answers clients as symsrv would."""

import re
import urllib.error
import urllib.request
from contextlib import ExitStack
from pathlib import Path

import pytest

from symsrv.serve import create_app
from symsrv.store import open_store
from tests.peers.nginx import nginx_server
from tests.serve.site import EXE, PDB, PLUS, SPACED, exchange, live, publish, standard_files

pytestmark = pytest.mark.interop

CONF = Path(__file__).resolve().parents[2] / "deploy/nginx/symsrv.conf"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nginx-store")
    folder.chmod(0o755)
    folder.parent.chmod(0o755)
    store = open_store(str(folder / "store"), create=True, state=folder / "state")
    publish(store, folder / "build", *standard_files())
    yield store
    store.close()


@pytest.fixture
def start(peer, tmp_path):
    with ExitStack() as stack:
        yield lambda text: stack.enter_context(nginx_server(peer("nginx"), tmp_path, text))


@pytest.fixture
def bare(start, store):
    return start(CONF.read_text().replace("/srv/symbols", store.url))


def ask(address, path, *, method="GET", **headers):
    lines = [f"{method} {path} HTTP/1.1", "Host: h", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    head, _, body = exchange(address, "\r\n".join([*lines, "", ""]).encode("latin-1")).partition(b"\r\n\r\n")
    status, *found = head.decode("latin-1").split("\r\n")
    return int(status.split()[1]), dict(line.lower().split(": ", 1) for line in found), body


@pytest.mark.parametrize("home", [PDB, EXE, PLUS, PLUS.replace("+", "%2B"), SPACED.replace(" ", "%20"), "/" + PDB])
def test_a_hit(bare, store, home):
    status, headers, body = ask(bare, "/" + home)

    real = home.strip("/").replace("%20", " ").replace("%2B", "+")
    assert (status, body) == (200, (Path(store.url) / real).read_bytes())
    assert headers["content-type"] == "application/octet-stream"
    assert headers["cache-control"] == "public, max-age=31536000, immutable"
    assert "etag" in headers
    again = ask(bare, "/" + home, If_None_Match=headers["etag"])
    assert again[0] == 304
    part = ask(bare, "/" + home, Range="bytes=0-134217727")
    assert (part[0], part[2]) == (206, body)
    assert ask(bare, "/" + home, Range="bytes=99999999-")[1]["content-range"] == f"bytes */{len(body)}"


@pytest.mark.parametrize(
    "path",
    [
        "/nothing.pdb/13121110151417161819/nothing.pdb",
        "/foo.pdb",
        "/foo.pdb/",
        f"/{PDB.rpartition('/')[0]}",
        f"/{PDB.rpartition('/')[0]}/refs.ptr",
        f"/{PDB.rpartition('/')[0]}/file.ptr",
        f"/{PDB}/more",
        "/index2.txt",
        "//index2.txt",
        "/000Admin/",
        "/000Admin/lastid.txt",
        "/000Admin/0000000001",
        "/.symsrv/store.json",
        "/.symsrv/",
        "/foo.pdb/../.symsrv/store.json",
        "/%2esymsrv/store.json",
        "/_lockfile.sem",
        "/../../etc/passwd",
        "/..%2f..%2fetc/passwd",
        "/a/b/%00",
        "/%zz",
        "/" + "a" * 4096,
        "/a\\..\\b/c/d",
    ],
)
def test_a_miss_is_404_whatever_the_cause(bare, path):
    status, headers, _ = ask(bare, path)

    assert status == 404
    assert headers["cache-control"] == "no-cache"


def test_what_else_clients_need(bare):
    assert ask(bare, "/", method="HEAD")[0] == 200
    assert ask(bare, "/pingme.txt", method="HEAD")[0] == 200
    assert ask(bare, "/" + PDB, method="POST")[0] == 404
    assert ask(bare, "/" + PDB, method="PUT")[0] == 404
    assert ask(bare, "/" + PDB, SymbolChecksum="SHA256:" + "a" * 60_000)[0] == 200
    assert "server" not in ask(bare, "/")[1] or "/" not in ask(bare, "/")[1]["server"]


def test_a_file_that_may_not_be_read_or_leads_outside_is_a_miss(bare, store, tmp_path):
    folder = Path(store.url) / "link.pdb" / "1"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "link.pdb").symlink_to("/etc/passwd")

    assert ask(bare, "/link.pdb/1/link.pdb")[0] == 404


def test_symsrv_behind_nginx(start, store):
    text = CONF.read_text()
    before, locations = text.split("    # Ghidra wants", 1)
    proxied = re.sub(r"^    # ", "    ", locations[locations.index("    # location / {") :], flags=re.MULTILINE)

    with live(store) as (upstream, _):
        address = start(before + proxied.replace("127.0.0.1:8390", f"127.0.0.1:{upstream[1]}"))
        assert ask(address, f"//{PDB.lower()}?x=y")[0] == 200
        assert ask(address, "/" + PLUS.replace("+", "%2B"))[0] == 200
        assert ask(address, "/" + PDB, Range="bytes=0-9")[1]["content-range"].startswith("bytes 0-9/")
        assert ask(address, "/a%2Fb/c/d")[0] == 404
        with urllib.request.urlopen(f"http://127.0.0.1:{address[1]}/") as response:
            assert f"127.0.0.1:{address[1]}".encode() in response.read()
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"http://127.0.0.1:{address[1]}/{PDB}")  # symsrv is down: a miss, not a 502


def test_nginx_and_symsrv_agree_on_plain_requests(bare, store):
    app = create_app(store)
    with live(store) as (ours, _):
        for path in (PDB, EXE, PLUS, "index2.txt", "pingme.txt", "nothing", PDB + "x", ".symsrv/store.json"):
            assert ask(bare, "/" + path)[0] == ask(ours, "/" + path)[0], path
    app.close()
