"""What a file came wrapped in comes off, whatever the server says it was."""

import gzip
import zipfile
import zlib

import pytest
import zstandard

from symsrv.mirror.base import WrongContent
from symsrv.mirror.decoding import looks_like_html_in, unwrapped
from tests.made.cab_builder import cab_of
from tests.made.pdb_builder import build_pdb

PDB = build_pdb()
GZIP = gzip.compress(PDB, mtime=0)
ZSTD = zstandard.compress(PDB)


def zipped(tmp_path, *names):
    path = tmp_path / "made.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name in names:
            made.writestr(name, PDB)
    return path.read_bytes()


def unwrap(tmp_path, body, encoding=None, **more):
    folder = tmp_path / "into"
    folder.mkdir()
    path = folder / "body.part"
    path.write_bytes(body)
    try:
        plain, notes = unwrapped(path, encoding, **more)
        return plain.read_bytes(), notes
    finally:
        assert {one.name for one in folder.iterdir()} <= {"body.part", *(f"body.plain{n}" for n in range(4))}
        assert len(list(folder.iterdir())) <= 2


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (PDB, None),
        (PDB, "identity"),
        (GZIP, "gzip"),
        (GZIP, "x-gzip"),
        (GZIP, None),
        (gzip.compress(GZIP, mtime=0), "gzip"),
        (gzip.compress(ZSTD, mtime=0), "gzip"),
        (ZSTD, "zstd"),
        (ZSTD, None),
        (zlib.compress(PDB), "deflate"),
        (cab_of({"a.pdb": PDB}), None),
        (gzip.compress(cab_of({"a.pdb": PDB}), mtime=0), "gzip"),
    ],
)
def test_the_plain_file_comes_out(tmp_path, body, encoding):
    assert unwrap(tmp_path, body, encoding) == (PDB, [])


@pytest.mark.parametrize(("body", "encoding"), [(PDB, "gzip"), (PDB, "br"), (PDB, "zstd"), (GZIP, "zstd")])
def test_an_encoding_that_the_bytes_do_not_have_is_passed_over_with_a_note(tmp_path, body, encoding):
    plain, notes = unwrap(tmp_path, body, encoding)

    assert plain == PDB
    assert notes == [f"it said Content-Encoding {encoding}, which it was not"]


def test_a_zip_with_one_file_is_unpacked_and_one_with_two_is_not(tmp_path):
    assert unwrap(tmp_path, zipped(tmp_path, "a.pdb")) == (PDB, [])
    (tmp_path / "into" / "body.plain1").unlink()
    (tmp_path / "into" / "body.part").unlink()
    (tmp_path / "into").rmdir()
    with pytest.raises(WrongContent) as caught:
        unwrap(tmp_path, zipped(tmp_path, "a.pdb", "b.pdb"))

    assert caught.value.reason == "several-files"
    assert [one.name for one in (tmp_path / "into").iterdir()] == ["body.part"]


@pytest.mark.parametrize("body", [GZIP[:-20], ZSTD[:-20], cab_of({"a": PDB})[:-20], GZIP[:-4] + b"xxxx"])
def test_what_is_cut_is_damaged_and_leaves_nothing(tmp_path, body):
    with pytest.raises(WrongContent) as caught:
        unwrap(tmp_path, body)

    assert caught.value.reason == "damaged"
    assert [one.name for one in (tmp_path / "into").iterdir()] == ["body.part"]


def test_what_grows_too_large_is_stopped(tmp_path):
    with pytest.raises(WrongContent) as caught:
        unwrap(tmp_path, gzip.compress(b"x" * 1_000_000), limit=1000)

    assert caught.value.reason == "too-big"
    assert [one.name for one in (tmp_path / "into").iterdir()] == ["body.part"]


def test_layers_end_somewhere(tmp_path):
    body = PDB
    for _ in range(5):
        body = gzip.compress(body)

    plain, _ = unwrap(tmp_path, body)

    assert plain.startswith(b"\x1f\x8b")


def test_a_page_is_known_through_its_encoding():
    page = b"<!doctype html>" + b"x" * 5000

    assert looks_like_html_in(page, None)
    assert looks_like_html_in(memoryview(gzip.compress(page))[:1000], "gzip")
    assert not looks_like_html_in(gzip.compress(PDB)[:1000], "gzip")
    assert not looks_like_html_in(b"\x1f\x8bnothing", "gzip")
