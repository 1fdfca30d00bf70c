"""The request matrix: what real clients ask, and what they must get (plain files of PE, PDB and ELF)."""

import hashlib

import pytest

from tests.serve.site import CODE, EXE, HEX, LINES, PDB, PLUS, SPACED, UMLAUT, Site

OCTETS = "application/octet-stream"


def disk(site: Site, home: str) -> bytes:
    return (site.root / home).read_bytes()


@pytest.mark.parametrize("spell", [str, str.lower, str.upper, str.swapcase])
@pytest.mark.parametrize("home", [PDB, EXE])
def test_1_any_case(shared, home, spell):
    answer = shared.get("/" + spell(home))

    assert answer.status == 200
    assert answer.body == disk(shared, home)
    assert answer.headers["content-type"] == OCTETS
    assert answer.headers["content-length"] == str(len(answer.body))
    assert answer.headers["etag"] == f'"{hashlib.sha256(answer.body).hexdigest()}"'
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


def test_2_the_packed_name_of_a_plain_file(shared):
    assert shared.get(f"/{PDB[:-1]}_").status == 404
    assert shared.get(f"/{EXE[:-1]}_").status == 404


@pytest.mark.parametrize("path", ["index2.txt", "/index2.txt", PDB.replace("/foo.pdb", "/file.ptr")])
def test_4_one_tier(shared, path):
    answer = shared.get("/" + path)

    assert answer.status == 404
    assert answer.headers["cache-control"] == "no-cache"


def test_4_two_tiers(site):
    (home,) = site.publish(("foo.pdb", disk_pdb()))
    assert site.get("/index2.txt").status == 404

    (site.root / "index2.txt").touch()

    assert site.get("/index2.txt").status == 200
    assert site.get(f"/fo/{home}").status == 200


def disk_pdb() -> bytes:
    from tests.made.pdb_builder import build_pdb

    return build_pdb()


def test_5_symbolicators_first_request(shared):
    headers = {"Range": "bytes=0-134217727", "Accept-Encoding": "br, deflate, gzip, zstd"}

    answer = shared.get("/" + PDB, headers)

    whole = disk(shared, PDB)
    assert answer.status == 206
    assert answer.headers["content-range"] == f"bytes 0-{len(whole) - 1}/{len(whole)}"
    assert "content-encoding" not in answer.headers
    assert answer.body == whole


def test_5_parts_that_overlap_make_the_whole(shared):
    whole = disk(shared, PDB)
    first, second = (shared.get("/" + PDB, {"Range": text}) for text in ("bytes=0-1000", "bytes=1000-134217727"))

    assert first.body[:-1] + second.body == whole


@pytest.mark.parametrize("path", ["/" + PDB, "/", "//", "/pingme.txt"])
def test_7_head(shared, path):
    head, get = shared.get(path, method="HEAD"), shared.get(path)

    assert (head.status, head.body) == (200, b"")
    assert head.headers == get.headers
    assert int(head.headers["content-length"]) == len(get.body)


def test_9_queries_are_ignored(shared):
    assert shared.get(f"/{PDB}?code_file=a+b&code_id=").status == 200


@pytest.mark.parametrize(
    ("path", "home"),
    [
        (PLUS, PLUS),
        (PLUS.replace("+", "%2B"), PLUS),
        (PLUS.replace("+", "%2b").replace("~", "%7E"), PLUS),
        (SPACED.replace(" ", "%20"), SPACED),
        (SPACED.replace(" ", "%20").replace("(", "%28").replace(")", "%29"), SPACED),
        (SPACED.replace(" ", "+"), SPACED),
        ("pr%C3%BCfung.dll/0A1B2C3D3000/pr%C3%BCfung.dll", UMLAUT),
        ("pru%CC%88fung.dll/0A1B2C3D3000/PRU%CC%88FUNG.dll", UMLAUT),
    ],
)
def test_10_signs_in_names(shared, path, home):
    answer = shared.get("/" + path)

    assert answer.status == 200
    assert answer.body == disk(shared, home)


@pytest.mark.parametrize(
    ("path", "part"),
    [
        (f"_.debug/elf-buildid-sym-{HEX}/_.debug", LINES),
        (f"app/elf-buildid-{HEX}/app", CODE),
        (f"_.DEBUG/ELF-BUILDID-SYM-{HEX.upper()}/_.DEBUG", LINES),
    ],
)
def test_11_ssqp_elf(shared, path, part):
    answer = shared.get("/" + path)

    assert answer.status == 200
    assert part in answer.body


