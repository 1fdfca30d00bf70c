"""Pointing: a pointer's target is opened where it belongs, in one tier and in two, and nothing else ever is."""

import pytest

from symsrv.layouts import parse_any
from symsrv.packing import write_cab
from tests.crash.publishing import draft, image
from tests.store.stores import HOME, add_as_symstore_does

ASK = parse_any(HOME)
KEY = "a.dll\\5AB380779000"


@pytest.fixture(params=["", "a/", "a./"], ids=["one tier", "two tiers", "two tiers as on Linux"])
def tier(request):
    return request.param


@pytest.fixture
def out(tmp_path):
    folder = tmp_path / "out"
    image(folder, "a.dll")
    return folder


@pytest.fixture
def pointing(opened, tmp_path, out, tier):
    """A store with a `ptr` transaction of symstore.exe that leads to what is given."""

    def make(text, **options):
        root = tmp_path / "store"
        if tier:
            root.mkdir()
            (root / "index2.txt").touch()
        key = f"{tier}{KEY}".replace("/", "\\")
        data = f"PATH:{text}".encode()
        add_as_symstore_does(root, out / "a.dll", key=key, kind="ptr", stored="file.ptr", data=data)
        (root / "000Admin/0000000001").write_bytes(f'"{KEY}","{out}\\a.dll"\r\n'.encode())
        store = opened(**({"pointer_roots": [out]} | options))
        store.catch_up()
        return store

    return make


def content(led):
    try:
        return led.opened.stream.read()
    finally:
        led.opened.close()


@pytest.mark.parametrize("asked", [HOME, HOME.upper(), f"a/{HOME}", f"a./{HOME}"])
def test_a_pointer_is_found_and_its_target_opened(pointing, out, tier, asked):
    store = pointing(out / "a.dll")
    ask = parse_any(asked)

    assert store.find(ask) == ()
    assert store.index.homes_of([1]) == [f"{tier}a.dll/5AB380779000/file.ptr"]
    lead = store.pointer(ask)
    assert lead.home == f"{tier}a.dll/5AB380779000/file.ptr"
    led = store.open_pointed(lead)
    assert (led.reason, led.opened.stat.path, led.opened.descriptor) == ("", lead.home, None)
    assert content(led) == (out / "a.dll").read_bytes()


def test_the_packed_form_and_other_kinds_have_no_pointer(pointing, out):
    store = pointing(out / "a.dll")

    assert store.pointer(parse_any(HOME[:-1] + "_")) is None
    assert store.pointer(parse_any("a.dll/000000079000/a.dll")) is None
    assert store.pointer(parse_any("b.dll/5AB380779000/b.dll")) is None


def test_without_folders_nothing_is_opened(pointing, out):
    store = pointing(out / "a.dll", pointer_roots=())

    assert store.open_pointed(store.pointer(ASK)).reason == "pointer-not-allowed"


@pytest.mark.parametrize("stamp", [None, 7])
def test_bytes_of_another_id_are_not_opened(pointing, out, stamp):
    store = pointing(out / "a.dll")
    lead = store.pointer(ASK)
    if stamp is None:
        (out / "a.dll").write_bytes(b"text that is no symbol file")
    else:
        image(out, "a.dll", stamp=stamp)

    assert store.open_pointed(lead).reason == "pointer-wrong-id"


def test_a_target_under_another_name_is_the_file_that_is_asked_for(pointing, out):
    (out / "a.dll").rename(out / "built.bin")
    image(out, "a.dll", stamp=7)
    store = pointing(out / "built.bin")

    assert content(store.open_pointed(store.pointer(ASK))) == (out / "built.bin").read_bytes()


def test_what_lies_outside_or_is_gone_is_not_opened(pointing, out, tmp_path):
    (tmp_path / "secret").write_bytes((out / "a.dll").read_bytes())
    (out / "link").symlink_to(tmp_path / "secret")
    store = pointing(out / "link")
    lead = store.pointer(ASK)

    assert store.open_pointed(lead).reason == "pointer-not-allowed"
    (out / "link").unlink()
    assert store.open_pointed(lead).reason == "pointer-gone"
    (out / "link").write_bytes((tmp_path / "secret").read_bytes())
    assert content(store.open_pointed(lead)) == (tmp_path / "secret").read_bytes()


def test_a_link_that_is_put_there_after_the_look_is_not_followed(pointing, out, tmp_path, monkeypatch):
    (tmp_path / "secret").write_bytes((out / "a.dll").read_bytes())
    store = pointing(out / "a.dll")
    from symsrv.store import pointing as room

    real = room.follow

    def follow_then_swap(*arguments):
        found = real(*arguments)
        (out / "a.dll").unlink()
        (out / "a.dll").symlink_to(tmp_path / "secret")
        return found

    monkeypatch.setattr(room, "follow", follow_then_swap)

    assert store.open_pointed(store.pointer(ASK)).reason == "pointer-gone"


def test_a_target_that_is_compressed_is_unpacked_and_held_to_its_id(pointing, out):
    data = (out / "a.dll").read_bytes()
    write_cab(out / "a.dll", out / "a.dl_", name="a.dll")
    store = pointing(out / "a.dll")
    lead = store.pointer(ASK)
    (out / "a.dll").unlink()

    led = store.open_pointed(lead)
    assert led.opened.stat.size == len(data)
    assert content(led) == data
    write_cab(image(out / "other", "a.dll", stamp=7), out / "a.dl_", name="a.dll")
    assert store.open_pointed(lead).reason == "pointer-wrong-id"
    (out / "a.dl_").write_bytes(b"MSCF")
    assert store.open_pointed(lead).reason == "pointer-damaged"


def test_a_bucket_is_not_asked_for_pointers(opened, bucket, tmp_path):
    store = opened(bucket, pointer_roots=[tmp_path])
    store.commit(draft(store, image(tmp_path, "b.dll")))
    store._backend.write("a.dll/5AB380779000/file.ptr", b"x")

    assert store.pointer(ASK) is None
