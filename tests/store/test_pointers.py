"""File pointers: read in every form, and followed to nowhere but below the folders that were named."""

import os

import pytest

from symsrv.backends import open_backend
from symsrv.backends.disk import Disk
from symsrv.store.pointers import Pointed, Pointer, follow, parse_pointer, pointer_text
from tests.crash.publishing import image
from tests.store.stores import add_as_symstore_does, faults

HOME = "a.dll/5AB380779000/file.ptr"
NOT_ALLOWED, GONE = Pointed(reason="pointer-not-allowed"), Pointed(reason="pointer-gone")


@pytest.mark.parametrize(
    ("data", "pointer"),
    [
        (b"PATH:\\\\server\\share\\a.pdb", Pointer("\\\\server\\share\\a.pdb")),
        (b"path: C:\\a b\\a.pdb \r\n", Pointer("C:\\a b\\a.pdb")),
        (b"\\\\server\\share\\a.pdb\r\n", Pointer("\\\\server\\share\\a.pdb")),
        (b"..\\a.pdb", Pointer("..\\a.pdb")),
        (b'"C:\\a.pdb"', Pointer("C:\\a.pdb")),
        (b"MSG: ask Mary", Pointer(message="ask Mary")),
        ("MSG:für später".encode("latin-1"), Pointer(message="für später")),
        ("PATH:C:\\Ä.pdb".encode("utf-16"), Pointer("C:\\Ä.pdb")),
        (b"\xef\xbb\xbfC:\\a.pdb\0", Pointer("C:\\a.pdb")),
        (b"C:\\a.pdb\nC:\\b.pdb", Pointer("C:\\a.pdb")),
        (b" \r\n", Pointer()),
        (b"", Pointer()),
    ],
)
def test_every_form_is_read(data, pointer):
    assert parse_pointer(data) == pointer


def test_a_new_pointer_has_the_form_of_the_one_before():
    assert pointer_text("C:\\b", b"PATH:C:\\a") == b"PATH:C:\\b"
    assert pointer_text("C:\\b", b"C:\\a") == b"C:\\b"


@pytest.fixture
def place(tmp_path):
    """A store, a folder `out` beside it with a file, and a way to follow what a pointer says."""
    (tmp_path / "store").mkdir()
    (tmp_path / "out" / "deep").mkdir(parents=True)
    (tmp_path / "out" / "deep" / "a.pdb").write_bytes(b"bytes")
    (tmp_path / "secret").write_bytes(b"secret")
    backend = Disk(tmp_path / "store")

    def led(text, *roots):
        backend.write(HOME, str(text).encode())
        return follow(backend, HOME, roots)

    return led


def test_a_target_below_an_allowed_folder_is_found(place, tmp_path):
    file = tmp_path / "out" / "deep" / "a.pdb"

    assert place(f"PATH:{file}", tmp_path / "elsewhere", tmp_path / "out") == Pointed(file)
    assert place("..\\..\\..\\out\\deep\\a.pdb", tmp_path / "out") == Pointed(file)


def test_without_allowed_folders_nothing_is_followed(place, tmp_path):
    assert place(tmp_path / "out" / "deep" / "a.pdb") == NOT_ALLOWED


def test_nothing_outside_is_followed(place, tmp_path):
    root = tmp_path / "out"
    (root / "link").symlink_to(tmp_path / "secret")
    (root / "up").symlink_to(tmp_path)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "a").write_bytes(b"x")

    for text in (
        tmp_path / "secret",
        root / "link",
        root / "up" / "secret",
        root / ".." / "secret",
        f"{root}side/a",
        "../../../secret",
        "\\\\server\\share\\a.pdb",
        "C:\\a.pdb",
        "/etc/passwd",
    ):
        assert place(text, root) == NOT_ALLOWED, text


def test_a_link_to_below_an_allowed_folder_is_followed(place, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "out")

    assert place(link / "deep" / "a.pdb", tmp_path / "out").target == tmp_path / "out" / "deep" / "a.pdb"
    assert place(tmp_path / "out" / "deep" / "a.pdb", link).target == tmp_path / "out" / "deep" / "a.pdb"


def test_what_is_no_file_is_gone(place, tmp_path):
    root = tmp_path / "out"
    os.mkfifo(root / "fifo")

    for text in (root / "deep", root / "nothing", root / "fifo", f"{root}/a\0b"):
        assert place(text, root) == GONE, text


def test_a_target_that_is_only_there_compressed(place, tmp_path):
    root = tmp_path / "out"
    (root / "b.pd_").write_bytes(b"MSCF")

    assert place(root / "b.pdb", root) == Pointed(root / "b.pd_")


def test_messages_and_nothing(place, tmp_path):
    assert place("MSG:gone since May", tmp_path) == Pointed(reason="pointer-message", message="gone since May")
    assert place("", tmp_path).reason == "pointer-empty"
    assert place("x" * 70_000, tmp_path).reason == "pointer-empty"
    assert follow(open_backend("memory://pointers"), HOME, [tmp_path]).reason == "missing"


def test_on_a_bucket_only_whole_paths_lead_anywhere(tmp_path):
    backend = open_backend("memory://pointers-2")
    (tmp_path / "a").write_bytes(b"x")
    backend.write(HOME, b"a")
    assert follow(backend, HOME, [tmp_path]) == NOT_ALLOWED
    backend.write(HOME, str(tmp_path / "a").encode())
    assert follow(backend, HOME, [tmp_path]) == Pointed(tmp_path / "a")


def test_the_last_reference_decides_what_a_delete_leaves_of_a_pointer(opened, tmp_path):
    """The documentation's example: pointers and files under one key, taken away one after the other."""
    root, path = tmp_path / "store", image(tmp_path, "a.dll")
    for number, kind, stored, data in (
        (1, "ptr", "file.ptr", b"PATH:C:\\theirs\\a.dll"),
        (2, "file", "a.dll", None),
        (3, "ptr", "file.ptr", b"PATH:D:\\other\\a.dll"),
        (4, "file", "a.dll", None),
    ):
        add_as_symstore_does(root, path, number=number, kind=kind, stored=stored, data=data)
    refs = root / "a.dll/5AB380779000/refs.ptr"
    refs.write_bytes(refs.read_bytes().replace(b'3,ptr,"C:\\theirs', b'3,ptr,"D:\\other'))
    pointer, file = root / HOME, root / "a.dll/5AB380779000/a.dll"
    store = opened()

    store.delete([4])
    assert pointer.read_bytes() == b"PATH:D:\\other\\a.dll"
    store.delete([3])
    assert not pointer.exists()
    assert file.exists()
    assert faults(store) == []
    store.delete([2])
    assert not file.exists()
    assert pointer.read_bytes() == b"C:\\theirs\\a.dll"
    store.delete([1])
    assert not (root / "a.dll").exists()