def test_11_a_short_build_id_with_the_zeros_that_dotnet_adds(site):
    from tests.made.elf_builder import build_elf, note

    short = bytes(range(1, 17))
    site.publish(("lib.so", build_elf(notes=note(short))))

    for text in (short.hex(), short.hex() + "00000000"):
        assert site.get(f"/lib.so/elf-buildid-{text}/lib.so").status == 200


def test_12_debuginfod(shared):
    debug = shared.get(f"/buildid/{HEX}/debuginfo")
    code = shared.get(f"/buildid/{HEX}/executable")
    line = shared.get(f"/buildid/{HEX}/section/.debug_line")
    text = shared.get(f"/buildid/{HEX.upper()}/section/.text")

    assert [one.status for one in (debug, code, line, text)] == [200] * 4
    assert LINES in debug.body
    assert CODE in code.body
    assert LINES not in code.body
    assert line.body == LINES
    assert text.body == CODE  # the debug file has only the header of .text: it comes from the executable
    for one in (debug, code, line, text):
        assert one.headers["x-debuginfod-size"] == str(len(one.body))
        assert one.headers["content-type"] == OCTETS
        assert "last-modified" in one.headers
    assert code.headers["x-debuginfod-file"] == "app"
    assert len({one.headers["etag"] for one in (debug, code, line, text)}) == 4
    assert shared.get(f"/buildid/{HEX}/section/.nothing").reason == "no-section"
    assert shared.get(f"/buildid/{'00' * 20}/debuginfo").reason == "not-found"
    assert shared.get(f"/buildid/{'00' * 20}/section/.text").reason == "not-found"
    assert shared.get(f"/buildid/{HEX}/nothing").status == 404
    assert shared.get(f"/buildid/{HEX}/debuginfo", {"X-DEBUGINFOD-MAXSIZE": "5"}).status == 406
    assert shared.get(f"/buildid/{HEX}/section/.text", {"X-DEBUGINFOD-MAXSIZE": str(len(CODE))}).status == 200


def test_12_a_section_in_parts_and_again(shared):
    path = f"/buildid/{HEX}/section/.debug_line"
    etag = shared.get(path).headers["etag"]

    assert shared.get(path, {"Range": "bytes=5-24"}).body == LINES[5:25]
    assert shared.get(path, {"If-None-Match": etag}).status == 304
    assert shared.get(path, method="HEAD").headers["content-length"] == str(len(LINES))


@pytest.mark.parametrize(
    "path",
    [
        "/..%2f..%2fetc/passwd",
        "/../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/a/b/%00",
        f"/{'a' * 4096}/{'b' * 4096}/c",
        f"/{'a' * 4096}",
        "/a\\..\\b/c/d",
        "/a%5c..%5cb/c/d",
        "/foo.pdb/497B72F6390A44FC878E5A2D63B6CC4B1/..",
        "/con/497B72F6390A44FC878E5A2D63B6CC4B1/con",
        "/C:/497B72F6390A44FC878E5A2D63B6CC4B1/C:",
        "/%FF%FE/x/y",
        "/.symsrv/store.json",
        "/.symsrv/transactions/0000000001.jsonl",
        "/000Admin/server.txt",
        "/000Admin/history.txt",
        "/000Admin/../.symsrv/store.json",
        "/_lockfile.sem",
    ],
)
def test_13_hostile_paths(shared, path):
    answer = shared.get(path)

    assert answer.status == 404
    assert answer.reason is not None


def test_14_growing_checksums(shared):
    checksum = ""
    for count in range(200):
        checksum += f"SHA256:{count:064x},"
        assert shared.get("/" + PDB, {"SymbolChecksum": checksum}).status == 200


def test_16_ages_in_any_base(site):
    from tests.made.pdb_builder import GUID_TEXT, build_pdb, dbi_stream

    site.publish(("aged.pdb", build_pdb(dbi=dbi_stream(26))))

    for age in ("1a", "1A", "26"):
        assert site.get(f"/aged.pdb/{GUID_TEXT}{age}/aged.pdb").status == 200, age


def test_17_a_pdb_without_dbi(site):
    from tests.made.pdb_builder import GUID_TEXT, build_pdb

    site.publish(("plain.pdb", build_pdb(dbi=None)))

    for age in ("", "0"):
        assert site.get(f"/plain.pdb/{GUID_TEXT}{age}/plain.pdb").status == 200, age


def test_19_msf_for_who_would_take_msfz(shared):
    assert shared.get("/" + PDB, {"Accept": "application/msfz0"}).status == 200
