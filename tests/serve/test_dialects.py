"""Every spelling and every dialect of clients.md, sections 1 and 3, over one store of all formats."""

import uuid

import pytest

from symsrv.model.identity import Identity
from symsrv.model.ids import CORECLR_BUILD, SymbolId, swapped
from symsrv.model.records import StoredFile
from symsrv.serve import create_app
from symsrv.store import open_store
from symsrv.upkeep.verify import Tally, verify
from tests.made import macho_builder, portable_builder, wasm_builder
from tests.made.elf_builder import BUILD_ID, Part, build_elf
from tests.made.macho_builder import build_macho
from tests.made.msfz_builder import build_msfz
from tests.made.pdb_builder import GUID_TEXT, build_pdb
from tests.made.pe_builder import build_pe
from tests.made.portable_builder import build_portable
from tests.made.wasm_builder import build_wasm
from tests.serve.site import Site, publish

GUID = GUID_TEXT.lower()
ELF = BUILD_ID.hex()
MACH = macho_builder.UUID.hex()
WASM = wasm_builder.BUILD_ID.hex()
STAMP = f"{portable_builder.STAMP:x}"
SIGNATURE = "734d59d6de0e96aa3c77b3e2ed498097"
TREE = "/".join([MACH[0:4], MACH[4:8], MACH[8:12], MACH[12:16], MACH[16:20], MACH[20:]]).upper()
DSYM_TYPE = 10

FILES = {
    "App.exe": build_pe(),
    "Native.pdb": build_pdb(),
    "Portable.pdb": build_portable(),
    "Packed.pdb": build_msfz(),
    "libA.so": build_elf((Part(".text", b"\x90\xc3" * 40, flags=2),), file_type=3),
    "libA.so.debug": build_elf((Part(".text", b"", kind=8, flags=2, size=80), Part(".debug_info", b"i" * 64))),
    "Crash": build_macho(),
    "Crash.dwarf": build_macho(file_type=DSYM_TYPE),
    "Main.wasm": build_wasm(),
    "A.ni.r2rmap": f"FFFFFFFF 00 {SIGNATURE}\nFFFFFFFE 00 1\nFFFFFFFD 00 2\nFFFFFFFC 00 3\nFFFFFFFB 00 1\n".encode(),
    "xul.sym": f"MODULE windows x86_64 {GUID_TEXT.upper()}2 xul.pdb\nINFO CODE_ID 652DE0ED706D000 xul.dll\n".encode(),
}

