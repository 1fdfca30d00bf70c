"""What the tests of this room ask of a store."""

from symsrv.upkeep.verify import Tally, verify
from tests.made.pdb_builder import build_pdb, dbi_stream

HOME = "a.dll/5AB380779000/a.dll"
FOREIGN = b'0000000001,add,file,08/10/2020,18:50:24,"prod","1.0.1","theirs",'


def faults(store) -> list:
    return list(verify(store, Tally(), scratch="sqlite://"))


def kinds(store) -> list[str]:
    return sorted({fault.kind for fault in faults(store)})


def content(store, home=HOME) -> bytes:
    found = store._backend.open(home)
    try:
        return found.stream.read()
    finally:
        found.close()


def staged_left(store) -> list[str]:
    """What lies in `incoming/`, and in a bucket's spool."""
    left = [stat.path for stat in store._backend.walk(".symsrv/incoming")]
    spool = getattr(getattr(store._backend, "_spool", None), "_folder", None)
    return left + ([path.name for path in spool.iterdir()] if spool else [])


def pdb(folder, *, stripped=False, more=b""):
    folder.mkdir(exist_ok=True)
    path = folder / "made.pdb"
    path.write_bytes(build_pdb(dbi=dbi_stream(stripped=stripped), more=[more]))
    return path


def add_as_symstore_does(root, path, *, number=1, key="a.dll\\5AB380779000", kind="file", stored=None, data=None):
    """A transaction of symstore.exe: one file, in the order and the form in which the tool writes."""
    admin, folder = root / "000Admin", root / key.replace("\\", "/")
    admin.mkdir(parents=True, exist_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / (stored or path.name)).write_bytes(path.read_bytes() if data is None else data)
    ref = f'{number:010d},{kind},"C:\\theirs\\{path.name}",bin,,N,,'
    refs = folder / "refs.ptr"
    refs.write_bytes((refs.read_bytes() + b"\r\n" if refs.exists() else b"") + ref.encode())
    (admin / "lastid.txt").write_text(f"{number:010d}")
    (admin / f"{number:010d}").write_bytes(f'"{key}","C:\\theirs\\{path.name}"\r\n'.encode())
    line = FOREIGN.replace(b"0000000001", b"%010d" % number).replace(b"file", kind.encode())
    history = admin / "history.txt"
    history.write_bytes((history.read_bytes() + b"\r\n" if history.exists() else b"") + line)
    with (admin / "server.txt").open("ab") as server:
        server.write(line + b"\r\n")
    (root / "pingme.txt").touch()
