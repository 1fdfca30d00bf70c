"""A pointer of an upstream leads below the upstream's own URL, or nowhere."""

import pytest

from symsrv.mirror.base import Absent, FetchError, Refused, Try
from symsrv.mirror.pointers import follow

HTTP = "https://symbols.example/store"
POINTER = Try("foo.pdb/ID/file.ptr", "shown", pointer=True, headers=(("A", "b"),))


def paths(text, url=HTTP, folder=None):
    return [one.path for one in follow(text.encode(), POINTER, url=url, folder=folder)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PATH:../../drop/foo.pdb", "drop/foo.pdb"),
        ("..\\ID2\\foo.pdb", "foo.pdb/ID2/foo.pdb"),
        ("foo.bin", "foo.pdb/ID/foo.bin"),
        ("PATH:https://symbols.example/store/drop/a%20b.pdb", "drop/a b.pdb"),
    ],
)
def test_what_is_below_the_url_is_asked_as_it_is_and_packed(text, expected):
    assert paths(text) == [expected, f"{expected[:-1]}_"]


def test_the_requests_are_shown_and_carry_what_the_pointers_did():
    exact, packed = follow(b"PATH:../../drop/a b.pdb", POINTER, url=HTTP)

    assert exact == Try("drop/a b.pdb", f"{HTTP}/drop/a%20b.pdb", headers=(("A", "b"),))
    assert (packed.packed, packed.pointer) == (True, False)


@pytest.mark.parametrize(
    "text",
    [
        "PATH:\\\\server\\share\\foo.pdb",
        "PATH:C:\\drop\\foo.pdb",
        "PATH:/etc/passwd",
        "PATH:../../../outside",
        "PATH:https://symbols.example/storehouse/foo.pdb",
        "PATH:https://symbols.example/store/../secret",
        "PATH:https://other.example/store/foo.pdb",
        "PATH:http://symbols.example/store/foo.pdb",
        "PATH:https://symbols.example/store/%2e%2e/secret",
        "PATH:a:b",
        "PATH:../..",
    ],
)
def test_what_is_elsewhere_is_refused(text):
    with pytest.raises(Refused) as caught:
        paths(text)

    assert caught.value.reason == "pointer-elsewhere"


def test_an_absolute_path_below_a_folder_is_below_it():
    assert paths("PATH:/srv/symbols/drop/foo.pdb", url="/srv/symbols", folder="/srv/symbols")[0] == "drop/foo.pdb"
    share = "\\\\server\\symbols"
    assert paths(f"PATH:{share}\\drop\\foo.pdb", url=share, folder=share)[0] == "drop/foo.pdb"
    with pytest.raises(Refused):
        paths("PATH:/srv/symbols2/foo.pdb", url="/srv/symbols", folder="/srv/symbols")
    with pytest.raises(Refused):
        paths("PATH:/srv/symbols/../secret", url="/srv/symbols", folder="/srv/symbols")


@pytest.mark.parametrize(("text", "reason"), [("MSG: ask \x07Bob", "pointer-message"), ("", "pointer-empty")])
def test_a_message_is_no_file(text, reason):
    with pytest.raises(Absent) as caught:
        paths(text)

    assert caught.value.reason == reason
    assert "\x07" not in str(caught.value)


def test_any_bytes_end_in_a_path_below_or_an_error():
    for data in (b"\xff" * 1000, b"\x00", b"PATH:" + b"../" * 5000, "PATH:ü/\ufeff".encode("utf-16"), b"//a"):
        try:
            found = follow(data, POINTER, url=HTTP)
        except FetchError:
            continue
        assert all(".." not in one.path.split("/") for one in found)
