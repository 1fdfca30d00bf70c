import pytest

from symsrv.serve.answer import Reason
from symsrv.serve.routes import PATH_LIMIT_BYTES, Door, decoded, route

PDB = b"/foo.pdb/497B72F6390A44FC878E5A2D63B6CC4B1/foo.pdb"


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        (b"/a/b/c", "a/b/c"),
        (b"//a///b//c", "a/b/c"),
        (b"/a+b/c%2Bd", "a+b/c+d"),
        (b"/a%20b", "a b"),
        (b"/a%2520b", "a%20b"),
        (b"/100%.pdb", "100%.pdb"),
        (b"/%zz", "%zz"),
        (b"/%C3%BC", "ü"),
        ("/ü".encode(), "ü"),
        (b"/a%2fb", None),
        (b"/a%5Cb", None),
        (b"/a%00b", None),
        (b"/%FF", None),
        (b"/\xff", None),
        (b"", ""),
        (b"/", ""),
        (b"/./../x", "./../x"),
    ],
)
def test_decoding(raw, path):
    assert decoded(raw) == path


@pytest.mark.parametrize(
    ("raw", "door"),
    [
        (PDB, Door.SYMBOL),
        (b"/" + PDB, Door.SYMBOL),
        (b"/buildid/deadbeefdeadbeef/debuginfo", Door.SYMBOL),
        (b"/", Door.PAGE),
        (b"//", Door.PAGE),
        (b"/metrics", Door.PAGE),
        (b"/-/healthz", Door.PAGE),
        (b"/-", Door.PAGE),
        (b"/pingme.txt", Door.FIXED),
        (b"//index2.txt", Door.FIXED),
        (b"/000admin/LASTID.TXT", Door.FIXED),
        (b"/.symsrv/store.json", Door.NOBODY),
        (b"/%2e%2E/etc/passwd", Door.NOBODY),
        (b"/-foo.pdb/x/y", Door.NOBODY),
    ],
)
def test_doors(raw, door):
    assert route(raw).door is door


@pytest.mark.parametrize("leaf", [b"refs.ptr", b"file.ptr", b"FILE.PTR"])
def test_pointers_are_never_served(leaf):
    found = route(PDB.rpartition(b"/")[0] + b"/" + leaf)

    assert (found.door, found.reason) == (Door.NOBODY, Reason.HIDDEN)


def test_a_path_without_end_is_no_symbol():
    assert route(b"/" + b"a" * PATH_LIMIT_BYTES).reason is Reason.BAD_PATH
    assert route(b"/" + b"a" * (PATH_LIMIT_BYTES - 1)).reason is Reason.UNKNOWN_PATH


def test_a_plus_is_a_plus_first_and_then_a_space():
    found = route(b"/a+b.exe/0A1B2C3D3000/a+b.exe")

    assert found.ask.name == "a+b.exe"
    assert found.spaced.name == "a b.exe"
    assert route(b"/a%20b.exe/0A1B2C3D3000/a%20b.exe").spaced is None
