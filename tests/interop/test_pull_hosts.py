"""Real web servers as upstreams: nginx over TLS and with Basic, elfutils' debuginfod, another symsrv."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from symsrv.mirror.base import Absent, FetchError, Refused
from symsrv.mirror.settings import Credentials, UpstreamOptions
from symsrv.options import Secret
from tests.interop.pulling import PASSWORD, PASSWORD_NAME, Symbols, fetch
from tests.peers.certificates import Authority
from tests.peers.debuginfod import debuginfod_server
from tests.peers.nginx import nginx_server, server

pytestmark = pytest.mark.interop

ABSENT = "absent.pdb/3249D99D0C4049318610F4E4FB0B69361/absent.pdb"
BASIC = {"user": "reader", "password": Secret(env=PASSWORD_NAME)}


@pytest.fixture(autouse=True)
def _password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PASSWORD_NAME, PASSWORD)


@pytest.fixture(scope="module")
def host(
    peer: Callable[..., str], symbols: Symbols, authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A store that a plain nginx serves, over TLS with a private authority, and only to who has the password."""
    folder = tmp_path_factory.mktemp("nginx")
    (folder / "users").write_text(f"reader:{{PLAIN}}{PASSWORD}\n")
    text = server(symbols.folder, tls=authority.issue("server"), users=folder / "users")
    with nginx_server(peer("nginx"), folder, text) as (_, port):
        yield f"https://localhost:{port}"


def test_a_private_authority_and_a_password(host: str, authority: Authority, symbols: Symbols, tmp_path: Path):
    options = UpstreamOptions(name="nginx", url=host, credentials=Credentials(ca_bundle=authority.bundle, **BASIC))

    for key in (symbols.exe, symbols.pdb, symbols.elf):
        assert fetch(options, key, tmp_path / "into") == symbols.bytes(key)
    with pytest.raises(Absent):
        fetch(options, ABSENT, tmp_path / "into")


@pytest.mark.parametrize(
    ("credentials", "reason"),
    [
        (lambda authority: Credentials(**BASIC), "certificate"),
        (lambda authority: Credentials(ca_bundle=authority.bundle), "unauthorized"),
        (lambda authority: Credentials(ca_bundle=authority.bundle, **BASIC | {"user": "nobody"}), "unauthorized"),
    ],
    ids=["an unknown authority", "no password", "another user"],
)
def test_who_is_not_let_in_is_told_why(host, authority, symbols, tmp_path, credentials, reason):
    options = UpstreamOptions(name="nginx", url=host, tries=1, credentials=credentials(authority))

    with pytest.raises(Refused) as caught:
        fetch(options, symbols.pdb, tmp_path / "into")

    assert caught.value.reason == reason
    assert PASSWORD not in str(caught.value)


def test_a_certificate_of_our_own(peer, symbols, authority, tmp_path):
    ours = authority.issue("client")
    text = server(symbols.folder, tls=authority.issue("server"), client_ca=authority.bundle)
    (tmp_path / "nginx").mkdir()
    with nginx_server(peer("nginx"), tmp_path / "nginx", text) as (_, port):
        known = Credentials(ca_bundle=authority.bundle, client_cert=ours.certificate, client_key=ours.key)
        unknown = Credentials(ca_bundle=authority.bundle)
        options = UpstreamOptions(name="nginx", url=f"https://localhost:{port}", tries=1, credentials=known)

        assert fetch(options, symbols.pdb, tmp_path / "into") == symbols.bytes(symbols.pdb)
        with pytest.raises(FetchError):
            fetch(options.model_copy(update={"credentials": unknown}), symbols.pdb, tmp_path / "into")


def test_debuginfod(peer, symbols, tmp_path):
    files, work = tmp_path / "files", tmp_path / "debuginfod"
    files.mkdir()
    work.mkdir()
    (files / "libmade.so").write_bytes(symbols.bytes(symbols.elf))
    with debuginfod_server(peer("debuginfod"), work, files=files, build_id=symbols.build_id) as url:
        options = UpstreamOptions(name="debuginfod", url=url, layouts=("debuginfod",))

        for key in (symbols.elf, f"_.debug/elf-buildid-sym-{symbols.build_id}/_.debug"):
            assert fetch(options, key, tmp_path / "into") == symbols.bytes(symbols.elf)
        with pytest.raises(Absent):
            fetch(options, f"buildid/{'ab' * 20}/debuginfo", tmp_path / "into")


def test_another_symsrv_in_several_dialects(serving, symbols, tmp_path):
    url = serving(symbols.folder)

    for layout, keys in {
        "symstore": (symbols.exe, symbols.pdb),
        "two-tier": (symbols.exe, symbols.pdb),
        "ssqp": (symbols.exe, symbols.pdb, symbols.elf),
        "debuginfod": (symbols.elf,),
    }.items():
        options = UpstreamOptions(name="symsrv", url=url, layouts=(layout,))
        for key in keys:
            assert fetch(options, key, tmp_path / "into") == symbols.bytes(key), layout
    with pytest.raises(Absent):
        fetch(options, f"buildid/{'ab' * 20}/debuginfo", tmp_path / "into")
