"""Names that the contract gives."""

import io

from symsrv.backends.base import SEGMENT_BYTES, Opened, Stat, displaced_path

HANDLE = "0" * 32


def test_displaced_path_stands_below_the_home():
    assert displaced_path("a.pdb/1/a.pdb", HANDLE) == f".symsrv/displaced/a.pdb/1/a.pdb.{HANDLE}"
    assert displaced_path("pingme.txt", HANDLE) == f".symsrv/displaced/pingme.txt.{HANDLE}"


def test_displaced_path_cuts_a_name_that_the_handle_makes_too_long():
    path = displaced_path(f"a/1/{'ü' * 127}", HANDLE)

    name = path.rpartition("/")[2]
    assert len(name.encode()) <= SEGMENT_BYTES
    assert name.endswith(f"ü.{HANDLE}")


def test_closing_what_was_opened_closes_its_stream():
    opened = Opened(Stat("a", 1, 0), io.BytesIO(b"a"))

    opened.close()

    assert opened.stream.closed