ASKS = {
    "App.exe": ["App.exe/0A1B2C3D3000/App.exe", "ap/App.exe/0A1B2C3D3000/App.exe"],
    "Native.pdb": [
        f"Native.pdb/{GUID}1/Native.pdb",
        f"Na/Native.pdb/{GUID}1/Native.pdb",
        f"{GUID[:2]}/{GUID[2:]}1/debuginfo",
    ],
    "Portable.pdb": [f"Portable.pdb/{GUID}{age}/Portable.pdb" for age in ("ffffffff", "1", STAMP)],
    "Packed.pdb": [f"Packed.pdb/{GUID}1/msfz0/Packed.pdb", f"Pa/Packed.pdb/{GUID}1/msfz0/Packed.pdb"],
    "libA.so": [
        f"libA.so/elf-buildid-{ELF}/libA.so",
        f"li/libA.so/elf-buildid-{ELF}/libA.so",
        f"libA.so/{ELF}/libA.so",
        f"{ELF[:2]}/{ELF[2:]}",
        f".build-id/{ELF[:2]}/{ELF[2:]}",
        f"{ELF[:2]}/{ELF[2:]}/executable",
    ],
    "libA.so.debug": [
        f"_.debug/elf-buildid-sym-{ELF}/_.debug",
        f"_/_.debug/elf-buildid-sym-{ELF}/_.debug",
        f"{ELF[:2]}/{ELF[2:]}.debug",
        f".build-id/{ELF[:2]}/{ELF[2:]}.debug",
        f"{ELF[:2]}/{ELF[2:]}/debuginfo",
        f"libA.so/{ELF}/symbols",
    ],
    "Crash": [
        f"Crash/mach-uuid-{MACH}/Crash",
        f"cr/Crash/mach-uuid-{MACH}/Crash",
        f"Crash/{MACH}/Crash",
        f"{TREE}.app",
        f"{MACH[:2]}/{MACH[2:]}/executable",
    ],
    "Crash.dwarf": [
        f"_.dwarf/mach-uuid-sym-{MACH}/_.dwarf",
        f"_/_.dwarf/mach-uuid-sym-{MACH}/_.dwarf",
        TREE,
        f"{MACH[:2]}/{MACH[2:]}/debuginfo",
    ],
    "Main.wasm": [
        f"Main.wasm/{WASM}/Main.wasm",
        f"Main.wasm/14{WASM}/Main.wasm",
        f"{WASM[:2]}/{WASM[2:]}",
        f"{WASM[:2]}/{WASM[2:]}/executable",
    ],
    "A.ni.r2rmap": [
        f"A.ni.r2rmap/r2rmap-v1-{SIGNATURE}/A.ni.r2rmap",
        f"A.ni.r2rmap/r2rmap-v1-{swapped(SIGNATURE)}/A.ni.r2rmap",
    ],
    "xul.sym": [
        f"xul.pdb/{GUID}2/xul.sym",
        f"xul.pdb/{GUID}2/xul.pdb.sym",
        f"xu/xul.pdb/{GUID}2/xul.sym",
        "xul.dll/652DE0ED706D000/xul.sym",
        f"{GUID[:2]}/{GUID[2:]}2/breakpad",
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def all_formats(tmp_path_factory):
    site = Site(tmp_path_factory.mktemp("all-formats"))
    site.homes = dict(zip(FILES, site.publish(*FILES.items()), strict=True))
    yield site
    site.close()


@pytest.mark.parametrize("spell", [str, str.lower, str.upper])
@pytest.mark.parametrize(("name", "path"), [(name, path) for name, paths in ASKS.items() for path in paths])
def test_every_spelling_finds_the_file(all_formats, name, path, spell):
    answer = all_formats.get("/" + spell(path))

    assert answer.status == 200
    assert answer.body == FILES[name]
    assert "vary" not in answer.headers


def test_every_home_answers_and_holds_what_belongs_there(all_formats):
    for name, home in all_formats.homes.items():
        assert all_formats.get(f"/{home}").body == FILES[name]
    assert len({home.lower() for home in all_formats.homes.values()}) == len(FILES)
    faults = list(verify(all_formats.store, Tally(), scratch="sqlite://"))
    assert faults == []


@pytest.mark.parametrize(
    "path",
    [
        f"Native.pdb/{GUID}1/Native.sym",
        f"Packed.pdb/{GUID}7/msfz0/Packed.pdb",
        f"libA.so/elf-buildid-coreclr-{ELF}/libA.so",
        f"Crash/mach-uuid-coreclr-{MACH}/Crash",
        f"A.ni.r2rmap/r2rmap-v2-{SIGNATURE}/A.ni.r2rmap",
        f"{MACH[:2]}/{MACH[2:]}/breakpad",
        "yul.dll/652DE0ED706D000/yul.sym",
    ],
)
def test_what_is_near_to_a_files_id_is_not_its(all_formats, path):
    assert all_formats.get(f"/{path}").reason == "not-found"


MSFZ = {"Accept": "application/msfz0"}
PLAIN = f"/Packed.pdb/{GUID}1/Packed.pdb"


@pytest.fixture
def packed(site):
    site.publish(("Packed.pdb", FILES["Packed.pdb"]))
    return site


@pytest.mark.parametrize("accept", ["application/msfz0", "text/plain, Application/MSFZ0;q=0.5"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_who_accepts_a_container_is_given_one_at_the_ordinary_path(packed, accept, method):
    answer = packed.get(PLAIN, {"Accept": accept}, method=method)

    assert answer.status == 200
    assert answer.body == (FILES["Packed.pdb"] if method == "GET" else b"")
    assert answer.headers["vary"] == "accept"
    assert answer.headers["content-type"].endswith("octet-stream")


@pytest.mark.parametrize("headers", [{}, {"Accept": "*/*"}, {"Accept": "application/octet-stream"}])
def test_who_does_not_accept_a_container_is_given_none_whoever_asked_before(packed, headers):
    for _ in range(3):
        assert packed.app.at_once(PLAIN.encode())[0] == 404
        assert packed.get(PLAIN, headers).status == 404
        assert packed.get(PLAIN, MSFZ).status == 200
    assert packed.get(PLAIN, headers).headers["vary"] == "accept"


def test_the_plain_pdb_comes_before_the_container(packed):
    packed.publish(("Packed.pdb", build_pdb()))

    for headers in ({}, MSFZ):
        answer = packed.get(PLAIN, headers)
        assert answer.body == build_pdb()
        assert "vary" not in answer.headers


def test_a_container_is_given_in_parts_and_is_not_given_again(packed):
    whole = packed.get(PLAIN, MSFZ)

    part = packed.get(PLAIN, {**MSFZ, "Range": "bytes=0-9"})
    again = packed.get(PLAIN, {**MSFZ, "If-None-Match": whole.headers["etag"]})

    assert (part.status, part.body) == (206, FILES["Packed.pdb"][:10])
    assert again.status == 304
    assert part.headers["vary"] == again.headers["vary"] == "accept"


def test_a_container_is_given_for_nothing_but_a_plain_pdb(packed):
    for path in (PLAIN.replace(".pdb", ".dll"), PLAIN[:-1] + "_", PLAIN.replace("1/", "2/"), PLAIN[:-4] + ".sym"):
        assert packed.get(path, MSFZ).status == 404, path
    assert packed.get(f"/{GUID[:2]}/{GUID[2:]}1/debuginfo", MSFZ).status == 404


def test_what_goes_with_a_runtime_answers_by_the_runtimes_id(site):
    (home,) = site.publish(("libmscordaccore.so", FILES["libA.so"]))
    site.store.catch_up()
    runtime = "ef8f58a0b402d11c68f78342ef4fcc7d23798d4c"
    stored = site.store.index.at(home)
    (own,) = stored.identities
    with_runtime = Identity("elf", "code", own.name, own.ids, also=(SymbolId(CORECLR_BUILD, runtime),))
    site.store.index.put_files(
        [StoredFile(home, stored.size, stored.sha256, stored.modified_ns, identities=(with_runtime,))]
    )

    path = f"/libmscordaccore.so/elf-buildid-coreclr-{runtime}/libmscordaccore.so"
    assert site.get(path).body == FILES["libA.so"]
    assert site.get(path.replace("daccore", "dbi")).status == 404


@pytest.fixture
def bucket(tmp_path):
    store = open_store(f"memory://{uuid.uuid4().hex}", create=True, index_url="sqlite://")
    app = create_app(store)
    yield store, app
    app.close()
    store.close()


def test_every_spelling_finds_the_file_on_a_bucket(site, tmp_path, bucket):
    store, app = bucket
    publish(store, tmp_path / "build", *FILES.items())
    store.catch_up()

    for name, paths in ASKS.items():
        for path in paths:
            assert site.get(f"/{path}", app=app).body == FILES[name], path


@pytest.mark.parametrize(
    ("method", "headers", "body"),
    [
        ("GET", MSFZ, FILES["Packed.pdb"]),
        ("HEAD", MSFZ, b""),
        ("GET", {**MSFZ, "Range": "bytes=0-9"}, FILES["Packed.pdb"][:10]),
    ],
)
def test_a_container_on_a_bucket(site, tmp_path, bucket, method, headers, body):
    store, app = bucket
    publish(store, tmp_path / "build", ("Packed.pdb", FILES["Packed.pdb"]))
    store.catch_up()

    answer = site.get(PLAIN, headers, method=method, app=app)

    assert (answer.body, answer.headers["vary"]) == (body, "accept")
    assert site.get(PLAIN, app=app).status == 404
